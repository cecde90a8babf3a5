"""The race that decides which modes live: latents grow, and the water rises with the largest. Pure numpy."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import floats, number
from vqlab.measures import spectrum_dimension
from vqlab.theory.water_filling import broadcast, check_bits, check_variances, water_fill


def drowning_times(times: ArrayLike, latent: ArrayLike, bits: ArrayLike, warmup: float = 0.0) -> np.ndarray:
    """When each mode drowns: the first time, not before `warmup`, at which it is not above the water; inf for never.

    During the warm-up nothing is quantized, so no mode can drown; one that is under water when it ends drowns there.

    Args: times (T,), none earlier than the one before; latent variances λ (T, d); bits R, one number; warmup, in the
        unit of `times`.
    Returns: (d,).   Our derivation, as `diagonal_flow`, whose `times` and `latent` are meant.
    Raises: LabError for bad variances or bits, times that fall or do not fit, or none from `warmup` on.
    """
    when, latent = floats(times, "times (T,)", axes=1), check_variances(latent)
    bits, warmup = check_bits(bits), number(warmup, "the end of the warm-up")
    if when.ndim != 1 or latent.ndim != 2 or len(when) != len(latent) or bits.ndim:
        raise LabError(
            f"a race needs times (T,), latent variances (T, d) and one R, got shapes {when.shape}, {latent.shape} and "
            f"{bits.shape}"
        )
    if (np.diff(when) < 0).any():
        raise LabError("the times of a race must not fall")
    if warmup > when[-1]:
        raise LabError(f"the race ends at {when[-1]:g}, within its warm-up of {warmup:g}: nothing can drown")
    quantized = when >= warmup
    levels = water_fill(latent[quantized], bits).level[:, None]
    under = latent[quantized] <= levels * (1 + 1e-9)  # (T', d)
    first = when[quantized][under.argmax(0)]
    return np.where(under.any(0), first, np.inf)


def passed_dimension(latent: ArrayLike, level: ArrayLike) -> np.ndarray:
    """Effective dimension (99 %) of what the channel passes, a variance of max(λ − D*, 0) from each mode.

    What an optimal code's codebook has: latent variances λ (..., d) and the level D* (...) -> (...), int.
    Raises: LabError for bad variances, or levels that do not fit.
    """
    latent, level = check_variances(latent), floats(level, "water levels")
    broadcast(latent[..., 0], level)
    return spectrum_dimension(np.maximum(latent - level[..., None], 0))
