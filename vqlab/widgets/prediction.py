"""Commit to a number before you see the measurement."""

from collections.abc import Callable, Sequence
from html import escape
from math import isfinite

import ipywidgets as w

from vqlab.figures import spread


class Prediction(w.VBox):
    """Commit to a number before you see it. After "Commit" it shows the measured values beside yours.

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
        self._question, self._measured, self._unit, self._of = question, measured, unit, of
        self._least, self._most = possible
        label = f"<p style='line-height:1.5'><b>Predict.</b> {escape(question)}</p>"
        named = {"description": "my prediction", "tooltip": "my prediction", "style": {"description_width": "initial"}}
        self._box = w.Text(placeholder="a number", layout=w.Layout(width="250px"), **named)
        self._commit = w.Button(description="Commit", tooltip="fix your prediction and see the measurement")
        self._answer = w.HTML()
        self._say("")
        self._commit.on_click(lambda _: self.commit())
        super().__init__(
            [w.HTML(label), w.HBox([self._box, self._commit], layout={"flex_flow": "row wrap"}), self._answer]
        )

    def commit(self, prediction: float | None = None) -> str:
        """Fix the prediction (default: what is in the box) and return the sentence that compares it."""
        if prediction is not None:
            self._box.value = str(prediction)
        guess = _number(self._box.value)
        if guess is None or not self._least <= guess <= self._most:
            wanted = f"a number from {self._least:,} to {self._most:,}"
            return self._say(f"Type {wanted} first; “{self._box.value}” is none.")
        self._box.disabled = self._commit.disabled = True
        values = list(self._measured())
        mean = sum(values) / len(values)
        ratio = max(guess, mean) / min(guess, mean) if min(guess, mean) > 0 else float("inf")
        close = "Close!" if ratio < 1.25 else f"Off by a factor of {ratio:.1f}." if ratio < 1e3 else "Far off."
        said = f"You said {guess:g}{self._unit and ' ' + self._unit}."
        return self._say(f"{said} Measured: {spread(values)} ({len(values)} {self._of}). {close}")

    def _repr_mimebundle_(self, **kwargs: object) -> dict | tuple:
        """The widget where there is a kernel; the question alone where there is none."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), "text/markdown": f"**Predict.** {self._question}"}, metadata

    def _say(self, sentence: str) -> str:
        self._answer.value = f"<p role='status' style='min-height:1.5em'>{escape(sentence)}</p>"
        return sentence


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None
    return value if isfinite(value) else None
