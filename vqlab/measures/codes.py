"""How a codebook is used. Pure numpy."""

import numpy as np

from vqlab import LabError


def code_usage(tokens: np.ndarray, k: int) -> np.ndarray:
    """How often each of K codes was chosen: tokens (..., N) -> counts (..., K), int64.

    Raises: LabError if a token is outside 0…K−1 or there are none.
    """
    tokens = np.asarray(tokens)
    if tokens.size == 0:
        raise LabError("there are no tokens to count: encode at least one sample")
    if tokens.min() < 0 or tokens.max() >= k:
        raise LabError(f"tokens must lie in 0…{k - 1}, found {tokens.min()}…{tokens.max()}: is K right?")
    flat = tokens.reshape(-1, tokens.shape[-1])  # (..., N) -> (runs, N)
    offsets = k * np.arange(len(flat))[:, None]
    counts = np.bincount((flat + offsets).ravel(), minlength=len(flat) * k)
    return counts.reshape(*tokens.shape[:-1], k)


def perplexity(counts: np.ndarray) -> np.ndarray:
    """exp of the entropy of code usage: counts (..., K) -> (...), between 1 and K.

    K equally used codes read K; one code used alone reads 1. With N tokens it cannot exceed N.
    Raises: LabError if a row of counts is negative or sums to zero.
    """
    counts = np.asarray(counts, float)
    totals = counts.sum(-1, keepdims=True)
    if (counts < 0).any() or (totals == 0).any():
        raise LabError("code usage must be non-negative with at least one token in every row")
    p = counts / totals
    return np.exp(-np.sum(p * np.log(np.where(p > 0, p, 1)), -1))


def active_codes(counts: np.ndarray) -> np.ndarray:
    """Number of codes used at least once: counts (..., K) -> (...), int64."""
    return (np.asarray(counts) > 0).sum(-1)
