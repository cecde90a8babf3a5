"""The checker itself: endless loops, exits, noise, written arguments, what counts as equal, what a student reads."""

import logging
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vqlab.exercises import Exercise, Mistake, Test, check, near, number
from vqlab.exercises.comparing import Incomparable, as_array
from vqlab.exercises.running import TooSlow, within
from vqlab.labs.lab01 import exercises as lab01
from vqlab.labs.lab01.answers import RIGHT


def double(values):
    return 2 * values


def some(rng, i):
    return (rng.uniform(1, 2, size=2 + i),)


doubled = Exercise(
    "doubled",
    double,
    tests=(Test("positive", some), Test("negative", lambda rng, i: (-some(rng, i)[0],))),
    mistakes=(Mistake("You take half.", lambda values: values / 2),),
)

LOOPS = {
    "plain": "while True: time.sleep(0.001)",
    "except": "while True:\n  try: time.sleep(0.001)\n  except Exception: continue",
    "bare except": "while True:\n  try: time.sleep(0.001)\n  except: pass",
}


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_an_endless_loop_comes_back_and_its_thread_ends(loop):
    ticks, given, over = [], {}, threading.Event()

    def sleep(seconds):
        ticks.append(1)
        time.sleep(seconds)
        while over.is_set():  # what cannot be stopped rests until the tests are over
            time.sleep(60)

    exec("def endless(z, codebook):\n" + "\n".join("  " + line for line in loop.splitlines()), given)
    given["time"] = SimpleNamespace(sleep=sleep)
    start = time.process_time()
    feedback = check(lab01.nearest_code, given["endless"], seconds=0.3)
    assert time.process_time() - start < 3
    assert (feedback.state, feedback.marks) == ("wrong", 0)
    assert "ran longer than 0.3 s" in feedback.says
    time.sleep(0.1)
    count = len(ticks)
    time.sleep(0.3)
    assert len(ticks) == count or "restart the kernel" in feedback.says
    over.set()


def test_slow_on_some_instances_keeps_the_marks_of_the_others():
    def slow_below_zero(values):
        while values[0] < 0:
            time.sleep(0.001)
        return 2 * values

    feedback = check(doubled, slow_below_zero, seconds=0.3)
    assert (feedback.state, feedback.marks) == ("wrong", 1)
    assert "ran longer" in feedback.says


def test_sys_exit_does_not_end_the_notebook():
    def leaves(z, codebook):
        raise SystemExit

    assert "SystemExit" in check(lab01.nearest_code, leaves).says


def test_within_returns_values_and_passes_errors_on():
    assert within(1, lambda a: a + 1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        within(1, lambda: 1 / 0)
    with pytest.raises(TooSlow):
        within(0.05, time.sleep, 0.5)


def test_an_answer_keeps_a_mark_for_each_test_it_passes_whether_its_mistake_has_a_name_or_not():
    assert check(doubled, double).marks == 2
    half_right = check(doubled, lambda values: 2 * abs(values))
    assert half_right.marks == 1
    assert half_right.says.startswith("It fails this test: negative. For values = [-1.")
    named = check(doubled, lambda values: values * 0.5)
    assert named.marks == 0
    assert named.says.startswith("You take half. For values = [")
    half_named = check(doubled, lambda values: values / 2 if values[0] > 0 else 2 * values)
    assert half_named.marks == 1
    slips = replace(doubled, mistakes=(Mistake("Sign.", abs, lambda values: 2 * abs(values)),))
    assert (check(slips, lambda values: 2 * abs(values)).marks, check(slips, abs).marks) == (1, 0)
    assert check(slips, lambda values: 2 * abs(values)).mistake == "Sign."
    raises = check(doubled, lambda values: 2 * values if values[0] > 0 else 1 / 0)
    assert raises.marks == 1
    assert raises.says.startswith("Your code raised ZeroDivisionError: division by zero. (Test: negative.) (For values")
    assert check(doubled, lambda values: None).says == (
        "It fails this test: positive. Your function returns None: is there a `return`?"
    )


def test_a_mistake_is_named_only_if_it_explains_every_answer():
    assert "half" not in check(doubled, lambda values: values / 2 if values[0] > 0 else values).says
    assert "half" in check(doubled, lambda values: values / 2 if values[0] > 0 else 1 / 0).says


def test_what_was_given_and_what_is_right_differ_in_print():
    says = check(doubled, lambda values: 2.004 * values).says
    given, right = says.split("you gave ")[1].split("; right is ")
    assert given != right.rstrip(".")


def test_of_a_long_array_the_worst_entry_is_shown():
    long = Exercise("long", double, tests=(Test("long", lambda rng, i: (rng.uniform(1, 2, size=30),)),))
    says = check(long, lambda values: 2 * values + 1.0 * (np.arange(30) == 7)).says
    assert "For values = (an array of shape (30,)): at [7] you gave" in says
    assert "an array of shape (60,); right is one of shape (30,)" in check(long, lambda values: np.tile(values, 2)).says


def test_a_failed_gradient_shows_the_gradient_and_not_the_value():
    says = check(lab01.straight_through, lambda z, z_q: 3 * z + (z_q - 3 * z).detach()).says
    assert "It fails this test: backward, z receives the gradient unchanged." in says
    assert "the gradient that z receives: you gave" in says


def test_a_value_is_never_told_and_noted_as_given():
    seven = Exercise(
        "seven", lambda: 7, tests=(Test("it is seven"),), mistakes=(Mistake("Small.", seen=number(lambda n: n < 3)),)
    )
    assert check(seven, 7.0).state == "passed"
    assert check(seven, 2).says == "Small. You gave 2."
    assert check(seven, 5).says == "It fails this test: it is seven. You gave 5."
    assert "You gave a function" in check(seven, lambda: 7).says


def test_noise_is_no_mistake_and_leaves_nothing_behind(capfd):
    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(handler)

    def loud(values):
        warnings.warn("deprecated", stacklevel=1)
        print("loud")
        print("loud", file=sys.stderr)
        logging.getLogger().error("loud")
        return 2 * values

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            assert check(doubled, loud).state == "passed"
        assert capfd.readouterr() == ("", "")
        logging.getLogger().error("after")
        assert "after" in capfd.readouterr().err
    finally:
        logging.getLogger().removeHandler(handler)


def test_an_answer_that_writes_into_its_arguments_is_refused_and_spoils_nothing():
    def writes(values):
        values *= 2
        return values

    feedback = check(doubled, writes)
    assert feedback.marks == 0
    assert feedback.says == "Your function writes into its argument `values`: work on a copy. (Test: positive.)"
    assert check(doubled, double).state == "passed"
    for name in ("nearest_code", "perplexity", "ema_step"):
        exercise = getattr(lab01, name)
        assert check(exercise, lambda *arguments: arguments[0].zero_().sum()).state == "wrong"
        assert check(exercise, RIGHT[name][0]).state == "passed"


NUMBERS = [3, 3.0, True + 2, np.float16(3), np.array([[3]]), [3], (3.0,), torch.tensor(3), torch.tensor([3.0])]
NUMBERS += [torch.tensor([3.0], requires_grad=True), torch.tensor(3.0, dtype=torch.bfloat16), torch.tensor(3).half()]
NUMBERS += [Decimal(3), [Decimal(3)], Fraction(3), np.array(Fraction(3), object), [np.array(3)], [torch.tensor(3)]]


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
def test_one_rule_for_every_kind_of_number(value):
    assert near(as_array(value), np.asarray(3.0))
    assert not near(as_array(value), np.asarray(3.1))


@pytest.mark.parametrize(
    "value", ["3", b"3", 3j, np.array([3j]), torch.tensor(3j), {3}, {3: 3}, [3, [3]], print, object()]
)
def test_one_sentence_for_what_is_no_number(value):
    with pytest.raises(Incomparable, match=r"^You gave [^.]*$"):
        as_array(value)


def test_shapes_and_truth_values_count():
    assert not near(np.zeros((2, 1)), np.zeros(2))
    assert not near(np.zeros(()), np.zeros(1))
    assert near(np.array([True]), np.array(True))
    assert not near(np.array(1), np.array(True))
    assert near(np.array([np.nan, 1.0]), np.array([np.nan, 1.0]))
    assert not near(np.array(1e-4), np.array(0.0))
    assert not near(np.array(0.0), np.array(1e-5))


def test_a_grader_reads_the_marks_and_a_student_the_sentence():
    bundle = check(lab01.nearest_code, RIGHT["nearest_code"][0])._repr_mimebundle_()
    assert bundle["text/plain"] == "3"
    assert bundle["text/markdown"] == "✓ nearest_code: passed. All 3 tests pass."


def test_feedback_is_announced_and_escaped():
    html = check(lab01.nearest_code, lambda z, codebook: 1 / 0)._repr_mimebundle_()["text/html"]
    assert 'role="status"' in html
    assert "ZeroDivisionError" in html
    nasty = Exercise("<b>", double, (Test("never", some),))
    assert "&lt;b&gt;" in check(nasty, 1)._repr_mimebundle_()["text/html"]


def test_exercises_come_without_torch_and_a_check_is_quick():
    script = "import sys, vqlab.exercises; from vqlab.labs.lab01 import exercises; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
    start = time.process_time()  # what the check itself costs, however busy the machine is
    check(lab01.ema_step, RIGHT["ema_step"][0])
    assert time.process_time() - start < 1
