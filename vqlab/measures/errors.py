"""Reconstruction error, and whether two samples of seeds tell the same story. Pure numpy."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import floats


def mean_squared_error(x: ArrayLike, reconstruction: ArrayLike) -> np.ndarray:
    """Mean squared error over samples and dimensions: x (n, ...), reconstruction (R, n, ...) -> (R,), float64.

    Any dtypes, bytes included; both in the same unit.
    Raises: LabError for NaN/Inf, no samples, or a reconstruction of another shape.
    """
    x, reconstruction = floats(x, "samples (n, ...)", axes=1), floats(reconstruction, "reconstructions", axes=1)
    if reconstruction.shape[1:] != x.shape:
        raise LabError(
            f"reconstructions of samples {x.shape} must have shape (R, {', '.join(map(str, x.shape))}), got "
            f"{reconstruction.shape}: for one run pass reconstruction[None]"
        )
    return np.square(reconstruction - x).reshape(len(reconstruction), -1).mean(1)


def psnr(mse: ArrayLike) -> np.ndarray:
    """Peak signal-to-noise ratio in dB of images in [0, 1] with mean squared error `mse` ≥ 0; of 0 it is infinite.

    Raises: LabError for an error that is negative or not finite.
    """
    with np.errstate(divide="ignore"):
        return -10 * np.log10(floats(mse, "mean squared errors", least=0))


def agrees(new: ArrayLike, stored: ArrayLike) -> bool:
    """Whether two samples of seeds tell the same story: means within three standard errors of each other.

    The spread of either sample counts as at least 2 % of the stored mean, since machines round differently.
    Raises: LabError for NaN/Inf or an empty sample.
    """
    new, stored = floats(new, "new numbers, one a seed,"), floats(stored, "stored numbers, one a seed,")
    floor = 0.02 * abs(stored.mean())
    variance = max(new.var(), stored.var(), floor**2)
    error = np.sqrt(variance * (1 / new.size + 1 / stored.size))
    return bool(abs(new.mean() - stored.mean()) <= 3 * error)
