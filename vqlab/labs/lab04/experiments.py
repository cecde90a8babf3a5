"""Lab 04: dimensions die, in the setting of arXiv 2605.06870's theory: a linear autoencoder on Gaussian modes."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from vqlab.data import power_law_gaussian, power_law_spectrum
from vqlab.sweeps import Arrays, Axis, Experiment
from vqlab.sweeps.recorder import Recorder, Snapshot, train
from vqlab.sweeps.threads import one_thread
from vqlab.training import AdaptiveSwitch

DIM = 32
START_SCALE = 0.02
SEEDS = tuple(range(8))
HEADLINE = ("mse", "code_dim")
# The loss is a mean over the 32 dimensions, so this is a rate of 0.01 on the squared error summed over them.
_QUICK = {
    "steps": 1500,
    "batch_size": 512,
    "learning_rate": 0.01 * DIM,
    "optimizer": "sgd",
    "decay": 0.97,
    "commitment_weight": 0.25,
    "replace_below": 0.1,
    "initialisation_latents": 8192,
}
_TRAINING, _CLUSTERED, _HELD_OUT = 65_536, 32_768, 8192
_SETTINGS = _QUICK | {"dim": DIM, "start_scale": START_SCALE, "training": _TRAINING, "held_out": _HELD_OUT}
# How eager the adaptive switch is: "patient" waits 75 steps for a new mode, "eager" wants more than one every 50.
RULES = {
    "patient": {"every": 25, "patience": 3},
    "eager": {"every": 50, "patience": 1, "min_gain": 1.0},
}
# Every stored warm-up length, where codes are placed, and the budgets that the lab reads results at.
FRAMES = (0, 25, 50, 100, 200, 300, 400, 500, 600, 750, 800, 1000, 1250, 1500)
_CODEBOOK_SIZE = Axis("codebook_size", "codebook size K", (64, 256, 1024), "codes")
_SLOPE = Axis("slope", "spectrum slope", (0.5, 1, 2))


class ModeRecorder(Recorder):
    """Also keeps the mse of every data dimension, dimension_mse (seeds, frames, d): which modes are served."""

    def _numbers(self, look: Snapshot) -> Arrays:
        squares = np.square(look.reconstruction - self.points.numpy())  # (R, N, d)
        return super()._numbers(look) | {"dimension_mse": squares.mean(1)}


def train_linear(
    position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict, frames: Sequence[int]
) -> Arrays:
    """Train at a position (slope, codebook_size, warmup), all seeds at once; numbers are of samples not trained on."""
    from vqlab.models import LinearAutoencoder
    from vqlab.training import Settings

    x = power_law_gaussian(_TRAINING, DIM, position["slope"]).x
    recorder = ModeRecorder(frames, power_law_gaussian(_HELD_OUT, DIM, position["slope"], seed=1).x)
    settings = Settings(codebook_size=position["codebook_size"], warmup=position["warmup"], **base)
    return train(recorder, LinearAutoencoder(seeds, DIM, DIM, START_SCALE), x, settings, seeds, *callbacks)


def train_adaptive(position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict) -> Arrays:
    """Train at a position (slope, codebook_size, rule) with the adaptive switch, seed after seed, as a user would.

    Also returns switched, the step of each seed's switch (seeds,).
    """
    cells = []
    for seed in seeds:
        switch = AdaptiveSwitch(**RULES[position["rule"]])
        never = position | {"warmup": base["steps"]}
        cell = train_linear(never, [seed], switch, *callbacks, base=base, frames=(base["steps"],))
        cells.append(cell | {"switched": np.array([switch.switched_at], np.float32)})
    return {key: np.concatenate([cell[key] for cell in cells]) for key in cells[0]}


def cluster_modes(position: dict, seeds: Sequence[int], *callbacks: Callable, samples: int) -> Arrays:
    """No training: k-means on the first `modes` of the data itself; what is left out costs its variance."""
    import torch

    from vqlab.quantizers import initialise, look_up, nearest_code

    x, held_out = (
        torch.from_numpy(power_law_gaussian(n, DIM, position["slope"], seed).x).expand(len(seeds), -1, -1)
        for n, seed in ((samples, 0), (_HELD_OUT, 1))
    )
    modes, generators = position["modes"], [torch.Generator().manual_seed(seed) for seed in seeds]
    with one_thread():
        codebook, _ = initialise("kmeans", x[..., :modes].contiguous(), position["codebook_size"], generators)
        kept = held_out[..., :modes].contiguous()
        left = (kept - look_up(codebook, nearest_code(kept, codebook))).square().sum(-1).mean(-1)  # (R,)
    missing = power_law_spectrum(DIM, position["slope"])[modes:].sum()
    return {"mse": ((left.numpy() + missing) / DIM).astype(np.float32)}


EXPERIMENTS = (
    Experiment(
        name="dimensions_collapse",
        title="A linear vector quantizer on 32 Gaussian modes: warm-up × codebook size × spectrum",
        axes=(
            Axis("warmup", "warm-up length", (0, 25, 50, 75, 100, 150, 200, 300, 400, 600, 800), "steps"),
            _CODEBOOK_SIZE,
            _SLOPE,
        ),
        seeds=SEEDS,
        settings=_SETTINGS | {"frames": list(FRAMES)},
        run=partial(train_linear, base=_QUICK, frames=FRAMES),
        headline=HEADLINE,
    ),
    Experiment(
        name="dimensions_adaptive",
        title="The same with the adaptive switch: rule × codebook size × spectrum",
        axes=(Axis("rule", "switch rule", tuple(RULES)), _CODEBOOK_SIZE, _SLOPE),
        seeds=SEEDS,
        settings=_SETTINGS | {"rules": RULES},
        run=partial(train_adaptive, base=_QUICK),
        headline=HEADLINE,
    ),
    Experiment(
        name="dimensions_floor",
        title="What K codes can do: k-means on the first modes of the data, the others left out",
        axes=(Axis("modes", "modes kept", (2, 3, 4, 5, 6, 8, 10, 13, 20, 32), "modes"), _CODEBOOK_SIZE, _SLOPE),
        seeds=SEEDS,
        settings={"dim": DIM, "samples": _CLUSTERED, "held_out": _HELD_OUT},
        run=partial(cluster_modes, samples=_CLUSTERED),
        headline=("mse",),
    ),
)
