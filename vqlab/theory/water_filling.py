"""Reverse water-filling: how many modes R = log2 K bits can serve. Pure numpy.

Modes are independent and Gaussian; v_j is the variance of mode j. Where a docstring says *our derivation*, the formula
follows the description in arXiv 2605.06870, not its own equations.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import floats, shown

# A mode this close to the water level (relative) sits at the water line: rounding must not count it as active.
_WATER_LINE = 1e-9
_MOST_BITS = 1000


class WaterFilling(NamedTuple):
    """The cheapest way to spend R bits on independent Gaussian modes.

    level: water level D* (...).   active: number of modes above it (...), int.   distortion: D(R) = Σ_j D_j (...).
    mode_distortions: D_j = min(v_j, D*) (..., d), in the order of the variances.
    """

    level: np.ndarray
    active: np.ndarray
    distortion: np.ndarray
    mode_distortions: np.ndarray


def water_fill(variances: ArrayLike, bits: ArrayLike) -> WaterFilling:
    """Reverse water-filling: the D* that solves Σ_j max(0, ½ log2(v_j / D*)) = R (Cover & Thomas 2006, §10.3).

    Args:
        variances: v_j ≥ 0 (..., d), in any order; zeros are modes that cost nothing.
        bits: R = log2 K per token, ≥ 0, broadcast against the leading axes of `variances`.
    With R = 0 the level is the largest variance and no mode is active; without any variance the level is 0.
    Example: water_fill([4.0, 1.0], bits=1) has level 1, one active mode and distortion 2.
    Raises: LabError for negative or non-finite variances, no modes, or negative bits.
    """
    variances, bits = check_variances(variances), check_bits(bits)
    broadcast(variances[..., 0], bits)
    level = water_level(variances, bits)
    modes = np.minimum(variances, level[..., None])
    active = (variances > level[..., None] * (1 + _WATER_LINE)).sum(-1)
    return WaterFilling(level, active, modes.sum(-1), modes)


def water_level(variances: np.ndarray, bits: np.ndarray | float) -> np.ndarray:
    """The level D* alone, without checks, for inner loops: variances (..., d), bits broadcast to (...) -> (...).

    If the n largest modes are active, log2 D* = (Σ_{j≤n} log2 v_j − 2R) / n. Adding mode n + 1 averages its log2 v
    into that value, hence raises it exactly as long as the mode is above the water: the right n has the largest value.
    """
    with np.errstate(divide="ignore"):
        logs = np.log2(np.sort(variances, -1)[..., ::-1])
    count = np.arange(1, logs.shape[-1] + 1)
    candidates = (np.cumsum(logs, -1) - 2 * np.asarray(bits)[..., None]) / count  # (..., d)
    return np.exp2(candidates.max(-1))


def loss_floor(variances: ArrayLike, bits: ArrayLike, active: ArrayLike) -> np.ndarray:
    """The least squared error (summed over modes) with only `active` modes alive: Σ_dead σ_j² + D_R(active modes).

    For independent **Gaussian** modes it bounds every codebook from below: dead modes cost their full variance, and the
    largest are taken to be the live ones, which is the cheapest choice; `active` = d gives Shannon's floor. Real data
    are not Gaussian: in clusters they cost less than their variances say, and a codebook of handwritten digits gets
    below this floor. Our derivation of the bound in arXiv 2605.06870.

    Args: variances σ_j² (..., d); bits R ≥ 0 and active (whole numbers in 0…d) broadcast against the leading axes.
    Returns: (...), in the unit of the variances.
    Raises: LabError for bad variances or bits, or a number of active modes outside 0…d.
    """
    variances, bits = check_variances(variances), check_bits(bits)
    active = floats(active, "numbers of active modes")
    d = variances.shape[-1]
    if active.min() < 0 or active.max() > d or (active != np.round(active)).any():
        raise LabError(f"the number of active modes must be a whole number in 0…{d}, got {shown(active.tolist())}")
    shape = broadcast(variances[..., 0], bits, active)
    bits, active = np.broadcast_to(bits, shape), np.broadcast_to(active, shape)
    largest_first = np.sort(variances, -1)[..., ::-1]
    alive = np.where(np.arange(d) < active[..., None], largest_first, 0)
    dead = (largest_first - alive).sum(-1)
    return dead + water_fill(alive, bits).distortion


def check_variances(variances: ArrayLike) -> np.ndarray:
    """`variances` as floats (..., d).   Raises: LabError unless d ≥ 1 and all are finite and ≥ 0."""
    return floats(variances, "variances (..., d) of the modes of a spectrum", axes=1, least=0)


def check_bits(bits: ArrayLike) -> np.ndarray:
    """`bits` as floats.   Raises: LabError unless all are finite and in 0…1,000."""
    bits = floats(bits, "bits per token, R = log2 K,", least=0)
    if bits.max() > _MOST_BITS:
        raise LabError(f"bits per token are log2 K, at most {_MOST_BITS}, got {bits.max():g}: did you pass K itself?")
    return bits


def broadcast(*arrays: np.ndarray) -> tuple[int, ...]:
    """The shape that these share.   Raises: LabError if there is none."""
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise LabError(f"the shapes {shapes} cannot be combined: make them equal, or put axes of length 1") from None
