"""What Lab 04 reads off its stored sweeps, and lays beside it: predictions, floors, best warm-ups, regrets.

sweep is always the stored `dimensions_collapse`, adaptive the stored `dimensions_adaptive`.
"""

import numpy as np

from vqlab import figures, theory
from vqlab.data import power_law_spectrum
from vqlab.labs.lab04.forecast import Forecast, forecast
from vqlab.sweeps import Arrays, StoredSweep

# Warm-up lengths (steps), first and last, in groups of which theory has different things to say.
GROUPS = {"cold": (0, 0), "25–75": (25, 75), "100–300": (100, 300), "400–800": (400, 800)}


def trained_warmups(sweep: StoredSweep, budget: int) -> tuple[int, ...]:
    """The stored warm-up lengths that leave quantized steps within `budget` steps."""
    return tuple(value for value in sweep.axes["warmup"].values if value < budget)


def groups(sweep: StoredSweep) -> dict[str, np.ndarray]:
    """Which warm-up lengths belong to each of `GROUPS`, as indices."""
    warmups = np.array(sweep.axes["warmup"].values)
    return {name: np.flatnonzero((warmups >= low) & (warmups <= high)) for name, (low, high) in GROUPS.items()}


def predict(sweep: StoredSweep, codebook_size: int, slope: float, budget: int) -> Forecast:
    """The flow's predictions for one K and spectrum at every warm-up that fits the budget: arrays (W,) and (W, d)."""
    sizes = sweep.axes["codebook_size"].values
    every = forecast(sweep.settings, slope, sizes, sweep.axes["warmup"].values, budget)
    trained = len(trained_warmups(sweep, budget))
    return Forecast(*(values[sizes.index(codebook_size), :trained] for values in every))


def shannon(sweep: StoredSweep, codebook_size: int, slope: float) -> theory.WaterFilling:
    """Water-filling of the data's spectrum at log2 K bits: what no code of this size can beat."""
    return theory.water_fill(power_law_spectrum(sweep.settings["dim"], slope), np.log2(codebook_size))


def verdict(measured: Arrays, predicted: Forecast, at: int, dim: int) -> str:
    """Measured beside predicted dimension and error of one position, in words. measured: arrays (seeds,)."""
    dimension, error = measured["code_dim"], measured["mse"] * dim
    off, gap = dimension.mean() - predicted.dimension[at], error.mean() / predicted.error[at] - 1
    within = "within one" if abs(off) <= 1 else f"{abs(off):.1f} {'above' if off > 0 else 'below'}"
    return (
        f"Dimension: predicted {predicted.dimension[at]}, measured {figures.spread(dimension)}, {within}. Error: "
        f"predicted {predicted.error[at]:.2f}, measured {figures.spread(error, 4)}, {gap:+.1%}."
    )


def errors_at(sweep: StoredSweep, codebook_size: int, slope: float, budget: int) -> np.ndarray:
    """Mean squared error after `budget` steps of every warm-up that fits the budget: (W, seeds)."""
    moment = sweep.settings["frames"].index(budget)
    return sweep.at(codebook_size=codebook_size, slope=slope)["mse"][: len(trained_warmups(sweep, budget)), :, moment]


def best_warmup(sweep: StoredSweep, codebook_size: int, slope: float, budget: int) -> int:
    """The stored warm-up length with the lowest mean error after `budget` steps."""
    mean = errors_at(sweep, codebook_size, slope, budget).mean(1)
    return int(trained_warmups(sweep, budget)[int(mean.argmin())])


def tied_warmups(sweep: StoredSweep, codebook_size: int, slope: float, budget: int) -> tuple[int, ...]:
    """The stored warm-up lengths that are no worse than the best by more than two standard errors, seed by seed."""
    error = errors_at(sweep, codebook_size, slope, budget)
    above = error - error[error.mean(1).argmin()]  # (W, seeds): each seed beside itself
    slack = 2 * above.std(1, ddof=1) / np.sqrt(above.shape[1])
    near = above.mean(1) <= slack
    return tuple(warmup for warmup, tied in zip(trained_warmups(sweep, budget), near, strict=True) if tied)


def cold_regret(sweep: StoredSweep, codebook_size: int, slope: float) -> np.ndarray:
    """Error of a cold start at the end above the mean of the best fixed warm-up, as a share of that: (seeds,)."""
    error = errors_at(sweep, codebook_size, slope, sweep.settings["steps"])
    return error[sweep.axes["warmup"].values.index(0)] / error.mean(1).min() - 1


def regret(sweep: StoredSweep, adaptive: StoredSweep, rule: str, codebook_size: int, slope: float) -> np.ndarray:
    """Error of an adaptive rule at the end above the mean of the best fixed warm-up, as a share of that: (seeds,)."""
    best = errors_at(sweep, codebook_size, slope, sweep.settings["steps"]).mean(1).min()
    return adaptive.final("mse", rule=rule, codebook_size=codebook_size, slope=slope) / best - 1
