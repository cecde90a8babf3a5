"""What must hold for the exercises of every lab, given a table of right and of wrong answers."""

from collections.abc import Sequence

from vqlab.checks import Exercise, check


def blank(*arguments):
    """An exercise that nobody has begun."""
    raise NotImplementedError


def assert_right(exercise: Exercise, answers: Sequence) -> None:
    for i, answer in enumerate(answers):
        feedback = check(exercise, answer)
        assert (feedback.state, feedback.marks) == ("passed", feedback.out_of), f"right answer {i}: {feedback}"


def assert_wrong_and_named(exercise: Exercise, answers: Sequence[tuple]) -> None:
    """Every (answer, word) is refused with a sentence that holds the word; and no mistake goes without an answer."""
    said = set()
    for i, (answer, word) in enumerate(answers):
        feedback = check(exercise, answer)
        said.add(feedback.says)
        assert feedback.state == "wrong", f"wrong answer {i} of {exercise.name} was accepted"
        assert feedback.marks < feedback.out_of
        assert word in feedback.says, f"wrong answer {i} of {exercise.name}: {feedback.says}"
    assert {mistake.says for mistake in exercise.mistakes} <= said


def assert_blank_is_not_yet(exercise: Exercise, value: bool) -> None:
    """value: whether the answer is a value, not a function."""
    for answer in (None, ...) if value else (None, ..., blank):
        feedback = check(exercise, answer)
        assert (feedback.state, feedback.marks) == ("not yet", 0)
