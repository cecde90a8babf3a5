"""That no lab gives away what it asks to predict: not in words, not in a picture, neither before nor right after."""

import re
from pathlib import Path

import explorers
import nbformat
import numpy as np
import pytest
from explorers import Drawn

from vqlab.figures import spread
from vqlab.widgets import Prediction

_SHOWN = 3  # digits


def asked(source: Path) -> list[tuple[Prediction, list[Drawn], list[Drawn]]]:
    """Every prediction of a lab with what its views show before it, and what the first one after it shows."""
    events = [event for event in explorers.walk(source) if isinstance(event, Prediction | Drawn)]
    found = []
    for at, event in enumerate(events):
        if isinstance(event, Prediction):
            seen = [[one for one in part if isinstance(one, Drawn)] for part in (events[:at], events[at:])]
            found.append((event, seen[0], seen[1][:1]))
    return found


def number_shown(prediction: Prediction) -> tuple[str, float]:
    """What Commit will say was measured, as written, and the mean itself."""
    values = np.asarray(list(prediction.measured()), float)
    return spread(values, _SHOWN).split(" ± ")[0], float(values.mean())


def tells(words: str, number: str) -> bool:
    return re.search(rf"(?<![\d.,]){re.escape(number)}(?![.,]?\d)", words) is not None


def section_outputs(notebook: nbformat.NotebookNode, cell: int) -> str:
    """The words of all stored outputs from the top to the end of the section after that of a cell."""
    headings = [i for i, one in enumerate(notebook.cells) if i > cell and re.match("## ", one.source)]
    end = headings[1] if len(headings) > 1 else len(notebook.cells)
    outputs = [output for one in notebook.cells[:end] for output in one.get("outputs", [])]
    data = [output.get("data", {}) for output in outputs]
    words = [output.get("text", "") for output in outputs]
    return "\n".join(
        [*words, *(str(bundle.get(kind, "")) for bundle in data for kind in ("text/plain", "text/markdown"))]
    )


@pytest.mark.parametrize("source", explorers.SOURCES, ids=lambda source: source.stem[:2])
def test_no_picture_shows_the_answer_before_it_is_asked_for(source):
    found = asked(source)
    assert found, "this lab asks for no prediction"
    for prediction, before, after in found:
        number, mean = number_shown(prediction)
        for words, drawn_numbers in before + after:
            assert not tells(words, number), f"{number} stands in: {words}"
            near = np.isclose(drawn_numbers, mean, rtol=10.0**-_SHOWN, atol=0)
            assert not near.any(), f"{mean} is drawn beside: {words}"


@pytest.mark.parametrize("source", explorers.SOURCES, ids=lambda source: source.stem[:2])
def test_no_stored_output_tells_the_answer_before_it_is_asked_for(source):
    notebook = nbformat.read(explorers.LABS / f"{source.stem}.ipynb", 4)
    cells = [i for i, cell in enumerate(notebook.cells) if re.search(r"^Prediction\(", cell.source, re.M)]
    predictions = [prediction for prediction, _, _ in asked(source)]
    assert len(cells) == len(predictions)
    for cell, prediction in zip(cells, predictions, strict=True):
        number, _ = number_shown(prediction)
        assert not tells(section_outputs(notebook, cell), number), number


def test_an_answer_is_found_however_it_is_surrounded():
    assert tells("perplexity 384 ± 6", "384")
    assert tells("it reads 384.", "384")
    assert not tells("1,384 or 384.5 or 3841", "384")
