"""What a healthy codebook reads when N tokens fall on K codes at random, and how long an unused one lives."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import LARGEST_SEED, entries, floats, shown, whole
from vqlab.inputs import seed as checked_seed
from vqlab.theory.water_filling import broadcast


def expected_active(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Expected number of codes used at least once when N tokens fall uniformly on K codes: K(1 − (1 − 1/K)^N), exact.

    Args: k, n: whole numbers ≥ 1, broadcast.   Returns: between 1 and min(K, N).
    Raises: LabError if K or N is below 1.
    """
    k, n = _counts(k, n)
    with np.errstate(divide="ignore"):  # K = 1: log 0 = −inf is the right limit
        return -k * np.expm1(n * np.log1p(-1 / k))


def expected_perplexity(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Perplexity a healthy codebook reads, to first order: K·exp(−(K − 1) / 2N) for N uniform tokens on K codes.

    About 8 % too high at N = K and far too low for N ≪ K; `simulate_uniform_usage` is right everywhere.
    It is exp of log K less the Miller–Madow bias of the entropy (Miller 1955).

    Args: k, n: whole numbers ≥ 1, broadcast.   Raises: LabError if K or N is below 1.
    """
    k, n = _counts(k, n)
    return k * np.exp(-(k - 1) / (2 * n))


def simulate_uniform_usage(k: int, n: int, draws: int = 100, seed: int = 0) -> np.ndarray:
    """Code usage of `draws` healthy batches: N tokens uniform on K codes -> counts (draws, K), int64.

    Raises: LabError if K, N or draws is below 1.
    """
    k, draws = whole(k, "the number of codes, K,"), whole(draws, "the number of draws")
    n = whole(n, "the number of tokens, N,", most=LARGEST_SEED)
    entries(k * draws, "the counts of every draw")
    return np.random.default_rng(checked_seed(seed)).multinomial(n, np.full(k, 1 / k), size=draws)


def steps_until_dead(start: ArrayLike, threshold: ArrayLike, decay: ArrayLike) -> np.ndarray:
    """Steps until the EMA count of an unused code falls from `start` to `threshold`: ln(n₀/τ) / ln(1/γ), not rounded.

    An unused code's count is n₀·γ^t. A code that starts at or below the threshold takes 0 steps.

    Args: start n₀ > 0 and threshold τ > 0, tokens per step; decay γ in (0, 1); all broadcast.
    Raises: LabError outside these ranges.
    """
    named = {"EMA counts": start, "thresholds": threshold, "EMA decays": decay}
    start, threshold, decay = (floats(values, what) for what, values in named.items())
    broadcast(start, threshold, decay)
    if not ((start > 0).all() and (threshold > 0).all()):
        raise LabError("the EMA count and the threshold must be above 0: a count that decays never reaches 0")
    if not ((decay > 0) & (decay < 1)).all():
        raise LabError(f"the EMA decay must lie between 0 and 1, both excluded, got {shown(decay.tolist())}")
    return np.maximum(0, (np.log(start) - np.log(threshold)) / -np.log(decay))


def _counts(k: ArrayLike, n: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    counts = {"codes, K": k, "tokens, N": n}
    k, n = (floats(values, f"numbers of {what},") for what, values in counts.items())
    for what, values in zip(counts, (k, n), strict=True):
        if (values < 1).any() or (values != np.round(values)).any():
            raise LabError(f"the number of {what}, must be a whole number of at least 1, got {shown(values.tolist())}")
    broadcast(k, n)
    return k, n
