"""What Lab 04 reads off its stored sweeps, and lays beside it: predictions, floors, best warm-ups, gains, regrets.

sweep is the stored `dimensions_collapse` where nothing else is said; where names its axes other than the warm-up, as
beta=1. Errors are squared errors summed over the dimensions.
"""

import numpy as np

from vqlab import figures, sweeps, theory
from vqlab.data import power_law_spectrum
from vqlab.labs.lab04.forecast import Forecast, forecast
from vqlab.labs.lab04.positions import POSITIONS
from vqlab.sweeps import Arrays, StoredSweep


def trained_warmups(sweep: StoredSweep, budget: int) -> tuple[int, ...]:
    """The stored warm-up lengths that leave quantized steps within `budget` steps."""
    return tuple(value for value in sweep.axes["warmup"].values if value < budget)


def predict(sweep: StoredSweep, beta: float, budget: int | None = None) -> Forecast:
    """The flow's predictions at every warm-up that fits the budget (default: all steps): (W,) and (W, d)."""
    settings = sweep.settings
    budget = settings["steps"] if budget is None else budget
    warmups, k = trained_warmups(sweep, budget), settings["codebook_size"]
    every = forecast(settings | {"commitment_weight": beta}, settings["slope"], (k,), warmups, budget)
    return Forecast(*(values[0] for values in every))


def shannon(sweep: StoredSweep) -> theory.WaterFilling:
    """Water-filling of the data's spectrum at log2 K bits: what no code of this size can beat."""
    spectrum = power_law_spectrum(sweep.settings["dim"], sweep.settings["slope"])
    return theory.water_fill(spectrum, np.log2(sweep.settings["codebook_size"]))


def verdict(measured: Arrays, predicted: Forecast, at: int, dim: int) -> str:
    """Measured beside predicted dimension and error of one position, in words. measured: arrays (seeds,)."""
    dimension, error = measured["code_dim"], measured["mse"] * dim
    off, gap = dimension.mean() - predicted.dimension[at], error.mean() / predicted.error[at] - 1
    within = "within one" if abs(off) <= 1 else f"{abs(off):.1f} {'above' if off > 0 else 'below'}"
    return (
        f"Dimension: predicted {predicted.dimension[at]}, measured {figures.spread(dimension)}, {within}. Error: "
        f"predicted {predicted.error[at]:.2f}, measured {figures.spread(error, 4)}, {gap:+.1%}."
    )


def errors(sweep: StoredSweep, budget: int | None = None, **where: object) -> np.ndarray:
    """Error after `budget` steps (default: all) of every warm-up that fits them, of any sweep: (W, seeds)."""
    budget = sweep.settings["steps"] if budget is None else budget
    moment, fit = sweep.settings["frames"].index(budget), len(trained_warmups(sweep, budget))
    return sweep.at(**where)["mse"][:fit, :, moment] * sweep.settings["dim"]


def best(error: np.ndarray) -> int:
    """Which of the warm-ups has the lowest mean error: (W, seeds)."""
    return int(error.mean(1).argmin())


def gain(error: np.ndarray) -> np.ndarray:
    """How much lower the best warm-up's error is than that of the cold start, as a share of it: (W, seeds) -> (seeds,).

    The first warm-up is the cold start. Which one is best is decided for each seed by the others: the lowest of many
    noisy numbers looks better than it is.
    """
    return 1 - _at_the_others_best(error) / error[0]


def right_arm(error: np.ndarray, at: int = -1) -> np.ndarray:
    """How much more error the longest warm-up, or that at a place, leaves than the best: (W, seeds) -> (seeds,).

    A share, with the best one chosen as in `gain`.
    """
    return error[at] / _at_the_others_best(error) - 1


def _at_the_others_best(error: np.ndarray) -> np.ndarray:
    seeds = np.arange(error.shape[1])
    return np.array([error[best(np.delete(error, seed, 1)), seed] for seed in seeds])


def clear(shares: np.ndarray) -> bool:
    """Whether shares, one a seed, lie above 0 by more than two standard errors of their mean."""
    return bool(shares.mean() > 2 * shares.std(ddof=1) / np.sqrt(len(shares)))


def at_switch(sweep: StoredSweep, **where: object) -> np.ndarray:
    """Modes above water when each warm-up ends, counted on the real latents: (W, seeds), of any sweep with warm-ups."""
    warmups, frames = sweep.axes["warmup"].values, sweep.settings["frames"]
    latents = sweep.at(**where)["latent_variances"]  # (W, seeds, frames, d)
    bits = np.log2(where.get("codebook_size", sweep.settings["codebook_size"]))
    spectra = np.stack([latents[i, :, frames.index(warmup)] for i, warmup in enumerate(warmups)])
    return theory.water_fill(spectra, bits).active


def fixed_warmups(position: str) -> dict[int, np.ndarray]:
    """Errors (seeds,) after each stored fixed warm-up at a position, a key of `POSITIONS`."""
    where = POSITIONS[position]
    name, where = ("slopes", where) if "slope" in where else ("collapse", {"beta": 1} | where)
    sweep = sweeps.load(f"dimensions_{name}")
    return dict(zip(sweep.axes["warmup"].values, errors(sweep, **where), strict=True))


def regrets(adaptive: StoredSweep) -> dict[str, np.ndarray]:
    """Error above the best fixed warm-up's, as a share of it: (positions, seeds) by contestant.

    The contestants: a cold start; the rule; and the one length that, in hindsight, is best for all positions together.
    adaptive: the stored `dimensions_adaptive`.   Each seed is compared with itself.
    """
    positions = adaptive.axes["position"].values
    fixed = [fixed_warmups(position) for position in positions]
    lowest = [min(one.values(), key=np.mean) for one in fixed]
    shared = sorted(set.intersection(*map(set, fixed)))
    above = {warmup: _above([one[warmup] for one in fixed], lowest) for warmup in shared}
    hindsight = min(shared, key=lambda warmup: above[warmup].mean())
    dim = adaptive.settings["dim"]
    ruled = _above([adaptive.final("mse", position=position) * dim for position in positions], lowest)
    return {"cold start": above[0], "rule": ruled, f"{hindsight} steps everywhere": above[hindsight]}


def _above(error: list[np.ndarray], lowest: list[np.ndarray]) -> np.ndarray:
    return np.array(error) / np.array(lowest) - 1
