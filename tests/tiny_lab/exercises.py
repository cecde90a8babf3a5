"""The exercise of Lab 77: the area of a square."""

from vqlab.exercises import Exercise, Mistake, Test, near, variants


def side() -> int:
    """The side of this student's square."""
    return variants.drawn("area", range(2, 60))


area = Exercise(
    "area",
    tests=(
        Test("a square of side 3 has area 9", lambda f: near(f(3), 9)),
        Test("your own square", lambda f: near(f(side()), side() ** 2)),
    ),
    mistakes=(
        Mistake("This is the way around the square. Open hint 1.", lambda f: near(f(3), 12)),
        Mistake("This is twice the side. Open hint 1.", lambda f: near(f(3), 6)),
    ),
)

# What differs from student to student: what is asked, and its answer.
VARIANTS = {"area": (lambda: (side(),), lambda: float(side() ** 2))}
