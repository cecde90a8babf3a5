"""What a student sees under the cell: the verdict, and a small instance with what they gave and what is right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vqlab.exercises.checks import Exercise, Question
    from vqlab.exercises.running import Outcome

_MOST_SHOWN = 12  # numbers of an array


@dataclass(frozen=True)
class Feedback:
    """What the student sees. state: "not yet", "wrong" or "passed"; marks: one for each test that passes, of `out_of`.

    mistake: the sentence that names it, "" if none is recognised.   tests: whether each passes, in order.
    """

    exercise: str
    state: str
    says: str
    marks: int
    out_of: int
    mistake: str = ""
    tests: tuple[bool, ...] = ()

    def __str__(self) -> str:
        sign = {"not yet": "○", "wrong": "✗", "passed": "✓"}[self.state]
        return f"{sign} {self.exercise}: {self.state}. {self.says}"

    def _repr_mimebundle_(self, **_: object) -> dict:
        colour = {"not yet": "#6b6b6b", "wrong": "#B03A00", "passed": "#00704F"}[self.state]
        text = re.sub("`([^`]+)`", r"<code>\1</code>", escape(str(self)))
        html = f'<p role="status" style="border-left:5px solid {colour};padding-left:8px">{text}</p>'
        # nbgrader takes a bare number for partial credit, and anything else for full credit.
        return {"text/plain": str(self.marks), "text/markdown": str(self), "text/html": html}


def instance(
    exercise: "Exercise", question: "Question", outcome: "Outcome", right: tuple, parts: Sequence[int] | None
) -> str:
    """One question in words: "For z = …: you gave …; right is ….", in digits enough to tell the two apart.

    Of a value only what was given is said: the right one is what the student has to find.
    """
    if exercise.is_value:
        return f"You gave {', '.join(_shown(part, 6) for part in outcome.parts)}." if outcome.parts else ""
    names = exercise.task.names
    given = ", ".join(f"{name} = {_argument(a)}" for name, a in zip(names, question.arguments, strict=True))
    if not outcome.parts:
        return f"(For {given}.)" if outcome.raised else ""
    differing = [
        part
        for part in (range(len(right)) if parts is None else parts)
        if not exercise.same(question.arguments, outcome.parts[part], right[part])
    ]
    part = (differing or parts or [0])[0]
    of = f"{exercise.task.returns[part]}: " if exercise.task.returns else ""
    return f"For {given}: {of}{_apart(outcome.parts[part], right[part])}."


def _argument(value: object) -> str:
    if isinstance(value, np.ndarray):
        return _shown(value, 6) if value.size <= _MOST_SHOWN else f"(an array of shape {value.shape})"
    return str(value) if not isinstance(value, float) else f"{value:.6g}"


def _apart(answer: np.ndarray, right: np.ndarray) -> str:
    if right.ndim == 0 and answer.size == 1:
        answer = answer.reshape(())
    place = ""
    if answer.shape != right.shape and max(answer.size, right.size) > _MOST_SHOWN:
        return f"you gave an array of shape {answer.shape}; right is one of shape {right.shape}"
    if answer.size > _MOST_SHOWN:
        off = np.abs(np.nan_to_num(answer.astype(float), nan=np.inf) - right)
        worst = np.unravel_index(off.argmax(), off.shape)
        place = f"at {[int(i) for i in worst]} "
        answer, right = answer[worst], right[worst]
    for digits in (4, 6, 9, 17):
        mine, others = _shown(np.asarray(answer), digits), _shown(np.asarray(right), digits)
        if mine != others:
            break
    return f"{place}you gave {mine}; right is {others}"


def _shown(array: np.ndarray, digits: int) -> str:
    if array.size > _MOST_SHOWN:
        return f"an array of shape {array.shape}"
    if array.dtype.kind == "f":
        array = np.vectorize(lambda x: float(f"{x:.{digits}g}") + 0.0, otypes=[float])(array.astype(float))
    return str(array.tolist())
