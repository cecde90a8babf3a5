"""Pictures in a byte a coordinate."""

import numpy as np

_NOTHING = -128


def pack(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (..., n, d) for a picture in a byte each, and their scale (..., 1, 1): about a pixel of error.

    NaN is kept. The scale is that of each picture, so that a small heap keeps its shape.
    """
    largest = np.nan_to_num(np.abs(points)).max((-2, -1), keepdims=True).astype(np.float32)
    scale = np.where(largest > 0, largest, 1) / 127
    return np.where(np.isnan(points), _NOTHING, np.round(np.nan_to_num(points) / scale)).astype(np.int8), scale


def unpack(bytes_: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The positions that `pack` was given, to the precision of a byte."""
    return np.where(bytes_ == _NOTHING, np.nan, bytes_ * scale)
