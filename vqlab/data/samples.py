"""What a data set is."""

from typing import NamedTuple

import numpy as np


class Samples(NamedTuple):
    """x: float32 points (n, d) or uint8 images (n, 3, 32, 32); y: int64 class labels (n,)."""

    x: np.ndarray
    y: np.ndarray
