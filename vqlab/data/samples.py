"""What a data set is."""

from typing import NamedTuple

import numpy as np

from vqlab import LabError


class Samples(NamedTuple):
    """x: float32 points (n, d) or uint8 images (n, 3, 32, 32); y: int64 class labels (n,)."""

    x: np.ndarray
    y: np.ndarray


def at_least_one(value: int, name: str) -> int:
    if value < 1:
        raise LabError(f"{name} must be at least 1, got {value}")
    return value
