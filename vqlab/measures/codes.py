"""How a codebook is used. Pure numpy."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import entries, floats, integers, whole


def code_usage(tokens: ArrayLike, k: int) -> np.ndarray:
    """How often each of K codes was chosen: tokens (..., N) of any integer dtype -> counts (..., K), int64.

    Raises: LabError if a token is outside 0…K−1 or no whole number, or there are none.
    """
    tokens, k = integers(tokens, "tokens (..., N)"), whole(k, "the number of codes, K,")
    if tokens.min() < 0 or tokens.max() >= k:
        raise LabError(f"tokens must lie in 0…{k - 1}, found {tokens.min()}…{tokens.max()}: is K right?")
    flat = tokens.reshape(-1, tokens.shape[-1])  # (..., N) -> (runs, N)
    entries(len(flat) * k, "the counts of every run")
    offsets = k * np.arange(len(flat))[:, None]
    counts = np.bincount((flat + offsets).ravel(), minlength=len(flat) * k)
    return counts.reshape(*tokens.shape[:-1], k)


def perplexity(counts: ArrayLike) -> np.ndarray:
    """exp of the entropy of code usage: counts (..., K) -> (...), between 1 and K.

    K equally used codes read K; one code used alone reads 1. With N tokens it cannot exceed N.
    Raises: LabError if a row of counts is negative, not finite, or sums to zero.
    """
    counts = _counts(counts)
    largest = counts.max(-1, keepdims=True)
    if (largest == 0).any():
        raise LabError("code usage must be non-negative with at least one token in every row")
    p = counts / largest  # no sum of these overflows or underflows
    p = p / p.sum(-1, keepdims=True)
    return np.exp(-np.sum(p * np.log(np.where(p > 0, p, 1)), -1))


def active_codes(counts: ArrayLike) -> np.ndarray:
    """Number of codes used at least once: counts (..., K) -> (...), int64.

    Raises: LabError if a count is negative or not finite.
    """
    return (_counts(counts) > 0).sum(-1)


def _counts(counts: ArrayLike) -> np.ndarray:
    counts = floats(counts, "code usage (..., K)", axes=1)
    if (counts < 0).any():
        raise LabError(f"code usage must be non-negative, found {counts.min():g}: are these tokens rather than counts?")
    return counts
