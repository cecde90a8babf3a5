"""Lab 02: embeddings collapse, in the spirit of arXiv 2411.16550 (whose own settings were not at hand)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from vqlab import measures
from vqlab.data import LAYOUTS, Samples, separate_classes
from vqlab.labs.lab02 import capacity
from vqlab.sweeps import Arrays, Axis, Experiment
from vqlab.sweeps.recorder import Recorder, Snapshot, packed, train

if TYPE_CHECKING:
    from torch import Tensor

    from vqlab.models import StackedMLP

SEEDS = tuple(range(8))
_QUICK = {"hidden": 32, "steps": 1000, "batch_size": 128, "learning_rate": 2e-3}  # that of Lab 01
HEADLINE = ("regions", "token_accuracy", "mse")
WARMUP, CODES = 400, 64
ACTIVATIONS = ("relu", "leaky relu", "tanh")
# One encoder in thirty goes wrong at the boundary: eight seeds would not see it.
_MANY_SEEDS = tuple(range(32))
_ENDS = (0, _QUICK["steps"])
# Few, for the size of the file; the warm-up length, where codes are placed, is among them.
_FRAMES = (0, 50, 200, 400, 1000)
# Pictures show some of the seeds: latents of the first samples, reconstructions of half of those, and a grid.
_PICTURED, _RECONSTRUCTED, _PICTURED_SEEDS = 64, 32, 4
GRID = {"side": 9, "half_width": 1.5}
_WIDTH = Axis("width", "encoder width h", (1, 2, 3, 4, 6, 8, 12, 16, 32, 64), "units")
_CLASSES = Axis("classes", "number of classes C", (4, 8, 16, 32), "classes")
_LAYOUT = Axis("layout", "layout of the classes", LAYOUTS)


def grid_points(side: int, half_width: float) -> np.ndarray:
    """A square grid over the data, row by row: (side², 2), float32."""
    ticks = np.linspace(-half_width, half_width, side, dtype=np.float32)
    return np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)  # (side, side, 2) -> (side², 2)


def units_at_work(encoder: "StackedMLP", points: "Tensor") -> tuple[np.ndarray, np.ndarray]:
    """How many units are not zero, in the hidden layer that has fewest: points (N, d) -> (R, N) and (R,).

    The first counts at each point, and with ReLU bounds the rank of the encoder there. The second counts living units,
    those at work at some point; the others have no gradient. Smooth and leaky units are never zero.
    """
    import torch

    here, living = [], []
    with torch.no_grad():
        hidden = points.expand(len(encoder.weights[0]), *points.shape)  # (N, d) -> (R, N, d)
        for weight, bias in zip(encoder.weights[:-1], encoder.biases[:-1], strict=True):
            hidden = encoder.activation(torch.baddbmm(bias, hidden, weight))
            at_work = hidden != 0
            here.append(at_work.sum(2))
            living.append(at_work.any(1).sum(1))
    return torch.stack(here).amin(0).numpy(), torch.stack(living).amin(0).numpy()


class ClassRecorder(Recorder):
    """A recorder that also asks whether classes can be told apart; see `separation` for the numbers.

    More arrays (seeds, frames): regions, mean_accuracy, scatter; constant and curve, the shares of samples at which
    the encoder has rank 0 and 1, and living, the living units of its poorest layer; and from the tokens, NaN before
    quantization, purity, information (bits), token_accuracy.
    If pictured, the pictures are those of the first seeds, with the encoder's image of the grid, grid (seeds, frames,
    side², 2), and usage is 1 for used codes; and of the end alone, probe_accuracy (seeds,), class_error (seeds, C)
    and, in per cent, confusion_latents and confusion_tokens (seeds, C, C).
    """

    def __init__(self, steps: Sequence[int], samples: Samples, pictured: int = 0) -> None:
        super().__init__(steps, samples.x, pictured)
        self.y = samples.y

    def _numbers(self, look: Snapshot) -> Arrays:
        self._last = look
        nothing = np.full(len(look.latents), np.nan)
        by_mean = measures.classify_by_mean(look.latents, self.y)
        working, living = units_at_work(look.trainer.model.encoder, self.points)
        numbers = super()._numbers(look) | {
            "regions": measures.distinct_regions(look.latents, self.y),
            "mean_accuracy": measures.accuracy(by_mean, self.y),
            "scatter": measures.scatter_ratio(look.latents, self.y),
            "constant": (working == 0).mean(1),
            "curve": (working == 1).mean(1),
            "living": living,
            "purity": nothing,
            "information": nothing,
            "token_accuracy": nothing,
        }
        if look.tokens is None:
            return numbers
        k = look.codebook.shape[1]
        table = measures.token_table(look.tokens, self.y, k)
        return numbers | {
            "purity": measures.token_purity(table),
            "information": measures.token_information(table),
            "token_accuracy": measures.accuracy(measures.classify_by_token(look.tokens, self.y, k), self.y),
        }

    def _pictures(self, look: Snapshot) -> Arrays:
        import torch

        grid = look.trainer.latents(torch.from_numpy(grid_points(**GRID))).numpy()
        pictures = super()._pictures(look) | packed({"grid": grid})
        pictures["reconstruction"] = pictures["reconstruction"][:, :_RECONSTRUCTED]
        pictures["usage"] = (look.counts > 0).astype(np.uint8)
        return {key: picture[:_PICTURED_SEEDS] for key, picture in pictures.items()}

    def cell(self) -> Arrays:
        cell, look = super().cell(), self._last
        if not self.pictured:
            return cell
        by_mean = measures.classify_by_mean(look.latents, self.y)
        by_token = measures.classify_by_token(look.tokens, self.y, look.codebook.shape[1])
        return cell | {
            "probe_accuracy": measures.linear_probe_accuracy(look.latents, self.y).astype(np.float32),
            "class_error": measures.class_error(self.points.numpy(), look.reconstruction, self.y).astype(np.float16),
            "confusion_latents": _per_cent(measures.confusion(by_mean[:_PICTURED_SEEDS], self.y)),
            "confusion_tokens": _per_cent(measures.confusion(by_token[:_PICTURED_SEEDS], self.y)),
        }


def _per_cent(shares: np.ndarray) -> np.ndarray:
    return np.round(100 * shares).astype(np.uint8)


def train_classes(
    position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict, frames: Sequence[int], pictured: int = 0
) -> Arrays:
    """Train at a position; all seeds at once.

    position: width, then classes and layout or, for the classes of `capacity`, dimensions, and, if given,
    codebook_size, warmup, activation. Latents have as many dimensions as the data.
    Only the encoder narrows: the decoder keeps the hidden units of `base` and ReLU, so it is never what fails.
    """
    from vqlab.models import MLPAutoencoder, StackedMLP
    from vqlab.training import Settings

    base = dict(base)
    if "dimensions" in position:
        samples = capacity.classes_in(position["dimensions"])
    else:
        samples = separate_classes(position["layout"], position["classes"])
    d, h = samples.x.shape[1], position["width"]
    model = MLPAutoencoder(seeds, data_dim=d, latent_dim=d, hidden=base.pop("hidden"))
    model.encoder = StackedMLP(seeds, (d, h, h, d), position.get("activation", "relu"))
    settings = Settings(
        codebook_size=position.get("codebook_size", CODES), warmup=position.get("warmup", WARMUP), **base
    )
    return train(ClassRecorder(frames, samples, pictured), model, samples.x, settings, seeds, *callbacks)


EXPERIMENTS = (
    Experiment(
        name="embeddings_collapse",
        title="Embeddings collapse: encoder width × codebook size × warm-up × classes × layout",
        axes=(
            _WIDTH,
            Axis.codebook_size(16, 64),
            Axis.warmup(0, WARMUP),
            _CLASSES,
            _LAYOUT,
        ),
        seeds=SEEDS,
        settings=_QUICK | {"pictured": _PICTURED, "frames": list(_FRAMES), "grid": GRID},
        run=partial(train_classes, base=_QUICK, frames=_FRAMES, pictured=_PICTURED),
        headline=HEADLINE,
    ),
    Experiment(
        name="embeddings_activation",
        title="Too few units or dead units: activation × encoder width × classes × layout",
        axes=(
            Axis("activation", "activation of the encoder", ACTIVATIONS),
            Axis("width", "encoder width h", (1, 2, 3, 4, 5, 6, 8, 12, 16), "units"),
            _CLASSES,
            _LAYOUT,
        ),
        seeds=_MANY_SEEDS,
        settings=_QUICK | {"codebook_size": CODES, "warmup": WARMUP, "frames": list(_ENDS)},
        run=partial(train_classes, base=_QUICK, frames=_ENDS),
        headline=HEADLINE,
    ),
    Experiment(
        name="embeddings_capacity",
        title="Where capacity is real: sixteen classes in two and in ten dimensions × width × activation × warm-up",
        axes=(
            Axis("dimensions", "dimensions of the data", (2, 10), "dimensions"),
            Axis("width", "encoder width h", (2, 3, 4, 8, 16), "units"),
            Axis("activation", "activation of the encoder", ("relu", "leaky relu", "linear")),
            Axis.warmup(0, WARMUP),
        ),
        seeds=SEEDS,
        settings=_QUICK | {"codebook_size": CODES, "classes": capacity.CLASSES, "frames": list(_ENDS)},
        run=partial(train_classes, base=_QUICK, frames=_ENDS),
        headline=HEADLINE,
    ),
)
