"""Answers as plain arrays, and whether two of them agree: one rule for every exercise."""

import numbers

import numpy as np


class Incomparable(Exception):
    """An answer that is neither a number nor an array of numbers. Its sentence says what it is and what is wanted."""


def as_array(value: object) -> np.ndarray:
    """A number, array, tensor or (nested) list of such as a plain array of booleans, whole numbers or floats.

    Any precision, `Decimal` and `Fraction` included. Tensors lose their gradient.
    Raises: Incomparable for text, complex numbers, lists of unequal parts and everything else.
    """
    if isinstance(value, list | tuple):
        parts = [as_array(part) for part in value]
        if len({part.shape for part in parts}) > 1:
            raise Incomparable("You gave parts of different shapes, which make no array")
        return np.stack(parts) if parts else np.zeros(0)
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # NumPy has no bfloat16; what it holds fits into 32 bits.
        value = (value.float() if "bfloat16" in str(value.dtype) else value).numpy()
    if isinstance(value, numbers.Number) and not isinstance(value, numbers.Complex | np.generic):  # Decimal
        value = float(value)
    if isinstance(value, str | bytes) or not (isinstance(value, numbers.Number) or hasattr(value, "__array__")):
        raise Incomparable(f"You gave {_what(value)}: give a number, an array, a tensor or a list of numbers")
    array = np.array(value)
    if array.dtype == object:  # a Fraction, a whole number beyond 64 bits, or an array of such
        if array.ndim:
            return as_array(array.tolist())
        try:
            return np.array(float(array[()]))
        except (TypeError, OverflowError):
            raise Incomparable(f"You gave {_what(array[()])} that fits into no float: give numbers") from None
    if array.dtype.kind == "c":
        raise Incomparable("You gave complex numbers: give real ones")
    if array.dtype.kind not in "biuf":
        raise Incomparable(f"You gave {_what(value)}: give numbers")
    return array


def _what(value: object) -> str:
    if isinstance(value, str | bytes):
        return f"the text {value[:40]!r}"
    return "a function" if callable(value) and not isinstance(value, type) else f"a {type(value).__name__}"


def near(answer: np.ndarray, expected: np.ndarray, tolerance: float = 1e-3) -> bool:
    """Whether both agree in shape and to a relative tolerance; NaN agrees with NaN only.

    One number may come in any shape, as array([[3.]]). True and False agree with booleans only, not with 1 and 0.
    In an array a hundredth of the tolerance is relative to its largest entry, so rounding near 0 is forgiven.
    """
    if expected.dtype == bool and answer.dtype != bool:
        return False
    if expected.ndim == 0 and answer.size == 1:
        answer = answer.reshape(())
    if answer.shape != expected.shape:
        return False
    answer, expected = answer.astype(float), expected.astype(float)
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    return bool(np.allclose(answer, expected, rtol=tolerance, atol=1e-12 + tolerance / 100 * largest, equal_nan=True))
