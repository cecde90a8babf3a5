"""What is kept of a training: metrics at some steps, and what a picture needs."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vqlab import measures
from vqlab.sweeps.experiment import Arrays
from vqlab.sweeps.packing import pack
from vqlab.sweeps.threads import one_thread

if TYPE_CHECKING:
    from vqlab.models import Autoencoder
    from vqlab.training import Settings, Trainer

# Dense at the start, where codes die, and holding every stored warm-up length, where codes are placed.
_FRAMES = (0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


class Snapshot(NamedTuple):
    """What a recorder sees of a trainer: latents (R, N, d), reconstruction (R, N, …), tokens (R, N) or None before
    quantization, codebook (R, K, d), then NaN, and counts (R, K), then zero."""

    trainer: "Trainer"
    latents: np.ndarray
    reconstruction: np.ndarray
    tokens: np.ndarray | None
    codebook: np.ndarray
    counts: np.ndarray


class Recorder:
    """A training callback that keeps metrics and a picture at the given steps; `cell()` returns them.

    Arrays are (seeds, frames, …): mse, perplexity, active, latent_dim, code_dim; and, if pictured,
    latents and reconstruction of the first points, the codebook (all packed), and how often each code is used.
    Before quantization starts perplexity, active, code_dim and codebook are NaN.
    A lab that keeps more extends `_numbers` and `_pictures`.
    """

    def __init__(self, steps: Sequence[int], points: np.ndarray, pictured: int = 0) -> None:
        import torch

        self.steps, self.points, self.pictured = tuple(steps), torch.from_numpy(points), pictured
        self.frames: dict[int, Arrays] = {}

    def __call__(self, trainer) -> None:
        if trainer.step in self.steps:
            self.frames[trainer.step] = self._frame(trainer)

    def _frame(self, trainer) -> Arrays:
        look = self._look(trainer)
        numbers = {key: value.astype(np.float32) for key, value in self._numbers(look).items()}
        return numbers | (self._pictures(look) if self.pictured else {})

    def _look(self, trainer) -> Snapshot:
        runs, k = len(trainer.seeds), trainer.settings.codebook_size
        latents = trainer.latents(self.points)
        reconstruction, tokens = trainer.reconstruct_latents(latents, len(self.points))
        latents = latents.numpy()
        codebook, counts = np.full((runs, k, latents.shape[2]), np.nan), np.zeros((runs, k), np.int64)
        if tokens is not None:
            tokens = tokens.numpy()
            codebook, counts = trainer.quantizer.codebook.detach().numpy(), measures.code_usage(tokens, k)
        return Snapshot(trainer, latents, reconstruction.numpy(), tokens, codebook, counts)

    def _numbers(self, look: Snapshot) -> Arrays:
        nothing = np.full(len(look.latents), np.nan)
        quantized = look.tokens is not None
        return {
            "mse": measures.mean_squared_error(self.points.numpy(), look.reconstruction),
            "latent_dim": measures.effective_dimension(look.latents),
            "perplexity": measures.perplexity(look.counts) if quantized else nothing,
            "active": measures.active_codes(look.counts) if quantized else nothing,
            "code_dim": measures.effective_dimension(look.codebook) if quantized else nothing,
        }

    def _pictures(self, look: Snapshot) -> Arrays:
        shown = {
            "latents": look.latents[:, : self.pictured],
            "reconstruction": look.reconstruction[:, : self.pictured],
            "codebook": look.codebook,
        }
        return packed(shown) | {"usage": look.counts.astype(np.uint16)}

    def cell(self) -> Arrays:
        """The kept arrays, frames stacked as the second axis."""
        frames = [self.frames[step] for step in self.steps if step in self.frames]
        return {key: np.stack([frame[key] for frame in frames], 1) for key in frames[0]}


def train(
    recorder: Recorder,
    model: "Autoencoder",
    x: np.ndarray,
    settings: "Settings",
    seeds: Sequence[int],
    *callbacks: Callable,
    draw: Callable | None = None,
) -> Arrays:
    """Train on the samples x, all seeds at once and on one thread, and return what the recorder kept.

    draw: makes fresh samples instead, see `Trainer`; x then only serves to place the codes.
    """
    import torch

    from vqlab.training import Trainer

    with one_thread():
        Trainer(model, torch.from_numpy(x), settings, seeds, draw).run(recorder, *callbacks)
    return recorder.cell()


def packed(pictures: Arrays) -> Arrays:
    """Positions (..., n, d) by name, a byte a coordinate, each with its NAME_scale (see `sweeps.pack`)."""
    pairs = {key: pack(points) for key, points in pictures.items()}
    return {key: points for key, (points, _) in pairs.items()} | {f"{k}_scale": s for k, (_, s) in pairs.items()}


def frame_steps(steps: int) -> tuple[int, ...]:
    """The steps at which a training of `steps` steps is looked at, first and last included."""
    return tuple(round(share * steps) for share in _FRAMES)
