"""Samples with labels: Gaussian mixtures in 2-D, Gaussians with a power-law spectrum, and small real images."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vqlab import LabError

CIFAR10_CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
LAYOUTS = ("ring", "grid")
_RELATIVE_SPREAD = 0.18
_RECORD_BYTES = 1 + 3 * 32 * 32
_CIFAR10_FILES = {
    "train": [f"data_batch_{i}.bin" for i in range(1, 6)],
    "test": ["test_batch.bin"],
}


class Samples(NamedTuple):
    """x: float32 points (n, d) or uint8 images (n, 3, 32, 32); y: int64 class labels (n,)."""

    x: np.ndarray
    y: np.ndarray


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
    _at_least_one(classes, "classes")
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
    y = np.arange(_at_least_one(n, "n")) % len(centres)
    noise = np.random.default_rng(seed).normal(size=(n, 2))
    return Samples((centres[y] + std * noise).astype(np.float32), y)


def _at_least_one(value: int, name: str) -> int:
    if value < 1:
        raise LabError(f"{name} must be at least 1, got {value}")
    return value


def power_law_spectrum(d: int = 32, slope: float = 1.0) -> np.ndarray:
    """Variances v_j ∝ j^−slope of d modes, scaled to sum to d: (d,), largest first.   Raises: LabError if d < 1."""
    spectrum = np.arange(1, _at_least_one(d, "d") + 1) ** -float(slope)
    return spectrum * d / spectrum.sum()


def power_law_gaussian(n: int = 4000, d: int = 32, slope: float = 1.0, seed: int = 0) -> Samples:
    """n points of a d-dimensional Gaussian with independent modes and variances `power_law_spectrum`; x (n, d), y zero.

    Slope 0 is white; images have steep spectra, slope 1 or 2.   Raises: LabError if n or d < 1.
    """
    deviations = np.sqrt(power_law_spectrum(d, slope))
    noise = np.random.default_rng(seed).normal(size=(_at_least_one(n, "n"), d))
    return Samples((noise * deviations).astype(np.float32), np.zeros(n, np.int64))


def photo_patches(n: int = 4000, seed: int = 0) -> Samples:
    """n random 32×32 crops, half mirrored, of the two photographs bundled with scikit-learn; y tells which.

    x uint8 (n, 3, 32, 32). The photographs are first halved, so that a crop holds some structure.
    Raises: LabError if n < 1.
    """
    from sklearn.datasets import load_sample_images

    photos = [image[::2, ::2] for image in load_sample_images().images]
    rng = np.random.default_rng(seed)
    y = rng.integers(len(photos), size=_at_least_one(n, "n"))
    x = np.empty((n, 3, 32, 32), np.uint8)
    for i, photo in enumerate(y):
        image = photos[photo]
        top, left = rng.integers(image.shape[0] - 31), rng.integers(image.shape[1] - 31)
        crop = image[top : top + 32, left : left + 32]
        x[i] = (crop[:, ::-1] if rng.random() < 0.5 else crop).transpose(2, 0, 1)  # (H, W, C) -> (C, H, W)
    return Samples(x, y.astype(np.int64))


def cifar10(split: str = "train", folder: str | Path | None = None) -> Samples:
    """CIFAR-10 (Krizhevsky 2009) from files already on disk; x uint8 (n, 3, 32, 32), y in 0…9.

    folder: holds the official binary layout (`cifar-10-batches-bin/` or its contents); default: the
    environment variable VQLAB_DATA. split: "train" (50,000 images) or "test" (10,000).
    Raises: LabError if the folder is not named, or a file is missing or not a whole number of records.
    """
    if split not in _CIFAR10_FILES:
        raise LabError(f"split must be 'train' or 'test', got {split!r}")
    files = cifar10_files(folder)
    records = np.concatenate([_records(path) for path in files[split]])  # (n, 1 + 3072)
    return Samples(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64))


def cifar10_files(folder: str | Path | None = None) -> dict[str, list[Path]]:
    """The data files of CIFAR-10 by split, all checked to be there. Raises LabError if any is not."""
    named = folder or os.environ.get("VQLAB_DATA")
    if not named:
        raise LabError(
            "CIFAR-10 is looked for in the folder named by VQLAB_DATA, which is not set: "
            "set it to the folder that holds cifar-10-batches-bin, or use --data photos"
        )
    root = Path(named).expanduser()
    nested = root / "cifar-10-batches-bin"
    root = nested if nested.is_dir() else root
    if not root.is_dir():
        raise LabError(
            f"{root} is not a folder, so CIFAR-10 is not there: set VQLAB_DATA to the one holding cifar-10-batches-bin"
        )
    missing = [name for names in _CIFAR10_FILES.values() for name in names if not (root / name).is_file()]
    if missing:
        raise LabError(
            f"{root} is not a complete CIFAR-10: {', '.join(missing)} missing; "
            "unpack cifar-10-binary.tar.gz there again"
        )
    return {split: [root / name for name in names] for split, names in _CIFAR10_FILES.items()}


def _records(path: Path) -> np.ndarray:
    raw = np.fromfile(path, np.uint8)
    if len(raw) == 0 or len(raw) % _RECORD_BYTES:
        raise LabError(
            f"{path} has {len(raw):,} bytes, not a whole number of {_RECORD_BYTES}-byte images: "
            "it is truncated, so unpack cifar-10-binary.tar.gz again"
        )
    records = raw.reshape(-1, _RECORD_BYTES)
    if records[:, 0].max() > 9:
        raise LabError(f"{path} has class labels above 9, so it is not CIFAR-10's binary layout: unpack it again")
    return records
