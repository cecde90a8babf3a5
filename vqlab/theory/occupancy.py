"""What a healthy codebook reads when N tokens fall on K codes at random, and how long an unused one lives."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError


def expected_active(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Expected number of codes used at least once when N tokens fall uniformly on K codes: K(1 − (1 − 1/K)^N), exact.

    Args: k, n: whole numbers ≥ 1, broadcast.   Returns: between 1 and min(K, N).
    Raises: LabError if K or N is below 1.
    """
    k, n = _at_least_one(k, "codes, K"), _at_least_one(n, "tokens, N")
    with np.errstate(divide="ignore"):  # K = 1: log 0 = −inf is the right limit
        return -k * np.expm1(n * np.log1p(-1 / k))


def expected_perplexity(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Perplexity a healthy codebook reads, to first order: K·exp(−(K − 1) / 2N) for N uniform tokens on K codes.

    About 8 % too high at N = K and far too low for N ≪ K; `simulate_uniform_usage` is right everywhere.
    It is exp of log K less the Miller–Madow bias of the entropy (Miller 1955).

    Args: k, n: whole numbers ≥ 1, broadcast.   Raises: LabError if K or N is below 1.
    """
    k, n = _at_least_one(k, "codes, K"), _at_least_one(n, "tokens, N")
    return k * np.exp(-(k - 1) / (2 * n))


def simulate_uniform_usage(k: int, n: int, draws: int = 100, seed: int = 0) -> np.ndarray:
    """Code usage of `draws` healthy batches: N tokens uniform on K codes -> counts (draws, K), int64.

    Raises: LabError if K, N or draws is below 1.
    """
    _at_least_one(k, "codes, K")
    _at_least_one(n, "tokens, N")
    _at_least_one(draws, "draws")
    return np.random.default_rng(seed).multinomial(n, np.full(k, 1 / k), size=draws)


def steps_until_dead(start: ArrayLike, threshold: ArrayLike, decay: ArrayLike) -> np.ndarray:
    """Steps until the EMA count of an unused code falls from `start` to `threshold`: ln(n₀/τ) / ln(1/γ), not rounded.

    An unused code's count is n₀·γ^t. A code that starts at or below the threshold takes 0 steps.

    Args: start n₀ > 0 and threshold τ > 0, tokens per step; decay γ in (0, 1); all broadcast.
    Raises: LabError outside these ranges.
    """
    start, threshold, decay = (np.asarray(x, float) for x in (start, threshold, decay))
    if not ((start > 0).all() and (threshold > 0).all()):
        raise LabError("the EMA count and the threshold must be above 0: a count that decays never reaches 0")
    if not ((decay > 0) & (decay < 1)).all():
        raise LabError(f"the EMA decay must lie between 0 and 1, both excluded, got {decay.tolist()}")
    return np.maximum(0, np.log(start / threshold) / -np.log(decay))


def _at_least_one(value: ArrayLike, what: str) -> np.ndarray:
    value = np.asarray(value, float)
    if not (np.isfinite(value).all() and (value >= 1).all()):
        raise LabError(f"the number of {what}, must be at least 1, got {value.tolist()}")
    return value
