"""The exercise of Lab 77: the area of a square."""

from vqlab.exercises import Exercise, Mistake, Test, variants


def side() -> int:
    """The side of this student's square."""
    return variants.drawn("area", range(2, 60))


area = Exercise(
    "area",
    lambda side: side**2,
    tests=(
        Test("squares of any side", lambda rng, i: (int(rng.integers(3, 60)) if i else 3,)),
        Test("your own square", lambda rng, i: (side(),), times=1),
    ),
    mistakes=(
        Mistake("This is the way around the square. Open hint 1.", lambda side: 4 * side),
        Mistake("This is twice the side. Open hint 1.", lambda side: 2 * side),
    ),
)

# What differs from student to student: what is asked, and its answer.
VARIANTS = {"area": (side, lambda: float(side() ** 2))}
