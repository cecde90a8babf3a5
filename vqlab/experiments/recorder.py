"""What is kept of a training: metrics at some steps, and what a picture needs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from vqlab import metrics
from vqlab.sweeps import Cell, pack

# Dense at the start, where codes die, and holding every stored warm-up length, where codes are placed.
_FRAMES = (0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


class Recorder:
    """A training callback that keeps metrics and a picture at the given steps; `cell()` returns them.

    Arrays are (seeds, frames, …): mse, perplexity, active, latent_dim, code_dim; and, if pictured,
    latents and reconstruction of the first points, the codes (all packed), and how often each code is used.
    Before quantization starts perplexity, active, code_dim and codes are NaN.
    """

    def __init__(self, steps: Sequence[int], points: np.ndarray, pictured: int = 0) -> None:
        import torch

        self.steps, self.points, self.pictured = tuple(steps), torch.from_numpy(points), pictured
        self.frames: dict[int, Cell] = {}

    def __call__(self, trainer) -> None:
        if trainer.step in self.steps:
            self.frames[trainer.step] = self._frame(trainer)

    def _frame(self, trainer) -> Cell:
        runs, k = len(trainer.seeds), trainer.settings.codes
        reconstruction, tokens = trainer.reconstruct(self.points)
        latents = trainer.latents(self.points).numpy()
        nothing = np.full(runs, np.nan)
        frame = {
            "mse": metrics.mean_squared_error(self.points.numpy(), reconstruction.numpy()),
            "latent_dim": metrics.effective_dimension(latents).astype(float),
            "perplexity": nothing,
            "active": nothing,
            "code_dim": nothing,
        }
        codes, counts = np.full((runs, k, latents.shape[2]), np.nan), np.zeros((runs, k), np.int64)
        if tokens is not None:
            codes, counts = trainer.quantizer.codes.detach().numpy(), metrics.code_usage(tokens.numpy(), k)
            frame |= {
                "perplexity": metrics.perplexity(counts),
                "active": metrics.active_codes(counts).astype(float),
                "code_dim": metrics.effective_dimension(codes).astype(float),
            }
        frame = {key: value.astype(np.float32) for key, value in frame.items()}
        if self.pictured:
            shown = reconstruction[:, : self.pictured].numpy()
            pictures = {"latents": latents[:, : self.pictured], "reconstruction": shown, "codes": codes}
            for key, points in pictures.items():
                frame[key], frame[f"{key}_scale"] = pack(points)
            frame["usage"] = counts.astype(np.uint16)
        return frame

    def cell(self) -> Cell:
        frames = [self.frames[step] for step in self.steps if step in self.frames]
        return {key: np.stack([frame[key] for frame in frames], 1) for key in frames[0]}


@contextmanager
def one_thread() -> Iterator[None]:
    """Train small models on one thread: they gain nothing from a second, and lose a lot when the machine is busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def frame_steps(steps: int) -> tuple[int, ...]:
    """The steps at which a training of `steps` steps is looked at, first and last included."""
    return tuple(round(share * steps) for share in _FRAMES)
