"""The Fréchet distance of two sets of feature vectors, each taken for a normal distribution. Pure numpy."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import points


def frechet_distance(first: ArrayLike, second: ArrayLike) -> float:
    """‖m₁ − m₂‖² + tr(C₁ + C₂ − 2 (C₁C₂)^½) of features (n, p) and (m, p): at least 0, in squared units of features.

    The formula behind FID (Heusel et al. 2017, arXiv 1706.08500, §2); FID itself is this in the features of one
    particular Inception network. Few samples make it too large: compare only at equal n.
    Raises: LabError for NaN/Inf, fewer than 2 vectors in a set, or sets of different p.
    """
    sets = [points(features, "features") for features in (first, second)]
    if any(one.ndim != 2 or len(one) < 2 for one in sets) or sets[0].shape[1] != sets[1].shape[1]:
        shapes = " and ".join(str(one.shape) for one in sets)
        raise LabError(f"features must be (n, p) and (m, p) with n and m at least 2, got {shapes}")
    gap = sets[0].mean(0) - sets[1].mean(0)
    covariances = [np.atleast_2d(np.cov(one.T)) for one in sets]
    root = _square_root(covariances[0])
    # C₁C₂ has the eigenvalues of the symmetric C₁^½ C₂ C₁^½, whose square root is safe.
    shared = np.sqrt(np.linalg.eigvalsh(root @ covariances[1] @ root).clip(min=0)).sum()
    return float(max(0.0, gap @ gap + sum(np.trace(one) for one in covariances) - 2 * shared))


def _square_root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
