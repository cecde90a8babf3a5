"""Exercises: a right function, random instances to try an answer on, and wrong functions that have a name.

One definition, two ways to run it. In a lab the check stands under the cell: `check` puts the questions to the
student's function and judges at once. A grader draws `questions`, lets another process `put` them to the hand-in and
gives what came back, plain arrays and sentences, to `judge`.
"""

import inspect
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vqlab.exercises import comparing
from vqlab.exercises.comparing import as_array
from vqlab.exercises.feedback import Feedback
from vqlab.exercises.judging import judge
from vqlab.exercises.running import Outcome, Task, called, put

SECONDS = 5.0


@dataclass(frozen=True)
class Test:
    """A group of instances, worth a mark together.

    says: what is tried, in words.   draw(rng, i): the arguments of instance i; the first are small enough to print.
    times: how many instances.   parts: which of the returned things count, all if None.
    where(*arguments): the entries of the one part that count, all if None.
    """

    __test__ = False  # pytest must not take it for one of its own
    says: str
    draw: Callable[[np.random.Generator, int], tuple] = lambda rng, i: ()
    times: int = 10
    parts: Sequence[int] | None = None
    where: Callable[..., np.ndarray] | None = None


class Mistake:
    """A tempting wrong answer.

    says: names it and points at a hint.   wrong: functions that make it, each recognised by what it returns.
    parts: the things returned in which it shows, and only these are returned by `wrong`; all if None.
    seen(arguments, outcome): recognises in one outcome what no function can imitate.
    """

    def __init__(
        self,
        says: str,
        *wrong: Callable,
        parts: Sequence[int] | None = None,
        seen: Callable[[tuple, Outcome], bool] | None = None,
    ) -> None:
        self.says, self.wrong, self.parts, self.seen = says, wrong, parts, seen


@dataclass(frozen=True)
class Question:
    """One instance, of plain arrays, numbers and lists. test: index of its test."""

    test: int
    arguments: tuple

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return sum(np.size(argument) for argument in self.arguments)


@dataclass(frozen=True)
class Exercise:
    """What is asked, what is right and what is often wrong.

    name: as in the lab.   reference: the right function, of plain arrays; without arguments if a value is asked.
    tests: a mark each.   mistakes: in the order they are tried; what one costs are the tests that it fails.
    returns: names of the things that come back, if several.   tolerance: relative.
    tensors: whether arrays reach the student's function as tensors.   asks: how it is asked, as `running.called`.
    alike(arguments, one, other): whether two answers count as the same, if it takes more than `comparing.near`.
    """

    name: str
    reference: Callable
    tests: Sequence[Test]
    mistakes: Sequence[Mistake] = ()
    returns: tuple[str, ...] = ()
    tolerance: float = 1e-3
    tensors: bool = False
    asks: Callable = called
    alike: Callable[[tuple, np.ndarray, np.ndarray], bool] | None = None

    def __call__(self, answer: object) -> Feedback:
        """Check the student's function or value and show the result under the cell."""
        return check(self, answer)

    @cached_property
    def task(self) -> Task:
        """How questions are put to an answer."""
        return Task(tuple(inspect.signature(self.reference).parameters), self.returns, self.tensors, self.asks)

    @property
    def is_value(self) -> bool:
        """Whether a value is asked, not a function."""
        return not self.task.names

    def questions(self, seed: int) -> list[Question]:
        """The instances of all tests, the same for the same seed."""
        return [
            Question(t, test.draw(rng, i))
            for t, test in enumerate(self.tests)
            for rng in [np.random.default_rng([seed, t])]
            for i in range(1 if self.is_value else test.times)
        ]

    def parts(self, function: Callable, arguments: tuple, parts: Iterable[int] | None = None) -> tuple:
        """What a function of plain arrays returns, as arrays: one for each thing, empty if it is not among `parts`."""
        with np.errstate(all="ignore"):
            value = function(*arguments)
        several = list(range(len(self.returns) or 1)) if parts is None else list(parts)
        given = dict(zip(several, map(as_array, value if len(several) > 1 else (value,)), strict=True))
        return tuple(given.get(part, np.zeros(0)) for part in range(len(self.returns) or 1))

    def same(self, arguments: tuple, one: np.ndarray, other: np.ndarray) -> bool:
        """Whether two answers to a question count as the same."""
        return self.alike(arguments, one, other) if self.alike else comparing.near(one, other, self.tolerance)


def check(exercise: Exercise, answer: object, seconds: float = SECONDS, seed: int | None = None) -> Feedback:
    """Try an answer on fresh random instances and judge it; an endless loop comes back after so many seconds.

    seed: draws the same instances again; None, other ones each time.
    """
    if answer is None or answer is Ellipsis:
        says = "Fill in your answer above and run the cell again."
        return Feedback(exercise.name, "not yet", says, 0, len(exercise.tests))
    questions = exercise.questions(secrets.randbits(32) if seed is None else seed)
    return judge(exercise, questions, put(exercise.task, answer, [q.arguments for q in questions], seconds))


def number(mistake: Callable[[float], bool]) -> Callable[[tuple, Outcome], bool]:
    """`mistake` of a number, as `Mistake.seen`: false of everything that is not one number."""
    return lambda _, outcome: (
        len(outcome.parts) == 1 and outcome.parts[0].size == 1 and mistake(outcome.parts[0].item())
    )


def too_far(measured: Callable[[], float], too_small: str, too_large: str) -> tuple[Mistake, Mistake]:
    """The mistakes of a value read off a slider: what to say of one below, and of one above, the measured value."""
    return (
        Mistake(too_small, seen=number(lambda value: value < measured())),
        Mistake(too_large, seen=number(lambda value: value > measured())),
    )
