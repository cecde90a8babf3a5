"""What a student's own variant asks, and its answer, found by running the solution in a folder with that variant."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

from vqlab.classroom.course import Assignment
from vqlab.exercises import variants


def questions_and_answers(one: Assignment, names: Sequence[str], seed: int) -> list[tuple[str, str]]:
    """What each exercise with a variant asks for a seed, and the answer, as text."""
    keys = one.lab.module("exercises").VARIANTS
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path(folder, variants.FILE).write_text(json.dumps({"seed": seed}), encoding="utf-8")
        drawn = [(asked(), answer()) for asked, answer in map(keys.get, names)]
    return [(", ".join(map(str, question)), f"{value:.5g}") for question, value in drawn]
