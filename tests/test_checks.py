"""The checker itself: endless loops, exits, warnings, answers that write into their arguments, partial marks."""

import sys
import time
import warnings

import pytest

from vqlab.exercises import Exercise, Mistake, Test, check
from vqlab.exercises.checks import TooSlow, within
from vqlab.labs.lab01 import exercises as lab01
from vqlab.labs.lab01.answers import RIGHT


def test_an_endless_loop_comes_back_and_its_thread_ends():
    ticks = []

    def endless(z, codes):
        while True:
            try:
                ticks.append(1)
                time.sleep(0.001)
            except Exception:  # what a student's careless except would catch
                continue

    start = time.perf_counter()
    feedback = check(lab01.nearest_code, endless, seconds=0.3)
    assert time.perf_counter() - start < 5
    assert feedback.state == "wrong"
    assert "ran longer than 0.3 s" in feedback.says
    time.sleep(0.3)
    count = len(ticks)
    time.sleep(0.3)
    assert len(ticks) == count


def test_sys_exit_does_not_end_the_notebook():
    def leaves(z, codes):
        raise SystemExit

    assert "SystemExit" in check(lab01.nearest_code, leaves).says


def test_within_returns_values_and_passes_errors_on():
    assert within(1, lambda a: a + 1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        within(1, lambda: 1 / 0)
    with pytest.raises(TooSlow):
        within(0.05, time.sleep, 0.5)


def test_an_answer_keeps_a_mark_for_each_test_it_passes_but_a_named_mistake_none():
    exercise = Exercise(
        "e",
        (Test("one", lambda a: a > 0), Test("two", lambda a: a > 5), Test("three", lambda a: a != 4)),
        (Mistake("small", lambda a: a < 3),),
    )
    assert (check(exercise, 1).marks, check(exercise, 1).says) == (0, "small")
    assert (check(exercise, 3).marks, check(exercise, 3).says) == (2, "It fails this test: two. You gave 3.")
    assert (check(exercise, 4).marks, check(exercise, 4).says) == (1, "It fails this test: two. You gave 4.")
    assert check(exercise, 9).marks == 3
    raises = Exercise("r", (Test("one", lambda a: 1 / 0), Test("two", lambda a: True)))
    assert (check(raises, 1).marks, check(raises, 1).says[:32]) == (1, "Your code raised ZeroDivisionErr")


@pytest.mark.filterwarnings("ignore:deprecated")
def test_a_warning_is_no_mistake_and_leaves_nothing_on_stderr(capsys):
    def warns(z, codes):
        warnings.warn("deprecated", stacklevel=1)
        print("loud", file=sys.stderr)
        return RIGHT["nearest_code"][0](z, codes)

    assert check(lab01.nearest_code, warns).state == "passed"
    assert capsys.readouterr().err == ""


def test_a_grader_reads_the_marks_and_a_student_the_sentence():
    bundle = check(lab01.nearest_code, RIGHT["nearest_code"][0])._repr_mimebundle_()
    assert bundle["text/plain"] == "3"
    assert bundle["text/markdown"] == "✓ nearest_code: passed. All 3 tests pass."


def test_feedback_is_announced_and_escaped():
    html = check(lab01.nearest_code, lambda z, c: 1 / 0)._repr_mimebundle_()["text/html"]
    assert 'role="status"' in html
    assert "ZeroDivisionError" in html
    nasty = Exercise("<b>", (Test("never", lambda a: False),))
    assert "&lt;b&gt;" in check(nasty, 1)._repr_mimebundle_()["text/html"]


def test_an_answer_that_writes_into_its_arguments_spoils_nothing():
    def spoils(z, codes):
        codes.zero_()
        return z.zero_().sum(1)

    assert check(lab01.nearest_code, spoils).state == "wrong"
    assert check(lab01.nearest_code, RIGHT["nearest_code"][0]).state == "passed"
    check(lab01.perplexity, lambda tokens, k: tokens.zero_().sum())
    assert check(lab01.perplexity, RIGHT["perplexity"][0]).state == "passed"
    check(lab01.ema_step, lambda n, s, z, t, g: (n.zero_(), s.zero_(), z.zero_()))
    assert check(lab01.ema_step, RIGHT["ema_step"][0]).state == "passed"
