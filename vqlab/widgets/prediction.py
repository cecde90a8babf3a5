"""Commit to a number before you see the measurement."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from math import isfinite

import ipywidgets as w
import numpy as np

from vqlab.figures import spread
from vqlab.widgets import hosts

# The page may still hold back what was typed last until the kernel has answered for what was typed before.
_GRACE_SECONDS = 0.25
_CLOSE = 2  # standard deviations
_ASLEEP = (
    f'<p class="{hosts.ASLEEP}">The kernel of this question is gone: run the lab from the top again, then commit.</p>'
)


class Prediction(w.VBox):
    """Commit to a number before you see it. After "Commit", or Enter, it shows the measured values beside yours.

    question: one sentence.   measured: a function that returns the values, one for each repetition.
    possible: the least and the most that can come out; no other prediction is taken.
    of: what a repetition is ("seeds", "draws").   unit: may be empty.
    """

    def __init__(
        self,
        question: str,
        measured: Callable[[], Sequence[float]],
        possible: tuple[float, float],
        unit: str = "",
        of: str = "seeds",
    ) -> None:
        self.measured = measured
        self._question, self._unit, self._of = question, unit, of
        self._least, self._most = possible
        label = f"<style>{hosts.ASLEEP_STYLE}</style><p style='line-height:1.5'><b>Predict.</b> {escape(question)}</p>"
        named = {"description": "my prediction", "tooltip": "my prediction", "style": {"description_width": "initial"}}
        self._box = w.Text(placeholder="a number", continuous_update=False, layout=w.Layout(width="250px"), **named)
        self._button = w.Button(description="Commit", tooltip="fix your prediction and see the measurement")
        self._answer = w.HTML()
        self._say("")
        self._button.on_click(lambda _: self._commit_soon())
        self._box.on_msg(lambda _, message, buffers: message.get("event") == "submit" and self._commit_soon())
        row = w.HBox([self._box, self._button], layout={"flex_flow": "row wrap"})
        super().__init__([w.HTML(label), row, w.HTML(_ASLEEP), self._answer])

    def commit(self, prediction: float | None = None) -> str:
        """Fix the prediction (default: what is in the box) and return the sentence that compares it."""
        if prediction is not None:
            self._box.value = str(prediction)
        guess = next((number for number in _readings(self._box.value) if self._least <= number <= self._most), None)
        if guess is None:
            wanted = f"a number from {self._least:,} to {self._most:,}"
            return self._say(f"Type {wanted} first; “{self._box.value}” is none.")
        self._box.disabled = self._button.disabled = True
        values = np.asarray(list(self.measured()), float)
        said = f"You said {guess:g}{self._unit and ' ' + self._unit}."
        return self._say(f"{said} Measured: {spread(values)} ({len(values)} {self._of}). {_verdict(guess, values)}")

    def _commit_soon(self) -> None:
        try:
            asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._commit_once)
        except RuntimeError:
            self._commit_once()

    def _commit_once(self) -> None:
        if not self._button.disabled:
            self.commit()

    def _ipython_display_(self, **_: object) -> None:
        """The widget where there is a kernel; the question where there is none."""
        question, how = f"**Predict.** {self._question}", "Run this cell, type a number and commit to it."
        html = f"<p><b>Predict.</b> {escape(self._question)} <i>{how}</i></p>"
        hosts.show(self, {"text/html": html, "text/markdown": f"{question} *{how}*", "text/plain": self._question}, {})

    def _say(self, sentence: str) -> str:
        self._answer.value = f"<p role='status' style='min-height:1.5em'>{escape(sentence)}</p>"
        return sentence


def _verdict(guess: float, values: np.ndarray) -> str:
    mean, deviation = values.mean(), values.std()
    off = abs(guess - mean)
    if off <= _CLOSE * deviation or spread([guess]) == spread([mean]):
        return "Close: no farther off than the measured values are from each other."
    way = "high" if guess > mean else "low"
    ratio = max(guess, mean) / min(guess, mean) if min(guess, mean) > 0 else float("inf")
    times = f", {off / deviation:,.0f} standard deviations" if deviation > 0 and off < 1e3 * deviation else ""
    factor = f", a factor of {ratio:.2g}" if ratio < 100 else ""
    return f"Too {way} by {off:.3g}{times}{factor}."


def _readings(text: str) -> Iterator[float]:
    """The numbers that a text may mean, the likelier first: "4,000" is four thousand, "38,4" 38.4.

    A comma before exactly three digits groups, as the labs write it, unless nothing but 0 stands before it; a point is
    always a decimal point, unless a comma follows it.
    """
    text = re.sub(r"[\s_\u00a0\u202f]", "", text).replace("−", "-")
    if re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", text):
        yield from _number(text.replace(",", ""))
    if text.count(",") == 1:
        yield from _number(
            text.replace(".", "").replace(",", ".") if "." in text.split(",")[0] else text.replace(",", ".")
        )
    if "," not in text:
        yield from _number(text)


def _number(text: str) -> Iterator[float]:
    try:
        value = float(text)
    except ValueError:
        return
    if isfinite(value):
        yield value
