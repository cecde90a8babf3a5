"""What public functions are given, made plain: float64 or int64 arrays and Python numbers, or one `LabError` sentence.

Arrays, PyTorch tensors (on any device, with gradient, in bfloat16), numbers and nested lists of them are all welcome.
What is no number, not finite, of the wrong shape or out of range is refused here, so that nobody else has to ask.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vqlab import LabError

# The square of a number up to here, times any number of them that fits in memory, is still finite.
LARGEST = 1e100
# More entries than this (2 GB of float64) are a slip of the keyboard, not an experiment.
MOST_ENTRIES = 2**28
LARGEST_SEED = 2**62


def shown(value: object) -> str:
    """A value as it may stand in a sentence: one short line."""
    text = " ".join(repr(value).split()).replace(". ", " ")
    return text if len(text) <= 60 else text[:57] + "…"


def plain(values: object, what: str) -> np.ndarray:
    """Any array, tensor, number or nested list as a numpy array of booleans, whole numbers or floats."""
    try:
        array = np.asarray(_off_torch(values))
    except (TypeError, ValueError, RuntimeError) as error:
        raise LabError(
            f"{what} cannot be read as one array of numbers: pass an array, a tensor, or a list in which all rows have "
            "the same length"
        ) from error
    if array.dtype.kind not in "biuf":
        raise LabError(f"{what} must be real numbers, got {_kind(values, array)}: pass a float or integer array")
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise LabError(f"{what} are partly masked, and masks are not understood here: pass the unmasked rows alone")
    return array


def floats(values: object, what: str, *, axes: int = 0, least: float = -LARGEST) -> np.ndarray:
    """`values` as finite float64 with at least `axes` axes, none of them empty, and none below `least`."""
    array = plain(values, what)
    with np.errstate(over="ignore"):
        array = array.astype(float, copy=False)
    _check_shape(array, what, axes)
    if not np.isfinite(array).all():
        raise LabError(f"{what} must be finite, and NaN or Inf was found: drop those rows, or see what made them")
    if np.abs(array).max() > LARGEST:
        raise LabError(
            f"{what} reach {np.abs(array).max():.3g}, more than {LARGEST:.0e}, beyond which squares overflow"
        )
    if least > -LARGEST and array.min() < least:
        raise LabError(f"{what} must be at least {least:g}, got {array.min():.6g}")
    return array


def points(values: object, what: str = "points") -> np.ndarray:
    """`values` as finite float64 points (..., n, d) with n ≥ 1 and d ≥ 1."""
    return floats(values, f"{what} (..., n, d)", axes=2)


def resolution(values: object) -> float:
    """The relative size below which differences between such numbers are rounding errors, not signal.

    What a network computes in float32 is right to about 1e-6, in half precision to one unit of its last place. Float64
    and whole numbers are taken at their word.
    """
    kind = str(getattr(values, "dtype", "float64")).removeprefix("torch.")
    return {"float32": 1e-6, "float16": 2.0**-10, "bfloat16": 2.0**-7}.get(kind, 1e-14)


def integers(values: object, what: str, *, axes: int = 1) -> np.ndarray:
    """`values` as int64 (True counts as 1), with at least `axes` axes, none of them empty."""
    array = plain(values, what)
    _check_shape(array, what, axes)
    if array.dtype.kind == "f":
        raise LabError(f"{what} must be whole numbers, got {array.dtype}: convert them with .astype(int) if they are")
    if array.dtype.kind == "u" and array.max() > np.iinfo(np.int64).max:
        raise LabError(f"{what} reach {array.max()}, which is no index: were negative numbers made unsigned?")
    return array.astype(np.int64, copy=False)


def whole(value: object, what: str, least: int = 1, most: int = MOST_ENTRIES) -> int:
    """One whole number in `least`…`most` as a Python int. 8.0 will do, True will not."""
    number_ = _single(value, what)
    if isinstance(number_, float) and number_.is_integer():
        number_ = int(number_)
    if not isinstance(number_, int):
        raise LabError(f"{what} must be a whole number, at least {least}, got {shown(value)}")
    if number_ < least:
        raise LabError(f"{what} must be at least {least}, got {shown(number_)}")
    if number_ > most:
        raise LabError(f"{what} must be at most {most:,}, got {shown(number_)}")
    return number_


def number(
    value: object,
    what: str,
    *,
    least: float = -LARGEST,
    above: float = -math.inf,
    most: float = LARGEST,
    below: float = math.inf,
) -> float:
    """One finite number as a Python float, from `least` to `most`, above `above` and below `below`."""
    try:
        given = float(_single(value, what))
    except OverflowError:
        given = math.inf
    if not (math.isfinite(given) and least <= given <= most and above < given < below):
        raise LabError(f"{what} must be {_range(least, above, most, below)}, got {shown(given)}")
    return given


def seed(value: object) -> int:
    """A seed for random numbers as a Python int, 0…2⁶²."""
    return whole(value, "a seed", 0, LARGEST_SEED)


def seeds(values: object) -> tuple[int, ...]:
    """One or more seeds, one a run."""
    found = integers(values, "seeds")
    if found.ndim != 1:
        raise LabError(f"seeds must be a list of whole numbers, one a run, got shape {found.shape}")
    return tuple(seed(int(value)) for value in found)


def as_path(value: object, what: str) -> Path:
    """A path given as text or as a Path.   Raises: LabError for anything else, or an empty one."""
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise LabError(f"{what} must be a path, got {shown(value)}")
    return Path(value).expanduser()


def one_of(value: object, what: str, choices: Sequence[str]) -> str:
    """One of the words that are understood."""
    if not isinstance(value, str) or value not in choices:
        raise LabError(f"unknown {what} {shown(value)}: choose from {', '.join(choices)}")
    return value


def entries(count: int, what: str) -> None:
    """Refuse an array of more than `MOST_ENTRIES` entries before it is asked for."""
    if count > MOST_ENTRIES:
        raise LabError(f"{what} would take {count:,} numbers, more than fit in memory here: ask for fewer")


def _check_shape(array: np.ndarray, what: str, axes: int) -> None:
    if array.ndim < axes:
        raise LabError(f"{what} must have at least {_axes(axes)}, got shape {array.shape}")
    if array.size == 0:
        raise LabError(f"there are no {what}: the shape is {array.shape}, so give at least one")


def _single(value: object, what: str) -> int | float:
    if isinstance(value, bool | np.bool_ | str | bytes) or value is None:
        raise LabError(f"{what} must be a number, got {shown(value)}")
    if isinstance(value, int):
        return value  # of any length: numpy would make an object of it
    array = plain(value, what)
    if array.ndim or array.dtype.kind == "b":
        raise LabError(f"{what} must be one number, got {shown(value)}")
    return array.item()


def _off_torch(values: object) -> object:
    if hasattr(values, "detach"):  # a tensor, found out without importing PyTorch
        values = values.detach().cpu()
        return (values.float() if str(values.dtype) == "torch.bfloat16" else values).numpy()
    if isinstance(values, list | tuple) and values and not isinstance(values[0], int | float | str):
        return [_off_torch(value) for value in values]
    return values


def _axes(count: int) -> str:
    return "one axis" if count == 1 else f"{count} axes"


def _kind(values: object, array: np.ndarray) -> str:
    return shown(values) if array.ndim == 0 else f"an array of dtype {array.dtype}"


def _range(least: float, above: float, most: float, below: float) -> str:
    parts = [f"at least {least:g}"] if least > -LARGEST else []
    parts += [f"above {above:g}"] if above > -math.inf else []
    parts += [f"at most {most:g}"] if most < LARGEST else []
    parts += [f"below {below:g}"] if below < math.inf else []
    return " and ".join(parts) or "finite"
