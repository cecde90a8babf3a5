"""Commit to a number before you see the measurement."""

from collections.abc import Callable, Sequence
from html import escape

import ipywidgets as w

from vqlab.sliders import LABEL_STYLE
from vqlab.views import spread


class Prediction(w.VBox):
    """Commit to a number before you see it. After "Commit" it shows the measured values beside yours.

    question: one sentence.   measured: the values over seeds, or a function that returns them.   unit: may be empty.
    """

    def __init__(self, question: str, measured: Callable[[], Sequence[float]], unit: str = "") -> None:
        self._measured, self._unit = measured, unit
        label = f"<p style='line-height:1.5'><b>Predict.</b> {escape(question)}</p>"
        self._box = w.FloatText(description="my prediction", style=LABEL_STYLE, layout=w.Layout(width="300px"))
        self._commit = w.Button(description="Commit", tooltip="fix your prediction and see the measurement")
        self._answer = w.HTML("<p role='status' style='min-height:1.5em'></p>")
        self._commit.on_click(lambda _: self.commit())
        super().__init__([w.HTML(label), w.HBox([self._box, self._commit]), self._answer])

    def commit(self, prediction: float | None = None) -> str:
        """Fix the prediction (default: what is in the box) and return the sentence that compares it."""
        if prediction is not None:
            self._box.value = prediction
        guess, values = self._box.value, list(self._measured())
        self._box.disabled = self._commit.disabled = True
        mean = sum(values) / len(values)
        ratio = max(guess, mean) / min(guess, mean) if min(guess, mean) > 0 else float("inf")
        close = "Close!" if ratio < 1.25 else f"Off by a factor of {ratio:.1f}." if ratio < 1e3 else "Far off."
        sentence = (
            f"You said {guess:g}{self._unit and ' ' + self._unit}. Measured: {spread(values)} "
            f"({len(values)} seeds). {close}"
        )
        self._answer.value = f"<p role='status' style='min-height:1.5em'>{escape(sentence)}</p>"
        return sentence
