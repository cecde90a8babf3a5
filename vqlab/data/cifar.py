"""CIFAR-10 from files on this machine: where it is looked for, and its two official layouts."""

import os
from pathlib import Path

import numpy as np

from vqlab import LabError
from vqlab.data.pickles import read_batch
from vqlab.data.samples import Samples
from vqlab.files import repository

CIFAR10_SPLITS = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}
_LAYOUTS = {"cifar-10-batches-bin": ".bin", "cifar-10-batches-py": ""}  # folder -> suffix of its files
_RECORD_BYTES = 1 + 3 * 32 * 32
_MOST_BYTES = 200_000_000  # the files have 31 million
_MEND = "fetch it again with `python -m vqlab download cifar10`"


def cifar10(split: str = "train", folder: str | Path | None = None) -> Samples:
    """CIFAR-10 (Krizhevsky 2009) from files on this machine; x uint8 (n, 3, 32, 32), y in 0…9.

    split: "train" (50,000 images) or "test" (10,000). folder: holds `cifar-10-batches-bin/` (the official binary
    layout) or `cifar-10-batches-py/` (the python layout), or is one of them; default: see `find_cifar10`.
    Pickles of the python layout are read without running what they say, so the folder need not be trusted.
    Raises: LabError if it is not there, incomplete, truncated or something else.
    """
    if split not in CIFAR10_SPLITS:
        raise LabError(f"split must be 'train' or 'test', got {split!r}")
    root = find_cifar10(folder)
    if root is None:
        raise LabError(
            "CIFAR-10 is not on this machine: fetch it with `python -m vqlab download cifar10`, or set VQLAB_DATA to "
            "the folder that holds cifar-10-batches-bin or cifar-10-batches-py"
        )
    place, suffix = _complete_copy(root)
    if suffix == ".bin":
        _refuse_unequal([place / f"{name}.bin" for names in CIFAR10_SPLITS.values() for name in names])
    read = _read_binary if suffix == ".bin" else _read_pickled
    pixels, labels = zip(*(read(place / f"{name}{suffix}") for name in CIFAR10_SPLITS[split]), strict=True)
    return Samples(np.concatenate(pixels).reshape(-1, 3, 32, 32), np.concatenate(labels))  # (n, 3072) -> images


def find_cifar10(folder: str | Path | None = None) -> Path | None:
    """Where CIFAR-10 is read from, None if nowhere: `folder`, else what VQLAB_DATA names, else `cache_folder`.

    The first two are taken at their word; the cache only if some of CIFAR-10 is in it.
    """
    if named := folder or os.environ.get("VQLAB_DATA"):
        return Path(named).expanduser()
    cache = cache_folder()
    return cache if any((cache / layout).is_dir() for layout in _LAYOUTS) else None


def cache_folder() -> Path:
    """Where downloads are kept: data/cache of a clone if one may write there, else the user's cache folder."""
    if clone := repository():
        cache = clone / "data" / "cache"
        if cache.is_dir() or os.access(cache.parent, os.W_OK):
            return cache
    import pooch

    return pooch.os_cache("vqlab")


def _complete_copy(root: Path) -> tuple[Path, str]:
    """The folder below or at `root` with all files of one layout, and the suffix of its files."""
    if not root.is_dir():
        raise LabError(
            f"{root} is not a folder, so CIFAR-10 is not there: set VQLAB_DATA to the one that holds "
            "cifar-10-batches-bin or cifar-10-batches-py"
        )
    names = [name for names in CIFAR10_SPLITS.values() for name in names]
    copies = [(place, suffix) for layout, suffix in _LAYOUTS.items() for place in (root / layout, root)]
    missing = {
        (place, suffix): [f"{name}{suffix}" for name in names if not (place / f"{name}{suffix}").is_file()]
        for place, suffix in copies
    }
    place, suffix = best = min(copies, key=lambda copy: len(missing[copy]))
    if len(missing[best]) == len(names):
        raise LabError(f"{root} holds neither {' nor '.join(_LAYOUTS)}, so all files of CIFAR-10 are missing: {_MEND}")
    if missing[best]:
        raise LabError(f"{place} is not a complete CIFAR-10: {', '.join(missing[best])} missing; {_MEND}")
    return place, suffix


def _refuse_unequal(paths: list[Path]) -> None:
    """A file cut between two images is still a whole number of images, but shorter than the others."""
    sizes = {path: path.stat().st_size for path in paths}
    least, most = (pick(paths, key=sizes.__getitem__) for pick in (min, max))
    if sizes[least] < sizes[most]:
        raise LabError(
            f"{least} has {sizes[least]:,} bytes, fewer than the {sizes[most]:,} of {most.name}: it is truncated, so "
            f"{_MEND}"
        )


def _read_binary(path: Path) -> tuple[np.ndarray, np.ndarray]:
    raw = np.frombuffer(_bytes(path), np.uint8)
    if len(raw) == 0 or len(raw) % _RECORD_BYTES:
        raise LabError(
            f"{path} has {len(raw):,} bytes, not a whole number of {_RECORD_BYTES}-byte images: it is truncated, so "
            f"{_MEND}"
        )
    records = raw.reshape(-1, _RECORD_BYTES)  # (n, 1 + 3072): a label, then the red, green and blue plane
    if records[:, 0].max() > 9:
        raise LabError(f"{path} has class labels above 9, so it is not CIFAR-10's binary layout: {_MEND}")
    return records[:, 1:], records[:, 0].astype(np.int64)


def _read_pickled(path: Path) -> tuple[np.ndarray, np.ndarray]:
    raw = _bytes(path)
    try:
        return read_batch(raw)
    except ValueError as error:
        reason = " ".join(str(error).split())[:120].replace(". ", ", ").rstrip(".")
        raise LabError(f"{path} is no batch of CIFAR-10's python layout ({reason}): {_MEND}") from None


def _bytes(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > _MOST_BYTES:
            raise LabError(f"{path} has {size:,} bytes, too many for a file of CIFAR-10: {_MEND}")
        return path.read_bytes()
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror}): {_MEND}") from None
