"""Why do codes die after a cold start: scale, or indistinct latents? Starts at which the two foretell different ends.

*Scale* says: codes die because the latents grow away from where they were placed. *Indistinct* says: because an
untrained encoder does not tell the data apart, so that codes placed on its outputs do not, either.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vqlab.data import Samples, gaussian_ring
from vqlab.labs.lab01 import readings
from vqlab.sweeps import Arrays
from vqlab.sweeps.recorder import Recorder, Snapshot
from vqlab.sweeps.threads import one_thread

if TYPE_CHECKING:
    from torch import Tensor

    from vqlab.training import Trainer

# Another encoder than that of any stored seed, for codes that know clusters but not these latents.
_OTHER_SEEDS = 10_000
_FOLLOWED = 500  # latents whose growth the codes follow


class Start(NamedTuple):
    """A start, and whether the codebook survives it by either explanation."""

    warm: bool
    by_scale: bool
    by_distinctness: bool


STARTS = {
    "cold": Start(False, False, False),
    "cold, codes grow with the latents": Start(False, True, False),
    "cold, latents enlarged before": Start(False, True, False),
    "warm-up, latents shrunk before": Start(True, False, True),
    "warm-up, codes on shapeless noise": Start(True, True, False),
    "warm-up, codes of another encoder": Start(True, True, True),
    "warm-up": Start(True, True, True),
}


class StartRecorder(Recorder):
    """A recorder that also keeps, (seeds, frames): size, the spread of the latents, and named, for how many points the
    5 nearest neighbours among the latents name the right cluster (half of the points name, half are judged)."""

    def __init__(self, steps: Sequence[int], samples: Samples) -> None:
        super().__init__(steps, samples.x)
        self.y = samples.y

    def _numbers(self, look: Snapshot) -> Arrays:
        named = np.array([named_by_neighbours(z, self.y) for z in look.latents])
        return super()._numbers(look) | {"size": readings.spread_of(look.latents), "named": named}


def named_by_neighbours(z: np.ndarray, y: np.ndarray) -> float:
    """Share of the second half of the points z (N, d) whose class y (N,) is that of its 5 neighbours in the first."""
    from sklearn.neighbors import KNeighborsClassifier

    half = len(z) // 2
    return KNeighborsClassifier(5).fit(z[:half], y[:half]).score(z[half:], y[half:])


def train_start(position: dict, seeds: Sequence[int], *callbacks: Callable, base: Mapping, warmup: int) -> Arrays:
    """Train from a start (start, codebook_size) for the quantized steps of `base`; frames: codes placed, and the end.

    warmup: steps of the trained starts before that, which have so much more training.
    """
    import torch

    samples = gaussian_ring()
    x = torch.from_numpy(samples.x)
    name, size = position["start"], position["codebook_size"]
    with one_thread():
        trainer = _placed(seeds, x, size, base, warmup if STARTS[name].warm else 0)
        first, follow = trainer.step, []
        if name == "cold, codes grow with the latents":
            follow = [_Follow(x[:_FOLLOWED])]
        elif name == "cold, latents enlarged before":
            _resize(trainer, x, readings.spread_of(_placed(seeds, x, size, base, warmup).latents(x).numpy()))
        elif name == "warm-up, latents shrunk before":
            _resize(trainer, x, readings.spread_of(_placed(seeds, x, size, base, 0).latents(x).numpy()))
        elif name == "warm-up, codes on shapeless noise":
            _place(trainer, _like(_noise(seeds, len(x)), trainer.latents(x)))
        elif name == "warm-up, codes of another encoder":
            other = _placed([seed + _OTHER_SEEDS for seed in seeds], x, size, base, warmup)
            _place(trainer, _like(other.latents(x), trainer.latents(x)))
        recorder = StartRecorder((first, trainer.settings.steps), samples)
        trainer.run(recorder, *follow, *callbacks)
    return recorder.cell()


def _placed(seeds: Sequence[int], x: "Tensor", codebook_size: int, base: Mapping, warmup: int) -> "Trainer":
    """A training whose codes have just been placed, with all the quantized steps of `base` before it."""
    from vqlab.models import MLPAutoencoder
    from vqlab.training import Settings, Trainer

    chosen = dict(base)
    model = MLPAutoencoder(seeds, hidden=chosen.pop("hidden"))
    steps = chosen.pop("steps") + warmup
    settings = Settings(codebook_size=codebook_size, steps=steps, warmup=warmup, **chosen)
    return Trainer(model, x, settings, seeds).run(until=warmup)


def _resize(trainer: "Trainer", x: "Tensor", size: np.ndarray) -> None:
    """Give the latents of each run another spread (R,) around their mean, in the encoder's last layer; place anew."""
    import torch

    latents = trainer.latents(x)
    middle = latents.mean(1, keepdim=True)
    factor = torch.from_numpy(size / readings.spread_of(latents.numpy())).to(latents)[:, None, None]  # (R,)
    weight, bias = trainer.model.encoder.weights[-1], trainer.model.encoder.biases[-1]
    weight.data.mul_(factor)
    bias.data.sub_(middle).mul_(factor).add_(middle)
    trainer.switch()


def _place(trainer: "Trainer", points: "Tensor") -> None:
    """Place the codes by k-means on other points (R, N, d) than the latents."""
    trainer.quantizer.start_from(points, trainer.settings.batch_size, "kmeans", trainer.generators)


def _noise(seeds: Sequence[int], n: int) -> "Tensor":
    import torch

    return torch.stack([torch.randn(n, 2, generator=torch.Generator().manual_seed(seed + 31)) for seed in seeds])


def _like(points: "Tensor", latents: "Tensor") -> "Tensor":
    """Points (R, N, d) moved and stretched to the mean and covariance of the latents (R, N, d)."""
    import torch

    triangles = [torch.linalg.cholesky(torch.stack([run.mT.cov() for run in group])) for group in (points, latents)]
    white = torch.linalg.solve_triangular(triangles[0], (points - points.mean(1, keepdim=True)).mT, upper=False)
    return (triangles[1] @ white).mT + latents.mean(1, keepdim=True)


class _Follow:
    """A callback that moves and enlarges all codes, before each step, as the latents of some points have been."""

    def __init__(self, x: "Tensor") -> None:
        self.x, self.before = x, None

    def __call__(self, trainer: "Trainer") -> None:
        latents = trainer.latents(self.x)
        middle = latents.mean(1, keepdim=True)
        size = (latents - middle).square().mean((1, 2), keepdim=True).sqrt()
        if self.before is not None:
            last_middle, last_size = self.before
            codebook = (trainer.quantizer.codebook.detach() - last_middle) * (size / last_size) + middle
            trainer.quantizer.set_codebook(codebook, trainer.quantizer.counts.clone())
        self.before = middle, size
