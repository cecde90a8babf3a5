"""One training loop for every lab: continuous phase → switch → quantized phase.

The total number of steps is fixed and the warm-up is part of it: `warmup` steps as a plain autoencoder,
then codes are placed on the latents, the optimiser starts afresh, and the rest is quantized training
(AE warm-up: arXiv 2605.06870; pre-training against tokens collapse: arXiv 2411.16550).
"""

import copy
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
from vqlab.quantizers import VectorQuantizer, inputs, look_up, nearest_code, ranks
from vqlab.training import checkpoint
from vqlab.training import samples as of
from vqlab.training.launcher import Alone, Launcher
from vqlab.training.objective import Adversary, Error, Perceptual
from vqlab.training.reconstruction import Reconstruction, encode
from vqlab.training.settings import OPTIMIZERS, Settings

# A GPU is asked for its loss, and so waited for, once in so many steps.
_LOOK_EVERY = 50


class Cancelled(Exception):
    """Raised by a callback to stop training between two steps; the trainer stays usable."""


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
        launcher: what `training.launch` or `lightning.fabric.Fabric` returned, to train on a GPU or in several
            processes. Each of these makes the same trainer and does the same with it; a step's batch is shared out
            among them, so that the training is that of one process. Latents, reconstructions and losses then are
            on the launcher's device; data stay where they are.
    A small model trains fastest after `torch.set_num_threads(1)`, on a busy machine ten times faster.
    Attributes: step (optimiser steps done), quantizing (False during the warm-up), quantizer, model, losses
        (R,), the latest total loss, of all processes.
    Raises: LabError for empty data, or a model or settings that are none; during training, if latents or losses turn
        NaN or Inf (on a GPU found out within 50 steps).
    """

    def __init__(
        self,
        model: Autoencoder,
        data: Tensor,
        settings: Settings,
        seeds: Sequence[int] = (0,),
        draw: Callable[[int, torch.Generator], Tensor] | None = None,
        perceptual: Perceptual | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        if not isinstance(settings, Settings):
            raise LabError(f"settings must be a Settings object, got {shown(settings)}: as in Settings(steps=1000)")
        if not all(hasattr(model, part) for part in ("latent_dim", "encode", "decode", "parameters", "state_dict")):
            raise LabError(f"a model needs latent_dim, encode and decode, got {shown(model)}: see vqlab.models")
        if settings.batch_size % ranks.count():
            raise LabError(
                f"{ranks.count()} processes cannot share a batch of {settings.batch_size} samples evenly: make "
                "batch_size a multiple of their number"
            )
        self.data, self.settings, self.seeds = of.samples(data), settings, checked_seeds(seeds)
        self._hashed = (None, "")
        self.draw, self.launcher = draw, launcher or Alone()
        self.device = self.launcher.device
        on_gpu = {"memory_format": torch.channels_last} if self.device.type == "cuda" else {}
        self.model = model.to(self.device, **on_gpu)
        self.quantizer = VectorQuantizer(
            settings.codebook_size,
            model.latent_dim,
            self.seeds,
            update=settings.update,
            decay=settings.decay,
            commitment_weight=settings.commitment_weight,
            codebook_weight=settings.codebook_weight,
            replace_below=settings.replace_below,
        ).to(self.device)
        self.generators = [torch.Generator().manual_seed(seed + 15_485_863) for seed in self.seeds]
        self.step, self.quantizing = 0, False
        self.losses = torch.full((len(self.seeds),), float("nan"), device=self.device)
        self.error = Error(settings.loss, settings.perceptual_weight, perceptual)
        if not isinstance(self.launcher, Alone):  # the distance may be that of others, too, who stay on the CPU
            self.error = copy.deepcopy(self.error).to(self.device)
        self.adversary = Adversary.beside(model, self.data, settings, self.seeds, self.launcher)
        self._start_phase()

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
        x = of.batch(self.data, self.draw, self.settings.batch_size, self.generators)
        x = of.floats(inputs.moved(x, self.device))
        losses, error, reconstruction = self._forward(x)
        adversary = self.adversary if self.adversary and self.step >= self.settings.discriminator_start else None
        if adversary:
            losses = losses + adversary.loss(reconstruction, error, self.model.last_layer)
        means = ranks.mean(losses)
        if inputs.answers_at_once(means) or self.step % _LOOK_EVERY == 0:
            self._look_at(means)
        self.optimizer.zero_grad(set_to_none=True)
        self.launcher.backward(losses.sum())  # the runs share no parameters, so its gradient is each run's own
        self.optimizer.step()
        if adversary:
            adversary.learn(x, reconstruction)
        self.losses = means

    def _look_at(self, losses: Tensor) -> None:
        if not math.isfinite(losses.sum().item()):
            raise LabError(f"the loss turned NaN or Inf at step {self.step}: lower the learning rate")

    @torch.no_grad()
    def switch(self) -> None:
        """End the warm-up: place the codes on the latents, seed the EMA counts, start a fresh optimiser.

        See `VectorQuantizer.start_from`.
        """
        tokens_per_sample = self.latents(self.data[:1]).shape[1]
        samples = self.data[: max(1, self.settings.initialisation_latents // tokens_per_sample)]
        if len(samples) % ranks.count():  # not to be shared evenly, so each process encodes them all
            latents = self.latents(samples)
        else:
            latents = ranks.gather(self.latents(ranks.share(samples)))
        batch_tokens = self.settings.batch_size * tokens_per_sample
        self.quantizer.start_from(latents, batch_tokens, self.settings.initialisation, self.generators)
        self.quantizing = True
        self._start_phase()

    @torch.no_grad()
    def latents(self, samples: Tensor) -> Tensor:
        """Encoder outputs (R, N, d) of samples (n, …), before quantization."""
        runs, samples = len(self.seeds), of.samples(samples)
        parts = samples.split(of.at_once(samples))
        floats = (of.floats(part.to(self.device)) for part in parts)
        return torch.cat([encode(self.model, part.expand(runs, *part.shape)) for part in floats], 1)

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
        parts = z.split((samples if self.data.ndim < 3 else of.at_once(self.data)) * (z.shape[1] // samples), 1)
        return torch.cat([self.model.decode(part) for part in parts], 1), tokens

    def _start_phase(self) -> None:
        """Set up what a step computes in this phase, and a fresh optimiser."""
        # Gone before the next is set up: two would average the same gradients.
        self._forward = None
        self._forward = self.launcher.setup_module(
            Reconstruction(self.model, self.quantizer if self.quantizing else None, self.error)
        )
        parameters = list(self.model.parameters())
        if self.settings.update == "gradient":
            parameters += self.quantizer.parameters()
        self.optimizer = OPTIMIZERS[self.settings.optimizer](parameters, self.settings.learning_rate)

    def save(self, path: str | Path) -> None:
        """Write everything needed to go on exactly where we are. Atomic: an interrupted write leaves the old file.

        Of several processes the first writes.
        Raises: LabError if the disk is full or the folder cannot be written, or if the loss has turned NaN or Inf.
        """
        if self.step:
            self._look_at(self.losses)
        if ranks.own() == 0:
            checkpoint.write(path, self._state())

    def load(self, path: str | Path) -> "Trainer":
        """Restore what `save` wrote; each of several processes reads it.

        Raises: LabError if the file is missing, damaged, or from other settings, seeds, data or another model;
            the trainer is then left as it was.
        """
        state = checkpoint.read(path, like=self._state())
        self.model.load_state_dict(state["model"])
        self.quantizer.load_state_dict(state["quantizer"])
        self.step, self.quantizing = state["step"], state["quantizing"]
        self._start_phase()
        self.optimizer.load_state_dict(state["optimizer"])
        if self.adversary:
            self.adversary.load_state_dict(state["adversary"])
        for generator, saved in zip((*self.generators, *self.quantizer.generators), state["generators"], strict=True):
            generator.set_state(saved)
        self.losses = state["losses"].to(self.device)
        return self

    def _state(self) -> dict:
        return {
            "settings": asdict(self.settings),
            "seeds": self.seeds,
            "data": self._fingerprint(),
            "step": self.step,
            "quantizing": self.quantizing,
            "losses": self.losses,
            "model": self.model.state_dict(),
            "quantizer": self.quantizer.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "adversary": self.adversary.state_dict() if self.adversary else None,
            "generators": [g.get_state() for g in (*self.generators, *self.quantizer.generators)],
        }

    def _fingerprint(self) -> str:
        if self._hashed[0] is not self.data:  # a second of work for every gigabyte
            self._hashed = (self.data, of.fingerprint(self.data))
        return self._hashed[1]
