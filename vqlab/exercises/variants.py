"""Questions that differ from student to student: drawn from the seed that `variant.json` beside the notebook holds."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from vqlab import LabError

FILE = "variant.json"
_Question = TypeVar("_Question")


def seed() -> int:
    """This student's seed: 0, that of the open labs, where there is no `variant.json` in the working folder.

    Raises: LabError if the file is there but does not hold a seed.
    """
    path = Path(FILE)
    if not path.exists():
        return 0
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["seed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(f"{FILE} beside this notebook holds no seed: put back the one you were given") from error


def drawn(exercise: str, questions: Sequence[_Question]) -> _Question:
    """This student's one of the `questions`; the first of them for seed 0. The same seed always draws the same."""
    return random.Random(f"{seed()}:{exercise}").choice(questions) if seed() else questions[0]
