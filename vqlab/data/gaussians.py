"""Samples with labels: Gaussian mixtures in 2-D, and Gaussians with a power-law spectrum."""

import numpy as np

from vqlab import LabError
from vqlab.data.samples import Samples, at_least_one

LAYOUTS = ("ring", "grid")
_RELATIVE_SPREAD = 0.18


def gaussian_ring(n: int = 4000, classes: int = 8, radius: float = 1.0, std: float = 0.15, seed: int = 0) -> Samples:
    """n points from `classes` equal Gaussians on a ring in 2-D, classes in turn; x (n, 2).

    Raises: LabError if n or classes < 1, or std < 0.
    """
    return _mixture(radius * class_centres("ring", classes), n, std, seed)


def gaussian_grid(n: int = 4000, classes: int = 16, std: float = 0.05, seed: int = 0) -> Samples:
    """n points from `classes` equal Gaussians filling a square grid in [-1, 1]² row by row; x (n, 2).

    Raises: LabError if n or classes < 1, or std < 0.
    """
    return _mixture(class_centres("grid", classes), n, std, seed)


def class_centres(layout: str, classes: int) -> np.ndarray:
    """The centres (classes, 2) of a "ring" of radius 1, anticlockwise, or of a "grid" in [-1, 1]², row by row.

    Raises: LabError for an unknown layout or classes < 1.
    """
    at_least_one(classes, "classes")
    if layout not in LAYOUTS:
        raise LabError(f"unknown layout {layout!r}: choose from {', '.join(LAYOUTS)}")
    if layout == "ring":
        angles = 2 * np.pi * np.arange(classes) / classes
        return np.stack([np.cos(angles), np.sin(angles)], 1)
    side = int(np.ceil(np.sqrt(classes)))
    ticks = np.linspace(-1, 1, side) if side > 1 else np.zeros(1)
    return np.stack(np.meshgrid(ticks, ticks[::-1]), -1).reshape(-1, 2)[:classes]  # (side, side, 2) -> (side², 2)


def separate_classes(layout: str, classes: int, n: int = 4000, seed: int = 0) -> Samples:
    """Classes on a "ring" or "grid", as far apart for their spread however many there are; x (n, 2).

    The standard deviation is 0.18 of the distance between neighbours, so that the nearest class mean is the right
    one for about 99 % of the points, whatever `classes` is.
    Raises: LabError for an unknown layout, n < 1 or classes < 2 (one class has no neighbour).
    """
    if classes < 2:
        raise LabError(f"classes can only be apart if there are at least 2, got {classes}")
    centres = class_centres(layout, classes)
    neighbours = np.linalg.norm(centres[0] - centres[1])
    return _mixture(centres, n, _RELATIVE_SPREAD * neighbours, seed)


def _mixture(centres: np.ndarray, n: int, std: float, seed: int) -> Samples:
    if std < 0:
        raise LabError(f"a standard deviation cannot be negative, got std = {std}")
    y = np.arange(at_least_one(n, "n")) % len(centres)
    noise = np.random.default_rng(seed).normal(size=(n, 2))
    return Samples((centres[y] + std * noise).astype(np.float32), y)


def power_law_spectrum(d: int = 32, slope: float = 1.0) -> np.ndarray:
    """Variances v_j ∝ j^−slope of d modes, scaled to sum to d: (d,), largest first.   Raises: LabError if d < 1."""
    spectrum = np.arange(1, at_least_one(d, "d") + 1) ** -float(slope)
    return spectrum * d / spectrum.sum()


def power_law_gaussian(n: int = 4000, d: int = 32, slope: float = 1.0, seed: int = 0) -> Samples:
    """n points of a d-dimensional Gaussian with independent modes and variances `power_law_spectrum`; x (n, d), y zero.

    Slope 0 is white; images have steep spectra, slope 1 or 2.   Raises: LabError if n or d < 1.
    """
    deviations = np.sqrt(power_law_spectrum(d, slope))
    noise = np.random.default_rng(seed).normal(size=(at_least_one(n, "n"), d))
    return Samples((noise * deviations).astype(np.float32), np.zeros(n, np.int64))
