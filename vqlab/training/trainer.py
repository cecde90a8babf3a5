"""One training loop for every lab: continuous phase → switch → quantized phase.

The total number of steps is fixed and the warm-up is part of it: `warmup` steps as a plain autoencoder,
then codes are placed on the latents, the optimiser starts afresh, and the rest is quantized training
(AE warm-up: arXiv 2605.06870; pre-training against tokens collapse: arXiv 2411.16550).
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from vqlab import LabError
from vqlab.inputs import seeds as checked_seeds
from vqlab.inputs import shown, whole
from vqlab.models import Autoencoder
from vqlab.quantizers import VectorQuantizer, inputs, look_up, nearest_code
from vqlab.training import checkpoint
from vqlab.training.objective import Adversary, Error, Perceptual
from vqlab.training.settings import OPTIMIZERS, Settings

_LATENT_BATCH = 512


class Cancelled(Exception):
    """Raised by a callback to stop training between two steps; the trainer stays usable."""


def _floats(samples: Tensor) -> Tensor:
    return samples / 255 if samples.dtype == torch.uint8 else samples


def _samples(values: Tensor) -> Tensor:
    """Samples (n, …) as uint8 pixels or float32.   Raises: LabError if there are none."""
    if str(getattr(values, "dtype", "")).removeprefix("torch.") == "uint8":
        samples = torch.as_tensor(values)
    else:
        samples = inputs.real(values, "samples (n, …)").detach().float()
        inputs.check_finite(samples, "the samples")
    if samples.ndim < 2 or samples.numel() == 0:
        raise LabError(
            f"the data set is empty or of another shape: training needs samples (n, …), got {tuple(samples.shape)}"
        )
    return samples


class Trainer:
    """Trains R runs of `model` at once, one per seed, on `data`.

    Args:
        model: an Autoencoder made for the same seeds.
        data: (n, …) samples, shared by all runs; each run draws its own batches. Floats, or uint8 pixels, which
            the model sees as floats in [0, 1].
        settings: see `Settings`.   seeds: one per run.
        draw: draw(n, generator) makes n fresh samples (n, …) like `data`, so that no run sees one twice; `data` then
            only serves to place the codes. None draws batches from `data`, with replacement.
        perceptual: the distance of the loss "l1+perceptual", by default `models.PerceptualDistance`.
    Attributes: step (optimiser steps done), quantizing (False during the warm-up), quantizer, model, losses
        (R,), the latest total loss.
    Raises: LabError for empty data, or a model or settings that are none; during training, if latents or losses turn
        NaN or Inf.
    """

    def __init__(
        self,
        model: Autoencoder,
        data: Tensor,
        settings: Settings,
        seeds: Sequence[int] = (0,),
        draw: Callable[[int, torch.Generator], Tensor] | None = None,
        perceptual: Perceptual | None = None,
    ) -> None:
        if not isinstance(settings, Settings):
            raise LabError(f"settings must be a Settings object, got {shown(settings)}: as in Settings(steps=1000)")
        if not all(hasattr(model, part) for part in ("latent_dim", "encode", "decode", "parameters", "state_dict")):
            raise LabError(f"a model needs latent_dim, encode and decode, got {shown(model)}: see vqlab.models")
        self.model, self.data, self.settings, self.seeds = model, _samples(data), settings, checked_seeds(seeds)
        self.draw = draw
        self.quantizer = VectorQuantizer(
            settings.codebook_size,
            model.latent_dim,
            self.seeds,
            update=settings.update,
            decay=settings.decay,
            commitment_weight=settings.commitment_weight,
            codebook_weight=settings.codebook_weight,
            replace_below=settings.replace_below,
        )
        self.generators = [torch.Generator().manual_seed(seed + 15_485_863) for seed in self.seeds]
        self.step, self.quantizing = 0, False
        self.losses = torch.full((len(self.seeds),), float("nan"))
        self.error = Error(settings.loss, settings.perceptual_weight, perceptual)
        self.adversary = Adversary.beside(model, self.data, settings, self.seeds)
        self.optimizer = self._fresh_optimizer()

    def run(self, *callbacks: Callable[["Trainer"], None], until: int | None = None) -> "Trainer":
        """Train to `until` steps (default: the end). Callbacks see the state before every step and at the end.

        A callback may raise `Cancelled` to stop, or call `switch()` to end the warm-up early.
        Raises: LabError for an `until` outside 0…steps, or if latents or losses turn NaN or Inf.
        """
        until = self.settings.steps if until is None else whole(until, "until", 0)
        if until > self.settings.steps:
            raise LabError(f"this training has {self.settings.steps} steps, so it cannot run until {until}")
        while True:
            if not self.quantizing and self.settings.warmup <= self.step < self.settings.steps:
                self.switch()
            for callback in callbacks:
                callback(self)
            if self.step >= until:
                return self
            self._train_step()
            self.step += 1

    def _train_step(self) -> None:
        x = self._batch()
        z = self._encode(x)
        if self.quantizing:
            z, _, loss = self.quantizer(z)
        else:
            loss = z.new_zeros(len(self.seeds))
        reconstruction = self.model.decode(z)
        error = self.error(reconstruction, x)
        losses = loss + error
        adversary = self.adversary if self.adversary and self.step >= self.settings.discriminator_start else None
        if adversary:
            losses = losses + adversary.loss(reconstruction, error, self.model.last_layer)
        total = losses.sum()  # the runs share no parameters, so the sum's gradient is each run's own
        if not math.isfinite(total.item()):
            raise LabError(f"the loss turned NaN or Inf at step {self.step}: lower the learning rate")
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.optimizer.step()
        if adversary:
            adversary.learn(x, reconstruction)
        self.losses = losses.detach()

    def _batch(self) -> Tensor:
        size = self.settings.batch_size
        if self.draw is not None:
            return _floats(torch.stack([self.draw(size, g) for g in self.generators]))  # (R, B, …)
        rows = torch.stack([torch.randint(len(self.data), (size,), generator=g) for g in self.generators])
        return _floats(self.data[rows])  # (R, B, …)

    @torch.no_grad()
    def switch(self) -> None:
        """End the warm-up: place the codes on the latents, seed the EMA counts, start a fresh optimiser.

        See `VectorQuantizer.start_from`.
        """
        tokens_per_sample = self.latents(self.data[:1]).shape[1]
        latents = self.latents(self.data[: max(1, self.settings.initialisation_latents // tokens_per_sample)])
        batch_tokens = self.settings.batch_size * tokens_per_sample
        self.quantizer.start_from(latents, batch_tokens, self.settings.initialisation, self.generators)
        self.quantizing = True
        self.optimizer = self._fresh_optimizer()

    @torch.no_grad()
    def latents(self, samples: Tensor) -> Tensor:
        """Encoder outputs (R, N, d) of samples (n, …), before quantization."""
        runs, samples = len(self.seeds), _samples(samples)
        parts = samples.split(_LATENT_BATCH if samples.ndim > 2 else len(samples))
        return torch.cat([self._encode(_floats(part).expand(runs, *part.shape)) for part in parts], 1)

    def _encode(self, x: Tensor) -> Tensor:
        try:
            return self.model.encode(x)
        except RuntimeError as error:
            reason = " ".join(str(error).split()).replace(". ", ", ")[:150]
            raise LabError(
                f"the model cannot encode {len(x)} runs of samples {tuple(x.shape[1:])} ({reason}): make it for "
                "the same seeds and for such samples"
            ) from error

    @torch.no_grad()
    def reconstruct(self, samples: Tensor) -> tuple[Tensor, Tensor | None]:
        """Reconstructions (R, n, …) of samples (n, …), and their tokens (R, N), None during the warm-up."""
        return self.reconstruct_latents(self.latents(samples), len(samples))

    @torch.no_grad()
    def reconstruct_latents(self, z: Tensor, samples: int) -> tuple[Tensor, Tensor | None]:
        """The same from the `latents` (R, N, d) of so many samples.

        Raises: LabError for latents of another shape or not finite, or that are not those of so many samples.
        """
        z, samples, tokens = inputs.latents(z).float(), whole(samples, "the number of samples"), None
        if z.shape[1] % samples or (len(z), z.shape[2]) != (len(self.seeds), self.model.latent_dim):
            raise LabError(f"latents {tuple(z.shape)} are not those of {samples} samples: pass what latents() gave")
        if self.quantizing:
            tokens = nearest_code(z, self.quantizer.codebook)
            z = look_up(self.quantizer.codebook, tokens)
        parts = z.split((_LATENT_BATCH if self.data.ndim > 2 else samples) * (z.shape[1] // samples), 1)
        return torch.cat([self.model.decode(part) for part in parts], 1), tokens

    def _fresh_optimizer(self) -> torch.optim.Optimizer:
        parameters = list(self.model.parameters())
        if self.settings.update == "gradient":
            parameters += self.quantizer.parameters()
        return OPTIMIZERS[self.settings.optimizer](parameters, self.settings.learning_rate)

    def save(self, path: str | Path) -> None:
        """Write everything needed to go on exactly where we are. Atomic: an interrupted write leaves the old file.

        Raises: LabError if the disk is full or the folder cannot be written.
        """
        checkpoint.write(path, self._state())

    def load(self, path: str | Path) -> "Trainer":
        """Restore what `save` wrote.

        Raises: LabError if the file is missing, damaged, or from other settings, seeds, data or another model;
            the trainer is then left as it was.
        """
        state = checkpoint.read(path)
        shapes = {name: tensor.shape for name, tensor in state["model"].items()}
        mine = {name: tensor.shape for name, tensor in self.model.state_dict().items()}
        ours = (asdict(self.settings), self.seeds, _fingerprint(self.data), mine)
        if (state["settings"], tuple(state["seeds"]), state["data"], shapes) != ours:
            raise LabError(
                f"the checkpoint {path} is from other settings, other seeds, other data or another model: "
                "choose another file or delete it"
            )
        self.model.load_state_dict(state["model"])
        self.quantizer.load_state_dict(state["quantizer"])
        self.optimizer = self._fresh_optimizer()
        self.optimizer.load_state_dict(state["optimizer"])
        if self.adversary:
            self.adversary.load_state_dict(state["adversary"])
        for generator, saved in zip((*self.generators, *self.quantizer.generators), state["generators"], strict=True):
            generator.set_state(saved)
        self.step, self.quantizing, self.losses = state["step"], state["quantizing"], state["losses"]
        return self

    def _state(self) -> dict:
        return {
            "settings": asdict(self.settings),
            "seeds": self.seeds,
            "data": _fingerprint(self.data),
            "step": self.step,
            "quantizing": self.quantizing,
            "losses": self.losses,
            "model": self.model.state_dict(),
            "quantizer": self.quantizer.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "adversary": self.adversary.state_dict() if self.adversary else None,
            "generators": [g.get_state() for g in (*self.generators, *self.quantizer.generators)],
        }


def _fingerprint(data: Tensor) -> str:
    return hashlib.sha256(f"{data.shape} {data.dtype}".encode() + data.numpy().tobytes()).hexdigest()[:16]
