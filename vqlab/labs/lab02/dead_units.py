"""How many classes can a narrow ReLU encoder keep apart? Counted before any training. Pure numpy.

A ReLU unit is dead at a point where its input is not positive. Where all units of a layer are dead, the layer says the
same whatever the point is, and classes there become one. Weights and biases start as in `torch.nn.Linear`: uniform in
±1/√fan_in, hence as often positive as negative.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError


def max_linear_regions(width: ArrayLike) -> np.ndarray:
    """Most pieces that h lines cut the plane into, 1 + h + h(h − 1)/2: the linear regions of one ReLU layer.

    Reached by lines in general position (Zaslavsky 1975; for networks Montúfar et al. 2014, arXiv 1402.1869).
    Args: width h ≥ 1, whole numbers.   Raises: LabError below 1.
    """
    width = _at_least_one(width, "width")
    return 1 + width + width * (width - 1) // 2


def dead_direction_chance(width: ArrayLike) -> np.ndarray:
    """Chance that h random units without bias leave some direction of the plane where all of them are dead.

    h / 2^(h−1), the chance that h random directions fit into a half-plane (Wendel 1962); 1 for h = 1 and 2.
    Args: width h ≥ 1.   Raises: LabError below 1.
    """
    width = _at_least_one(width, "width")
    return width * 0.5 ** (width - 1)


def rank_chances(width: ArrayLike, layers: int = 2) -> np.ndarray:
    """Chances that an untrained ReLU encoder of the plane has rank 0, 1 or 2 at a given point: (...) -> (..., 3).

    Rank 0: it says the same for all points nearby, since some layer is dead. Rank 1: some layer has one unit that is
    not, hence one coordinate is left. Rank 2: every layer has two, and points nearby stay apart. A unit's input is as
    often negative as positive, whatever the point, the bias and the layers before; so the number of units at work in a
    layer of h is binomial (h, 1/2), and P(rank ≥ 1) = (1 − 2^−h)^L, P(rank 2) = (1 − (1 + h) 2^−h)^L. Our derivation;
    exact for weights that are symmetric around 0.
    Args: width h ≥ 1; layers L ≥ 1.   Raises: LabError below 1.
    """
    width, layers = _at_least_one(width, "width"), _at_least_one(layers, "number of layers")
    some, two = (1 - 0.5**width) ** layers, (1 - (1 + width) * 0.5**width) ** layers
    return np.stack([1 - some, some - two, two], -1)


def classes_kept_apart(
    centres: np.ndarray, width: int, layers: int = 2, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """Number of class centres that untrained encoders map to different places: centres (C, 2) -> (draws,), 1…C.

    Each draw is an encoder with `layers` ReLU layers of `width` units, started as `torch.nn.Linear` starts. Centres
    at which the same last layer is dead coincide exactly; all others differ (almost surely).
    Raises: LabError if width, layers or draws is below 1, or the centres are not (C, d).
    """
    place = np.broadcast_to(np.arange(len(centres)), (draws, len(centres)))  # (draws, C): equal numbers coincide
    for layer, activity in enumerate(_untrained(centres, width, layers, draws, seed)):
        # Later layers treat places that coincide alike, so a dead later layer overwrites an earlier one.
        place = np.where((activity == 0).all(-1), -1 - layer, place)
    ordered = np.sort(place, 1)
    return 1 + (np.diff(ordered, axis=1) != 0).sum(1)


def living_units(points: np.ndarray, width: int, layers: int = 2, draws: int = 1000, seed: int = 0) -> np.ndarray:
    """Units of untrained encoders that are at work at some of the points, in the poorest layer: (N, d) -> (draws,).

    A unit that is dead at all points has no gradient, so training cannot wake it while the layers before stay as they
    are. With 0 living units the encoder is a point, with 1 a curve. Draws are as in `classes_kept_apart`.
    Raises: LabError as `classes_kept_apart`.
    """
    return np.min([(a > 0).any(1).sum(-1) for a in _untrained(points, width, layers, draws, seed)], 0)


def _untrained(points: np.ndarray, width: int, layers: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """The activity (draws, N, width) of one hidden layer after the other."""
    _at_least_one([width, layers, draws], "width, of layers and of draws")
    activity = np.asarray(points, float)
    if activity.ndim != 2 or activity.size == 0:
        raise LabError(f"points must have shape (N, d) with N ≥ 1, got {activity.shape}")
    rng = np.random.default_rng(seed)
    activity = np.broadcast_to(activity, (draws, *activity.shape))
    for _ in range(layers):
        fan_in = activity.shape[-1]
        weight, bias = (rng.uniform(-1, 1, (draws, n, width)) / np.sqrt(fan_in) for n in (fan_in, 1))
        activity = np.maximum(activity @ weight + bias, 0)  # (draws, N, fan_in) -> (draws, N, width)
        yield activity


def _at_least_one(value: ArrayLike, what: str) -> np.ndarray:
    value = np.asarray(value)
    if value.dtype.kind not in "iu" or (value < 1).any():
        raise LabError(f"the {what} must be a whole number of at least 1, got {value.tolist()}")
    return value
