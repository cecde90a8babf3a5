"""The numbers every lab reports, in one order: reconstruction error · perplexity (of K, at N tokens) ·
active codes · effective dimension (encoder output / codebook). Pure numpy."""

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


def effective_dimension(points: np.ndarray, share: float = 0.99) -> np.ndarray:
    """Smallest number of principal components that hold `share` of the variance: points (..., n, d) -> (...).

    Points without any spread have dimension 0. The definition of arXiv 2605.06870's public code.
    Raises: LabError for NaN/Inf or fewer than one point.
    """
    points = np.asarray(points, float)
    if points.shape[-2] < 1 or not np.isfinite(points).all():
        raise LabError("effective dimension needs at least one point and no NaN or Inf")
    centred = points - points.mean(-2, keepdims=True)
    gram = np.swapaxes(centred, -1, -2) @ centred  # (..., n, d) -> (..., d, d)
    variances = np.linalg.eigvalsh(gram)
    scale = np.square(points).mean((-2, -1)) * points.shape[-2]
    return np.where(variances.clip(min=0).sum(-1) > 1e-12 * scale, spectrum_dimension(variances, share), 0)


def spectrum_dimension(variances: np.ndarray, share: float = 0.99) -> np.ndarray:
    """Effective dimension of principal variances (..., d) in any order, negative ones taken as 0 -> (...).

    Smallest number of them that hold `share` of the total; 0 where the total is 0.
    """
    cumulative = np.cumsum(np.sort(np.clip(variances, 0, None), -1)[..., ::-1], -1)
    total = cumulative[..., -1:]
    # The tolerance forgives rounding where the last needed component lands exactly on the share.
    below = cumulative < share * total * (1 - 1e-12)
    return np.where(total[..., 0] > 0, below.sum(-1) + 1, 0)


def mean_squared_error(x: np.ndarray, reconstruction: np.ndarray) -> np.ndarray:
    """Mean squared error over samples and dimensions: x (n, ...), reconstruction (R, n, ...) -> (R,)."""
    error = np.square(np.asarray(reconstruction) - np.asarray(x))
    return error.reshape(len(error), -1).mean(1)


def psnr(mse: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB of images in [0, 1] with mean squared error `mse` > 0."""
    return -10 * np.log10(mse)


def agrees(new: np.ndarray, stored: np.ndarray) -> bool:
    """Whether two samples of seeds tell the same story: means within three standard errors of each other.

    The spread of either sample counts as at least 2 % of the stored mean, since machines round differently.
    """
    new, stored = np.asarray(new, float), np.asarray(stored, float)
    floor = 0.02 * abs(stored.mean())
    variance = max(new.var(), stored.var(), floor**2)
    error = np.sqrt(variance * (1 / new.size + 1 / stored.size))
    return bool(abs(new.mean() - stored.mean()) <= 3 * error)
