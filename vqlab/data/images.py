"""Small real images: crops of two photographs, and CIFAR-10."""

import os
from pathlib import Path

import numpy as np

from vqlab import LabError
from vqlab.data.samples import Samples, at_least_one

CIFAR10_CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
_RECORD_BYTES = 1 + 3 * 32 * 32
_CIFAR10_FILES = {
    "train": [f"data_batch_{i}.bin" for i in range(1, 6)],
    "test": ["test_batch.bin"],
}


def photo_patches(n: int = 4000, seed: int = 0) -> Samples:
    """n random 32×32 crops, half mirrored, of the two photographs bundled with scikit-learn; y tells which.

    x uint8 (n, 3, 32, 32). The photographs are first halved, so that a crop holds some structure.
    Raises: LabError if n < 1.
    """
    from sklearn.datasets import load_sample_images

    photos = [image[::2, ::2] for image in load_sample_images().images]
    rng = np.random.default_rng(seed)
    y = rng.integers(len(photos), size=at_least_one(n, "n"))
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
