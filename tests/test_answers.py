"""Every exercise of every lab: right answers pass, each known wrong one is refused and named, blank is "not yet"."""

import pytest

from vqlab import labs
from vqlab.exercises import check

# Said of answers that no mistake recognises; these keep a mark for each test they pass.
UNNAMED = ("It fails this test", "Your code raised", "Your code ran longer")


CASES = {
    f"lab{lab.number}-{name}": (exercise, answers.RIGHT.get(name, []), answers.WRONG.get(name, []))
    for lab in labs.every()
    for answers in [lab.module("answers")]
    for name, exercise in lab.exercises().items()
}
every_exercise = pytest.mark.parametrize(("exercise", "right", "wrong"), CASES.values(), ids=CASES)


def blank(*arguments):
    """An exercise that nobody has begun."""
    raise NotImplementedError


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
