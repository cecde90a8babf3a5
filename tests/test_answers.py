"""Every exercise of every lab: right answers pass, each known wrong one is refused and named, blank is "not yet"."""

import pickle

import numpy as np
import pytest

from vqlab import labs
from vqlab.exercises import check
from vqlab.exercises.judging import judge
from vqlab.exercises.running import put

CASES = {
    f"lab{lab.number}-{name}": (exercise, answers.RIGHT.get(name, []), answers.WRONG.get(name, []))
    for lab in labs.every()
    for answers in [lab.module("answers")]
    for name, exercise in lab.exercises().items()
}
SECONDS = 300.0  # more than any busy machine needs: what is tried here are answers, not the limit
every_exercise = pytest.mark.parametrize(("exercise", "right", "wrong"), CASES.values(), ids=CASES)
every_seed = pytest.mark.parametrize("seed", [0, None])  # None: other instances at each run of this test


def blank(*arguments):
    """An exercise that nobody has begun."""
    raise NotImplementedError


ODD = ["one", b"one", {1: 2}, {3}, object(), [1, [2, 3]], 1j, [None], int, blank, iter([1]), 10**400, float("nan")]
ODD += [np.array(["a"]), np.datetime64(0, "s"), np.zeros(0), [np.zeros(3)] * 3, np.array([{}]), [], ((1, 2), 3)]


@every_exercise
@every_seed
def test_right_answers_get_full_marks(exercise, right, wrong, seed):
    assert len(right) >= (2 if exercise.is_value else 10)
    for i, answer in enumerate(right):
        feedback = check(exercise, answer, SECONDS, seed)
        assert (feedback.state, feedback.marks) == ("passed", len(exercise.tests)), f"right answer {i}: {feedback}"


@every_exercise
@every_seed
def test_every_known_wrong_answer_is_refused_and_named(exercise, right, wrong, seed):
    assert len(wrong) >= 3
    said = set()
    for i, (answer, word) in enumerate(wrong):
        feedback = check(exercise, answer, SECONDS, seed)
        assert feedback.state == "wrong", f"wrong answer {i} of {exercise.name} was accepted"
        assert seed is None or word in feedback.says, f"wrong answer {i} of {exercise.name}: {feedback.says}"
        assert feedback.marks == sum(feedback.tests) < feedback.out_of
        assert "0x" not in feedback.says, f"internals are shown: {feedback.says}"
        named = [mistake for mistake in exercise.mistakes if feedback.says.startswith(mistake.says)]
        said |= {mistake.says for mistake in named}
        assert feedback.mistake == (named[0].says if named else "")
        if named:
            assert "ou gave" in feedback.says or "`.level`" in feedback.says
    assert seed is None or {mistake.says for mistake in exercise.mistakes} <= said, "a mistake that no answer makes"


@every_exercise
def test_blank_is_not_yet(exercise, right, wrong):
    for answer in (None, ...) if exercise.is_value else (None, ..., blank):
        feedback = check(exercise, answer)
        assert (feedback.state, feedback.marks) == ("not yet", 0)


@every_exercise
@pytest.mark.parametrize("odd", ODD, ids=[str(type(value).__name__) for value in ODD])
def test_what_cannot_be_compared_gets_a_sentence_and_no_traceback(exercise, right, wrong, odd):
    feedback = check(exercise, odd if exercise.is_value else lambda *_: odd)
    assert (feedback.state, feedback.marks) == ("wrong", 0)
    assert "Error" not in feedback.says
    assert len(feedback.says) < 800


@every_exercise
def test_instances_are_fresh_at_each_check_and_come_back_with_their_seed(exercise, right, wrong):
    def drawn(seed):
        return pickle.dumps([question.arguments for question in exercise.questions(seed)])

    assert drawn(3) == drawn(3)
    assert exercise.is_value or drawn(3) != drawn(4)


@every_exercise
def test_judging_needs_no_more_than_plain_outcomes(exercise, right, wrong):
    """Questions and outcomes may cross to another process; the student's function stays behind."""
    for answer in (right[0], *(answer for answer, _ in wrong)):
        questions = pickle.loads(pickle.dumps(exercise.questions(5)))
        outcomes = pickle.loads(pickle.dumps(put(exercise.task, answer, [q.arguments for q in questions], 5)))
        for outcome in outcomes:
            assert all(type(part) is np.ndarray and part.dtype.kind in "biuf" for part in outcome.parts)
        assert judge(exercise, questions, outcomes) == check(exercise, answer, seed=5)
