"""Every exercise of every lab: right answers pass, each known wrong one is refused and named, blank is "not yet"."""

import runpy
from importlib import import_module
from pathlib import Path

import pytest

from vqlab.checks import Exercise, check

TABLES = sorted((Path(__file__).parents[1] / "labs" / "answers").glob("lab[0-9][0-9].py"))
SOURCES = sorted((Path(__file__).parents[1] / "labs" / "source").glob("[0-9][0-9]_*.py"))
# Said of answers that no mistake recognises; these keep a mark for each test they pass.
UNNAMED = ("It fails this test", "Your code raised", "Your code ran longer")


def exercises(lab: str) -> dict[str, Exercise]:
    module = import_module(f"vqlab.exercises.{lab}")
    return {name: value for name, value in vars(module).items() if isinstance(value, Exercise)}


CASES = {
    f"{path.stem}-{name}": (exercise, answers["RIGHT"].get(name, []), answers["WRONG"].get(name, []))
    for path in TABLES
    for answers in [runpy.run_path(str(path))]
    for name, exercise in exercises(path.stem).items()
}
every_exercise = pytest.mark.parametrize(("exercise", "right", "wrong"), CASES.values(), ids=CASES)


def blank(*arguments):
    """An exercise that nobody has begun."""
    raise NotImplementedError


def test_every_lab_has_its_table():
    assert [f"lab{path.stem[:2]}" for path in SOURCES] == [path.stem for path in TABLES]


@every_exercise
def test_right_answers_get_full_marks(exercise, right, wrong):
    assert right
    for i, answer in enumerate(right):
        feedback = check(exercise, answer)
        assert (feedback.state, feedback.marks) == ("passed", len(exercise.tests)), f"right answer {i}: {feedback}"


@every_exercise
def test_every_known_wrong_answer_is_refused_and_named_and_earns_nothing(exercise, right, wrong):
    assert len(wrong) >= 3
    said = set()
    for i, (answer, word) in enumerate(wrong):
        feedback = check(exercise, answer)
        said.add(feedback.says)
        assert feedback.state == "wrong", f"wrong answer {i} of {exercise.name} was accepted"
        assert word in feedback.says, f"wrong answer {i} of {exercise.name}: {feedback.says}"
        if feedback.says.startswith(UNNAMED):
            assert feedback.marks < feedback.out_of
        else:
            assert feedback.marks == 0
    assert {mistake.says for mistake in exercise.mistakes} <= said, "a mistake that no answer makes"


@every_exercise
def test_blank_is_not_yet(exercise, right, wrong):
    for answer in (None, ..., blank) if callable(right[0]) else (None, ...):
        feedback = check(exercise, answer)
        assert (feedback.state, feedback.marks) == ("not yet", 0)


@every_exercise
def test_a_right_answer_looks_like_no_mistake(exercise, right, wrong):
    if not callable(right[0]):
        for mistake in exercise.mistakes:
            assert not mistake.looks_like(right[0]), mistake.says
