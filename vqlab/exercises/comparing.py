"""Compare answers with what is right."""

import copy
from collections.abc import Callable

import numpy as np

from vqlab.exercises.checks import Mistake


def near(answer: object, expected: object, tolerance: float = 1e-3) -> bool:
    """Whether numbers, arrays or tensors agree in shape and to a relative tolerance; one number may have any shape."""
    answer, expected = np.asarray(answer), np.asarray(expected)
    fits = answer.shape == expected.shape or answer.size == expected.size == 1
    return fits and bool(np.allclose(answer, expected, rtol=tolerance, atol=1e-6))


def fresh(f: Callable, *arguments: object) -> object:
    """f on copies, so that an answer which writes into its arguments spoils no later test."""
    return f(*copy.deepcopy(arguments))


def too_far(measured: Callable[[], float], too_small: str, too_large: str) -> tuple[Mistake, Mistake]:
    """The mistakes of a value read off a slider: what to say of one below, and of one above, the measured value."""
    return Mistake(too_small, lambda value: value < measured()), Mistake(too_large, lambda value: value > measured())
