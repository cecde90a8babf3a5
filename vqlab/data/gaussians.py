"""Samples with labels: Gaussian mixtures in 2-D, and Gaussians with a power-law spectrum."""

import numpy as np

from vqlab.data.samples import Samples
from vqlab.inputs import entries, number, one_of, whole
from vqlab.inputs import seed as checked_seed

LAYOUTS = ("ring", "grid")
_RELATIVE_SPREAD = 0.18


def gaussian_ring(n: int = 4000, classes: int = 8, radius: float = 1.0, std: float = 0.15, seed: int = 0) -> Samples:
    """n points from `classes` equal Gaussians on a ring in 2-D, classes in turn; x (n, 2).

    Raises: LabError if n or classes < 1, or std < 0.
    """
    return _mixture(number(radius, "the radius", most=1e30) * class_centres("ring", classes), n, std, seed)


def gaussian_grid(n: int = 4000, classes: int = 16, std: float = 0.05, seed: int = 0) -> Samples:
    """n points from `classes` equal Gaussians filling a square grid in [-1, 1]² row by row; x (n, 2).

    Raises: LabError if n or classes < 1, or std < 0.
    """
    return _mixture(class_centres("grid", classes), n, std, seed)


def class_centres(layout: str, classes: int) -> np.ndarray:
    """The centres (classes, 2) of a "ring" of radius 1, anticlockwise, or of a "grid" in [-1, 1]², row by row.

    Raises: LabError for an unknown layout or classes < 1.
    """
    classes = whole(classes, "classes")
    if one_of(layout, "layout", LAYOUTS) == "ring":
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
    centres = class_centres(layout, whole(classes, "classes that can be apart", 2))
    neighbours = np.linalg.norm(centres[0] - centres[1])
    return _mixture(centres, n, _RELATIVE_SPREAD * neighbours, seed)


def _mixture(centres: np.ndarray, n: int, std: float, seed: int) -> Samples:
    std = number(std, "a standard deviation, std,", least=0, most=1e30)
    n = whole(n, "n")
    y = np.arange(n) % len(centres)
    noise = np.random.default_rng(checked_seed(seed)).normal(size=(n, 2))
    return Samples((centres[y] + std * noise).astype(np.float32), y)


def power_law_spectrum(d: int = 32, slope: float = 1.0) -> np.ndarray:
    """Variances v_j ∝ j^−slope of d modes, scaled to sum to d: (d,), largest first for a slope of at least 0.

    Raises: LabError if d < 1 or the slope is outside −20…20.
    """
    d = whole(d, "d")
    spectrum = np.arange(1, d + 1) ** -number(slope, "the slope", least=-20, most=20)
    return spectrum * d / spectrum.sum()


def power_law_gaussian(n: int = 4000, d: int = 32, slope: float = 1.0, seed: int = 0) -> Samples:
    """n points of a d-dimensional Gaussian with independent modes and variances `power_law_spectrum`; x (n, d), y zero.

    Slope 0 is white; images have steep spectra, slope 1 or 2.   Raises: LabError if n or d < 1.
    """
    deviations = np.sqrt(power_law_spectrum(d, slope))
    n = whole(n, "n")
    entries(n * len(deviations), "the points")
    noise = np.random.default_rng(checked_seed(seed)).normal(size=(n, len(deviations)))
    return Samples((noise * deviations).astype(np.float32), np.zeros(n, np.int64))
