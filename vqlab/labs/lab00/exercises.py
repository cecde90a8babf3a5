"""The exercise of Lab 00: what a healthy codebook reads."""

from collections.abc import Callable

import numpy as np

from vqlab import theory
from vqlab.exercises import Exercise, Mistake, Test, near, number, variants

# K and N. From N = 4K on the first-order formula is within a per cent; up to N = 12K the answer is well below K.
CODEBOOKS = tuple((k, times * k) for k in (600, 1100, 1900, 3000) for times in (4, 8, 12))


def codebook() -> tuple[int, int]:
    """This student's codebook size K and number of tokens N."""
    return variants.drawn("healthy", CODEBOOKS)


def measured_healthy() -> float:
    """Mean perplexity of 20 draws of N tokens from K equally likely codes."""
    from vqlab import measures

    return float(measures.perplexity(theory.simulate_uniform_usage(*codebook(), draws=20)).mean())


def _without_brackets() -> float:
    k, n = codebook()
    return k * np.exp(-(k - 1) / 2 * n)


def _close_to(wrong: Callable[[], float], tolerance: float) -> Callable:
    return number(lambda p: near(np.array(p), np.array(float(wrong())), tolerance))


healthy = Exercise(
    "healthy",
    measured_healthy,
    tests=(Test("within 2 % of what equally likely codes read"),),
    tolerance=0.02,
    mistakes=(
        Mistake(
            "This is K. Perplexity reads K only after many more tokens. Open hint 1.",
            seen=_close_to(lambda: codebook()[0], 1e-3),
        ),
        Mistake(
            "This is the number of active codes; perplexity also feels how unevenly they are used. Open hint 1.",
            seen=_close_to(lambda: theory.expected_active(*codebook()), 0.005),
        ),
        Mistake(
            "You divide by 2 and multiply by N: in Python, `/ 2 * n` needs brackets, `/ (2 * n)`. Open hint 1.",
            _without_brackets,
        ),
        Mistake(
            "A perplexity is at most K: is your exponent negative? Open hint 2.",
            seen=number(lambda p: p > codebook()[0]),
        ),
        Mistake("This is the share of K: multiply by K. Open hint 2.", lambda: measured_healthy() / codebook()[0]),
    ),
)

# What differs from student to student: what is asked, and its answer; None for code, which reads what is asked.
VARIANTS = {"healthy": (codebook, measured_healthy)}

# Functions that answer such a question in one call: whoever is graded does without.
ANSWER_IN_ONE_CALL = ("theory.expected_perplexity",)
