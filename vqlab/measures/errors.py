"""Reconstruction error, and whether two samples of seeds tell the same story. Pure numpy."""

import numpy as np


def mean_squared_error(x: np.ndarray, reconstruction: np.ndarray) -> np.ndarray:
    """Mean squared error over samples and dimensions: x (n, ...), reconstruction (R, n, ...) -> (R,)."""
    error = np.square(np.asarray(reconstruction) - np.asarray(x))
    return error.reshape(len(error), -1).mean(1)


def psnr(mse: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB of images in [0, 1] with mean squared error `mse` > 0."""
    return -10 * np.log10(mse)


def agrees(new: np.ndarray, stored: np.ndarray) -> bool:
    """Whether two samples of seeds tell the same story: means within three standard errors of each other.

    The spread of either sample counts as at least 2 % of the stored mean, since machines round differently.
    """
    new, stored = np.asarray(new, float), np.asarray(stored, float)
    floor = 0.02 * abs(stored.mean())
    variance = max(new.var(), stored.var(), floor**2)
    error = np.sqrt(variance * (1 / new.size + 1 / stored.size))
    return bool(abs(new.mean() - stored.mean()) <= 3 * error)
