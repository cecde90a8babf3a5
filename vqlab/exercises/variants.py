"""Questions that differ from student to student: drawn from the seed that `variant.json` beside the notebook holds."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from vqlab import LabError

FILE = "variant.json"
_Question = TypeVar("_Question")
_given: ContextVar[int | None] = ContextVar("seed", default=None)


def seed() -> int:
    """This student's seed: 0, that of the open labs, where there is no `variant.json` in the working folder.

    Raises: LabError if the file is there but does not hold a seed.
    """
    if (given := _given.get()) is not None:
        return given
    path = Path(FILE)
    if not path.exists():
        return 0
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["seed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(f"{FILE} beside this notebook holds no seed: put back the one you were given") from error


@contextmanager
def asking(seed: int) -> Iterator[None]:
    """Ask meanwhile what the student with this seed is asked, whatever lies in the working folder."""
    token = _given.set(seed)
    try:
        yield
    finally:
        _given.reset(token)


def drawn(exercise: str, questions: Sequence[_Question]) -> _Question:
    """This student's one of the `questions`; the first of them for seed 0. The same seed always draws the same."""
    return random.Random(f"{seed()}:{exercise}").choice(questions) if seed() else questions[0]


def in_words(case: object) -> str:
    """What a student is asked, one value or several, as it may stand in a sentence; "" for None."""
    return "" if case is None else ", ".join(map(str, case if isinstance(case, tuple) else [case]))
