"""The experiments behind the labs: what is swept, at which setting, and what is kept of each training."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from vqlab import metrics
from vqlab.data import gaussian_ring
from vqlab.sweeps import Axis, Cell, Experiment

SEEDS = tuple(range(8))
HEADLINE = ("perplexity", "mse")
# Points whose latents and reconstructions are kept for the pictures; the numbers use every sample.
_PICTURED = 80
# Dense at the start, where codes die, and holding every stored warm-up length, where codes are placed.
_FRAMES = (0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


class Recorder:
    """A training callback that keeps metrics and a picture at the given steps; `cell()` returns them.

    Arrays are (seeds, frames, …): mse, perplexity, active, latent_dim, code_dim; and, if pictured,
    latents and reconstruction of the first points, the codes and how often each is used.
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
            frame["latents"] = latents[:, : self.pictured].astype(np.float16)
            frame["reconstruction"] = reconstruction[:, : self.pictured].numpy().astype(np.float16)
            frame["codes"], frame["usage"] = codes.astype(np.float16), counts.astype(np.uint16)
        return frame

    def cell(self) -> Cell:
        frames = [self.frames[step] for step in self.steps if step in self.frames]
        return {key: np.stack([frame[key] for frame in frames], 1) for key in frames[0]}


def frame_steps(steps: int) -> tuple[int, ...]:
    """The steps at which a training of `steps` steps is looked at, first and last included."""
    return tuple(round(share * steps) for share in _FRAMES)


# --- Lab 01: tokens collapse (in the spirit of arXiv 2411.16550, §4) ---------------------------------------

# Cold and warm part as clearly here as at twice the width, batch and steps, at an eighth of the cost.
_QUICK = {"hidden": 32, "steps": 1000, "batch_size": 128, "learning_rate": 2e-3}
_LONG = {"hidden": 64, "steps": 2000, "batch_size": 256, "learning_rate": 1e-3}
_CODES = Axis("codes", "codebook size K", (8, 16, 32, 64, 128, 256), "codes")
# How Lab 01's comparison places the codes: initialisation and, for one arm, what happens afterwards.
PLACEMENTS = {
    "k-means": {"init": "kmeans"},
    "k-means++": {"init": "kmeans++"},
    "Gaussian mixture": {"init": "gmm"},
    "hierarchical": {"init": "hierarchical"},
    "normal, std 0.01": {"init": "normal:0.01"},
    "normal, std 0.1": {"init": "normal:0.1"},
    "normal, std 1": {"init": "normal:1"},
    "normal, std 3": {"init": "normal:3"},
    "k-means + replacement": {"init": "kmeans", "replace_below": 0.1},
}


def train_ring(
    position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict, pictured: int = 0, frames: bool = True
) -> Cell:
    """Train the 8-Gaussian ring at a position (codes, warmup and, if given, placement); all seeds at once."""
    import torch

    from vqlab.models import MLPAutoencoder
    from vqlab.train import Settings, Trainer

    x = gaussian_ring().x
    base = dict(base)
    model = MLPAutoencoder(seeds, hidden=base.pop("hidden"))
    placement = PLACEMENTS[position.get("placement", "k-means")]
    settings = Settings(codes=position["codes"], warmup=position["warmup"], **placement, **base)
    recorder = Recorder(frame_steps(settings.steps) if frames else (settings.steps,), x, pictured)
    Trainer(model, torch.from_numpy(x), settings, seeds).run(recorder, *callbacks)
    return recorder.cell()


_TOKENS = (
    Experiment(
        name="tokens_collapse",
        title="Tokens collapse on a ring of 8 Gaussians: warm-up × codebook size",
        axes=(
            Axis("warmup", "warm-up length", (0, 10, 25, 50, 100, 200, 400, 800), "steps"),
            _CODES,
        ),
        seeds=SEEDS,
        settings=_QUICK | {"pictured": _PICTURED, "frames": list(frame_steps(_QUICK["steps"]))},
        run=partial(train_ring, base=_QUICK, pictured=_PICTURED),
        headline=HEADLINE,
    ),
    Experiment(
        name="tokens_long",
        title="The same with twice the width, batch and steps",
        axes=(Axis("warmup", "warm-up length", (0, 1000), "steps"), _CODES),
        seeds=SEEDS,
        settings=_LONG,
        run=partial(train_ring, base=_LONG, frames=False),
        headline=HEADLINE,
    ),
    Experiment(
        name="tokens_placement",
        title="Where the codes start × warm-up × codebook size",
        axes=(
            Axis("placement", "codebook placement", tuple(PLACEMENTS)),
            Axis("warmup", "warm-up length", (0, 400), "steps"),
            _CODES,
        ),
        seeds=SEEDS,
        settings=_QUICK | {"placements": PLACEMENTS},
        run=partial(train_ring, base=_QUICK, frames=False),
        headline=HEADLINE,
    ),
)

EXPERIMENTS: dict[str, Experiment] = {experiment.name: experiment for experiment in _TOKENS}
