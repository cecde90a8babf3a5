"""Effective dimension: how many principal components points really use. Pure numpy."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import floats, number, points, resolution


def effective_dimension(x: ArrayLike, share: float = 0.99) -> np.ndarray:
    """Smallest number of principal components that hold `share` of the variance: points (..., n, d) -> (...).

    Points without any spread (beyond the rounding of their dtype) have dimension 0. The definition of arXiv
    2605.06870's public code. Of a codebook it counts unused codes, too; see `used_dimension`.
    Raises: LabError for NaN/Inf, fewer than one point, or a share outside (0, 1].
    """
    found = points(x, "points of an effective dimension")
    return _dimension(found, np.ones(found.shape[:-1], bool), share, resolution(x))


def used_dimension(codebook: ArrayLike, counts: ArrayLike, share: float = 0.99) -> np.ndarray:
    """Effective dimension of the codes in use alone: codebook (..., K, d), counts (..., K) -> (...).

    A codebook that never moved from where it was drawn fills all d dimensions; the codes that tokens really choose
    may be a single one, which has dimension 0.
    Raises: LabError as `effective_dimension`, or if the counts are negative or do not fit the codebook.
    """
    codes, counts_ = points(codebook, "codes"), floats(counts, "code usage (..., K)", axes=1, least=0)
    if codes.shape[:-1] != counts_.shape:
        raise LabError(f"a codebook {codes.shape} needs one count a code, {codes.shape[:-1]}, got {counts_.shape}")
    return _dimension(codes, counts_ > 0, share, resolution(codebook))


def _dimension(x: np.ndarray, counted: np.ndarray, share: float, resolution: float) -> np.ndarray:
    """Effective dimension of those of the points x (..., n, d) that are counted (..., n)."""
    x = np.where(counted[..., None], x, 0)
    size = np.abs(x).max((-2, -1), keepdims=True)
    x = x / np.where(size > 0, size, 1)  # squares of tiny points would underflow
    members = np.maximum(counted.sum(-1), 1)[..., None, None]
    centred = np.where(counted[..., None], x - x.sum(-2, keepdims=True) / members, 0)
    gram = np.swapaxes(centred, -1, -2) @ centred  # (..., n, d) -> (..., d, d)
    spread = np.trace(gram, axis1=-2, axis2=-1) > resolution**2 * np.square(x).sum((-2, -1))
    return np.where(spread, spectrum_dimension(np.linalg.eigvalsh(gram), share), 0)


def spectrum_dimension(variances: ArrayLike, share: float = 0.99) -> np.ndarray:
    """Effective dimension of principal variances (..., d) in any order, negative ones taken as 0 -> (...).

    Smallest number of them that hold `share` of the total; 0 where the total is 0.
    Raises: LabError for variances that are not finite, or a share outside (0, 1].
    """
    variances = np.clip(floats(variances, "variances (..., d)", axes=1), 0, None)
    share = number(share, "the share of the variance", above=0, most=1)
    cumulative = np.cumsum(np.sort(variances, -1)[..., ::-1], -1)
    total = cumulative[..., -1:]
    # The tolerance forgives rounding where the last needed component lands exactly on the share.
    below = cumulative < share * total * (1 - 1e-12)
    return np.where(total[..., 0] > 0, below.sum(-1) + 1, 0)


def principal_variances(x: ArrayLike) -> np.ndarray:
    """Variances of points (..., n, d) along their principal axes, largest first: (..., d).

    Raises: LabError for NaN/Inf or fewer than one point.
    """
    x = points(x)
    size = np.abs(x).max((-2, -1), keepdims=True)
    size = np.where(size > 0, size, 1)
    centred = (x - x.mean(-2, keepdims=True)) / size  # squares of tiny points would underflow
    covariance = np.swapaxes(centred, -1, -2) @ centred / x.shape[-2]  # (..., d, n) @ (..., n, d)
    return np.linalg.eigvalsh(covariance)[..., ::-1].clip(min=0) * size[..., 0] ** 2
