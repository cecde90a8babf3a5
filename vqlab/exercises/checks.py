"""In-place feedback on exercises, and marks for the same exercises.

An exercise is a list of tests on the student's function or value. Each test compares it with the right answer on a
small case; a table of tempting wrong answers names the mistake and the hint to open. Blank exercises raise
`NotImplementedError`, and then the check says "not yet".

An answer earns a mark for each test it passes. But a mistake that the check has named earns nothing: its name and
its hint stood under the cell long before anybody handed it in.
"""

import ctypes
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from html import escape
from io import StringIO

SECONDS = 5.0
_LONGEST_SHOWN = 80  # characters of an answer


@dataclass(frozen=True)
class Test:
    """One comparison: `passes(answer)` is given the student's function or value and says whether it is right."""

    __test__ = False  # pytest must not take it for one of its own
    says: str
    passes: Callable[[object], bool]


@dataclass(frozen=True)
class Mistake:
    """A tempting wrong answer: `looks_like(answer)` recognises it; `says` names it and points at a hint."""

    says: str
    looks_like: Callable[[object], bool]


@dataclass(frozen=True)
class Exercise:
    """name: as in the lab.   tests: a mark each.   mistakes: in the order they are tried, no marks for any."""

    name: str
    tests: Sequence[Test]
    mistakes: Sequence[Mistake] = field(default=())

    def __call__(self, answer: object) -> "Feedback":
        """Check the student's function or value and show the result under the cell."""
        return check(self, answer)


@dataclass(frozen=True)
class Feedback:
    """What the student sees. state: "not yet", "wrong" or "passed"; marks out of `out_of`, 0 if a mistake is named."""

    exercise: str
    state: str
    says: str
    marks: int
    out_of: int

    def __str__(self) -> str:
        sign = {"not yet": "○", "wrong": "✗", "passed": "✓"}[self.state]
        return f"{sign} {self.exercise}: {self.state}. {self.says}"

    def _repr_mimebundle_(self, **_: object) -> dict:
        colour = {"not yet": "#6b6b6b", "wrong": "#B03A00", "passed": "#00704F"}[self.state]
        text = re.sub("`([^`]+)`", r"<code>\1</code>", escape(str(self)))
        html = f'<p role="status" style="border-left:5px solid {colour};padding-left:8px">{text}</p>'
        # A grader takes a bare number for partial credit, and anything else for full credit.
        return {"text/plain": str(self.marks), "text/markdown": str(self), "text/html": html}


class TooSlow(BaseException):
    """The student's code ran longer than allowed. Not an `Exception`, so that their `except` lets it through."""


def check(exercise: Exercise, answer: object, seconds: float = SECONDS) -> Feedback:
    """Run the tests of an exercise on an answer; every test gets `seconds`, so an endless loop comes back.

    A mark for each test passed, but none for a wrong answer that looks like one of the mistakes or returned None.
    """
    # A grader gives nothing to a cell that has written to stderr, even if it was only a warning.
    with redirect_stderr(StringIO()):
        return _check(exercise, answer, seconds)


def _check(exercise: Exercise, answer: object, seconds: float) -> Feedback:
    def feedback(state: str, says: str, marks: int = 0) -> Feedback:
        return Feedback(exercise.name, state, says, marks, len(exercise.tests))

    if answer is None or answer is Ellipsis:
        return feedback("not yet", "Fill in your answer above and run the cell again.")
    answer = _Watched(answer) if callable(answer) else answer
    passed, failed = 0, ""
    for test in exercise.tests:
        try:
            if within(seconds, test.passes, answer):
                passed += 1
            else:
                failed = failed or f"It fails this test: {test.says}. {_what_came(answer)}"
        except NotImplementedError:
            return feedback("not yet", "Replace `raise NotImplementedError` by your code.")
        except TooSlow:
            says = f"Your code ran longer than {seconds:g} s and was stopped: is there a loop that never ends?"
            return feedback("wrong", says, passed)
        except Exception as error:  # the student's code may raise anything: that is what is being checked
            raised = f"Your code raised {type(error).__name__}: {str(error).rstrip('.')}. (Test: {test.says}.)"
            failed = failed or raised
    if not failed:
        return feedback("passed", "The test passes." if passed == 1 else f"All {passed} tests pass.", passed)
    named = _name_mistake(exercise, answer, seconds)
    return feedback("wrong", named or failed, 0 if named else passed)


class _Watched:
    """The student's function, what it came back with, and whether that was ever nothing."""

    def __init__(self, function: Callable) -> None:
        self._function, self.returned_none, self.last = function, False, None

    def __call__(self, *arguments: object) -> object:
        self.last = self._function(*arguments)
        self.returned_none = self.returned_none or self.last is None
        return self.last


def _what_came(answer: object) -> str:
    value = answer.last if isinstance(answer, _Watched) else answer
    shown = " ".join(repr(value).split())
    return f"You gave {shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + '…'}."


def _name_mistake(exercise: Exercise, answer: object, seconds: float) -> str:
    """The sentence of the first mistake that the answer looks like, "" if it is like none."""
    if isinstance(answer, _Watched) and answer.returned_none:
        return "Your function returns None: is there a `return`?"
    for mistake in exercise.mistakes:
        try:
            if within(seconds, mistake.looks_like, answer):
                return mistake.says
        except (Exception, TooSlow):  # an answer too odd for this comparison is not this mistake
            continue
    return ""


def within(seconds: float, function: Callable, *arguments: object) -> object:
    """function(*arguments), or `TooSlow` after so many seconds. Works in any thread and on any system."""
    result: dict[str, object] = {}
    thread = threading.Thread(target=_keep, args=(result, function, arguments), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        # Asks the interpreter to raise inside the loop; code stuck in C keeps its thread but not ours.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TooSlow))
        raise TooSlow
    if "error" in result:
        raise result["error"]
    return result["value"]


def _keep(result: dict, function: Callable, arguments: Sequence) -> None:
    try:
        result["value"] = function(*arguments)
    except (SystemExit, KeyboardInterrupt) as error:
        result["error"] = RuntimeError(f"it raises {type(error).__name__}, which would end the notebook")
    except (Exception, TooSlow) as error:
        result["error"] = error
