"""Does tokens collapse depend on the setting? One change at a time, each trained cold and after a warm-up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

import numpy as np

from vqlab.data import gaussian_grid, gaussian_ring
from vqlab.labs.lab01 import readings
from vqlab.sweeps import Arrays
from vqlab.sweeps.recorder import Recorder, Snapshot, train

# The warm-up as a share of all steps: with more steps it is longer, too.
STARTS = {"cold": 0.0, "warm": 0.4}
# What each setting changes: settings of the training, of the model, or the data set.
CHANGES: dict[str, dict] = {
    "as in this lab": {},
    "width 128": {"hidden": 128},
    "tanh units": {"activation": "tanh"},
    "learning rate 0.01": {"learning_rate": 1e-2},
    "plain SGD": {"optimizer": "sgd", "learning_rate": 0.1},
    "4,000 steps": {"steps": 4000},
    "codes learn by gradient": {"update": "gradient"},
    "β = 0.05": {"commitment_weight": 0.05},
    "β = 0.01": {"commitment_weight": 0.01},
    "L1 loss": {"loss": "l1"},
    "L1 loss, β = 4": {"loss": "l1", "commitment_weight": 4.0},
    "ring without clusters": {"data": "ring without clusters"},
    "16 clusters on a grid": {"data": "16 clusters on a grid"},
    "uniform square": {"data": "uniform square"},
}
_SAMPLES = 4000


def data_set(name: str) -> np.ndarray:
    """Points (4000, 2), float32, by name; all have the root-mean-square radius of the ring of 8 Gaussians."""
    ring = gaussian_ring(_SAMPLES).x
    if name == "ring of 8 Gaussians":
        return ring
    points = {
        "ring without clusters": lambda: gaussian_ring(_SAMPLES, classes=_SAMPLES).x,
        "16 clusters on a grid": lambda: gaussian_grid(_SAMPLES, std=0.12).x,
        "uniform square": lambda: np.random.default_rng(0).uniform(-1, 1, (_SAMPLES, 2)).astype(np.float32),
    }[name]()
    return points * (readings.radius_of(ring) / readings.radius_of(points))


class SizeRecorder(Recorder):
    """A recorder that also measures the latents, (seeds, frames): size, their spread, and middle, how many lie within
    half of their root-mean-square radius of their mean."""

    def _numbers(self, look: Snapshot) -> Arrays:
        sizes = {"size": readings.spread_of(look.latents), "middle": readings.share_in_the_middle(look.latents)}
        return super()._numbers(look) | sizes


def train_changed(position: dict, seeds: Sequence[int], *callbacks: Callable, base: Mapping) -> Arrays:
    """Train at a position (setting, start, codebook_size); all seeds at once. Frames: before, at 40 %, at the end."""
    from vqlab.models import MLPAutoencoder
    from vqlab.training import Settings

    chosen = dict(base) | CHANGES[position["setting"]]
    x = data_set(chosen.get("data", "ring of 8 Gaussians"))
    model = MLPAutoencoder(seeds, hidden=chosen["hidden"], activation=chosen.get("activation", "relu"))
    named = {field.name for field in fields(Settings)}
    trained = {key: value for key, value in chosen.items() if key in named}
    switch = {start: round(share * chosen["steps"]) for start, share in STARTS.items()}
    settings = Settings(codebook_size=position["codebook_size"], warmup=switch[position["start"]], **trained)
    recorder = SizeRecorder((0, switch["warm"], settings.steps), x)
    return train(recorder, model, x, settings, seeds, *callbacks)
