"""CIFAR-10 made up: a few random images in the official layouts, and archives of them."""

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np

from vqlab.data.archives import Archive

NAMES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
FOLDER = "cifar-10-batches-py"


def batches(n: int = 3, seed: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pixels (n, 3072) and labels (n,), by the name of the file."""
    rng = np.random.default_rng(seed)
    return {name: (rng.integers(256, size=(n, 3072), dtype=np.uint8), rng.integers(10, size=n)) for name in NAMES}


def write_binary(folder: Path, n: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (pixels, labels) in batches(n).items():
        np.c_[labels.astype(np.uint8), pixels].tofile(folder / f"{name}.bin")
    return folder


def write_python(folder: Path, n: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in python_files(n).items():
        (folder / name).write_bytes(content)
    return folder


def python_files(n: int = 3) -> dict[str, bytes]:
    files = {name: pickled(pixels, labels) for name, (pixels, labels) in batches(n).items()}
    return files | {"batches.meta": b"\x80\x02}."}


def pickled(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    """What Python 2 and its numpy wrote in 2009: protocol 2, every string of bytes, the array by `_reconstruct`."""
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    shape = _number(pixels.shape[0]) + _number(pixels.shape[1]) + b"\x86"
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    data = array + b"(K\x01" + shape + dtype + b"\x89" + _string(pixels.tobytes()) + b"tb"
    numbers = b"](" + b"".join(map(_number, labels)) + b"e"
    names = b"](" + b"".join(_string(b"image_%d.png" % i) for i in range(len(labels))) + b"e"
    items = {b"batch_label": _string(b"made up"), b"labels": numbers, b"data": data, b"filenames": names}
    return b"\x80\x02}(" + b"".join(_string(key) + value for key, value in items.items()) + b"u."


def _string(content: bytes) -> bytes:
    return (b"U" + bytes([len(content)]) if len(content) < 256 else b"T" + len(content).to_bytes(4, "little")) + content


def _number(value: int) -> bytes:
    return b"K" + bytes([value]) if value < 256 else b"M" + int(value).to_bytes(2, "little")


def tar_gz(files: dict[str, bytes], extra: list[tarfile.TarInfo] | None = None) -> bytes:
    """An archive of files by their path in it, after members without content."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for member in extra or []:
            tar.addfile(member)
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def packed_python(n: int = 40) -> bytes:
    """An archive of the python layout; with 40 images a file it has 0.7 MB, many times the pieces it is fetched in."""
    return tar_gz({f"{FOLDER}/{name}": content for name, content in python_files(n).items()})


def describe(content: bytes, *mirrors: str, **other: object) -> Archive:
    """The archive with this content at these addresses."""
    described = {
        "name": "cifar-10-python.tar.gz",
        "mirrors": mirrors,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "unpacked": 10_000_000,
        "folder": FOLDER,
        "members": (*NAMES, "batches.meta"),
    }
    return Archive(**(described | other))
