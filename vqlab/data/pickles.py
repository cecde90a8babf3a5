"""The pickles of CIFAR-10's python layout, read without running anything that they say.

A pickle may name any function to be called. Here the few names that these files need stand for an object that only
keeps what it is told, and every other name is refused; the array is then made from the kept bytes by our own code.
"""

import pickle
from io import BytesIO

import numpy as np


class _Told:
    """Stands for whatever a pickle names: keeps the arguments and the state it is given, and does nothing."""

    def __init__(self, *arguments: object) -> None:
        self.arguments, self.state = arguments, ()

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Reader(pickle.Unpickler):
    _names = frozenset(
        {
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
        }
    )

    def find_class(self, module: str, name: str) -> type:
        if (module, name) not in self._names:
            raise pickle.UnpicklingError(f"it wants to run {module}.{name}")
        return _Told


def read_batch(raw: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 (n, 3072), red then green then blue, and labels int64 (n,) from the bytes of one batch file.

    Raises: ValueError with a few words on what is wrong, whatever the bytes are.
    """
    try:
        batch = _Reader(BytesIO(raw), encoding="bytes").load()  # Python 2 wrote these files: their strings are bytes
    except Exception as error:  # damaged bytes make the unpickler raise nearly anything
        raise ValueError(str(error) or type(error).__name__) from None
    if not isinstance(batch, dict) or not isinstance(labels := batch.get(b"labels"), list):
        raise ValueError("it has no list of labels")
    if not labels or not all(type(label) is int and 0 <= label <= 9 for label in labels):
        raise ValueError("its labels are not numbers 0…9")
    return _pixels(batch.get(b"data"), len(labels)), np.array(labels, np.int64)


def _pixels(told: object, n: int) -> np.ndarray:
    # The state of a pickled array: version, shape, type, whether the first axis runs fastest, bytes.
    match getattr(told, "state", None):
        case (_, (rows, 3072), _Told(arguments=(b"u1" | "u1", *_)), False, bytes(pixels)) if rows == n:
            if len(pixels) == n * 3072:
                return np.frombuffer(pixels, np.uint8).reshape(n, 3072)
    raise ValueError(f"its pixels are not bytes of shape ({n}, 3072)")
