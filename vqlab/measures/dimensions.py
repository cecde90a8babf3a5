"""Effective dimension: how many principal components points really use. Pure numpy."""

import numpy as np

from vqlab import LabError


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


def principal_variances(points: np.ndarray) -> np.ndarray:
    """Variances of points (..., n, d) along their principal axes, largest first: (..., d)."""
    centred = np.asarray(points, float) - points.mean(-2, keepdims=True)
    covariance = np.swapaxes(centred, -1, -2) @ centred / points.shape[-2]  # (..., d, n) @ (..., n, d)
    return np.linalg.eigvalsh(covariance)[..., ::-1].clip(min=0)
