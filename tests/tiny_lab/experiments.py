"""Lab 77: squares, measured with an error that depends on the seed."""

from collections.abc import Callable, Sequence

import numpy as np

from vqlab.sweeps import Arrays, Axis, Experiment


def measure(position: dict, seeds: Sequence[int], *callbacks: Callable) -> Arrays:
    """The measured area (seeds, 1) of a square of a `side`."""
    errors = [np.random.default_rng(seed).normal(scale=0.01) for seed in seeds]
    return {"area": position["side"] ** 2 + np.array(errors)[:, None]}


EXPERIMENTS = (
    Experiment(
        name="tiny",
        title="Squares, measured",
        axes=(Axis("side", "side", (1, 2, 3), "m"),),
        seeds=(0, 1),
        settings={"error": 0.01},
        run=measure,
        headline=("area",),
    ),
)
