"""Numbers read off Lab 05's sweep: what a warm-up saves, what water-filling predicts, when the rule would switch."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import measures, theory
from vqlab.sweeps import StoredSweep

CODEBOOK_SIZE, WIDTH = 1024, 8  # what is varied elsewhere has these
PIXELS, TOKENS = 32 * 32, 4 * 4  # of one image
# The adaptive rule, fixed before the sweep was run: the number of modes that log2 K bits can serve, looked at every 25
# steps; three looks without a gain end the warm-up.
PATIENCE = 3


def held_out_tokens(sweep: StoredSweep) -> int:
    """N, the number of held-out tokens that perplexity and active codes are counted on."""
    return sweep.settings["held_out"] * TOKENS


def frames(sweep: StoredSweep) -> list[int]:
    """The steps that are stored."""
    return sweep.settings["frames"]


def saved(sweep: StoredSweep, key: str, warmup: int, **where: int) -> float:
    """Per cent of a cold error (`key`: "mse", "l1", "perceptual", "frechet"), mean over seeds, that a warm-up saves."""
    cold, warm = (sweep.final(key, warmup=steps, **where).mean() for steps in (0, warmup))
    return float(100 * (1 - warm / cold))


def predicted_count(sweep: StoredSweep, warmup: int, codebook_size: int, width: int) -> np.ndarray:
    """Modes that log2 K bits can serve by water-filling the held-out latents at the switch: (seeds,).

    The paper's upper bound of the dimension that is trained.
    """
    cell = sweep.at(warmup=warmup, codebook_size=codebook_size, width=width)
    spectrum = cell["spectrum"][:, frames(sweep).index(warmup)]  # (seeds, d)
    return theory.water_fill(spectrum, np.log2(codebook_size)).active


def counts_of_warmup(sweep: StoredSweep, codebook_size: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The same count while the longest warm-up goes on: steps (checks,) and counts (seeds, checks).

    A warm-up knows nothing of K, so the shorter ones are the beginnings of the longest.
    """
    longest = sweep.axes["warmup"].values[-1]
    spectra = sweep.at(warmup=longest, codebook_size=codebook_size, width=width)["warmup_spectrum"]
    return sweep.settings["every"] * np.arange(spectra.shape[1]), theory.water_fill(
        spectra, np.log2(codebook_size)
    ).active


def adaptive_step(sweep: StoredSweep, codebook_size: int, width: int) -> list[int | None]:
    """For each seed, the step at which the rule ends the warm-up; None if it had not within the longest one."""
    steps, counts = counts_of_warmup(sweep, codebook_size, width)
    found = [theory.adaptive_switch(list(score), PATIENCE) for score in counts]
    return [None if check is None else int(steps[check]) for check in found]


def apart(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether the ranges of two samples of seeds do not overlap."""
    return bool(first.max() < second.min() or second.max() < first.min())


def range_of(values: ArrayLike, digits: int = 0) -> str:
    """'lowest–highest' over seeds, or one number if they are the same."""
    low, high = (f"{value:,.{digits}f}" for value in (np.min(values), np.max(values)))
    return low if low == high else f"{low}–{high}"


def psnr_of(mse: np.ndarray) -> np.ndarray:
    """PSNR in dB of the mean squared error of all held-out pixels, one a seed."""
    return measures.psnr(np.asarray(mse, float))
