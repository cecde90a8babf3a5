"""Every explorer, prediction and view of every lab, found by running the labs' sources, each once."""

import io
import os
import re
import runpy
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, chdir, redirect_stdout
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from vqlab import labs
from vqlab.figures import View, canvas, recycle, styled
from vqlab.widgets import Explorer, Prediction

LABS = Path(__file__).parents[1] / "labs"
SOURCES = [lab.source for lab in labs.every()]


class Drawn(NamedTuple):
    """What a view showed, in words and in numbers."""

    words: str
    numbers: np.ndarray


def count(source: Path) -> int:
    """How many explorers a lab makes, read from its source without running it."""
    return len(re.findall(r"^(?:\w+ = )?Explorer(?:\.of)?\(", source.read_text(encoding="utf-8"), re.M))


@cache
def walk(source: Path) -> list[Explorer | Prediction | Drawn]:
    """What a lab's source makes and draws from top to bottom, in this order; it is run once, when first asked for."""
    made: list[Explorer | Prediction | Drawn] = []

    def remembering(what: type, keep: Callable = lambda one: one) -> AbstractContextManager:
        begin = what.__init__

        def remember(self: object, *arguments: object, **named: object) -> None:
            begin(self, *arguments, **named)
            made.append(keep(self))

        return patch.object(what, "__init__", remember)

    with remembering(Explorer), remembering(Prediction), remembering(View, drawn):  # noqa: SIM117
        with chdir(LABS), redirect_stdout(io.StringIO()):
            runpy.run_path(os.fspath(source))
    return made


def drawn(view: View) -> Drawn:
    """All words of a view, and all numbers along the axes of its artists."""
    axes = view.figure.axes
    words = [view.alt, view.status, view.figure.get_suptitle()]
    words += [text.get_text() for axis in axes for text in (*axis.texts, axis._left_title)]
    numbers = [line.get_xydata() for axis in axes for line in axis.lines]
    numbers += [np.ma.filled(artist.get_offsets(), np.nan) for axis in axes for artist in axis.collections]
    return Drawn("\n".join(words), np.concatenate([np.ravel(part).astype(float) for part in [[], *numbers]]))


def of_lab(source: Path) -> list[Explorer]:
    """The explorers that a lab makes, in the order of its cells."""
    return [one for one in walk(source) if isinstance(one, Explorer)]


def moves(explorer: Explorer) -> Iterator[tuple[str, object]]:
    """Every other position of every slider, one at a time; the slider is back at its start before the next moves."""
    for name, slider in explorer.sliders.items():
        others = [value for value in slider.values if value != slider.start]
        for value in [*others, slider.start]:
            yield name, value


@styled
def _plain() -> View:
    sheet, panels = canvas(3, "A picture")
    for panel in panels:
        panel.plot([0, 1], [0, 1])
    return View(sheet, "", "")


def plain_seconds() -> float:
    """How long this thread computes, at present, for a picture of three panels with a line in each, drawn anew."""
    with patch.dict("vqlab.figures.rendering._SCALES", clear=True):
        start = time.thread_time()
        view = _plain()
        view.html()
        recycle(view.figure)
        return time.thread_time() - start


def redraw_seconds(explorer: Explorer, name: str, value: object) -> float:
    """How long this thread computes from a move of a slider to a new picture and status."""
    start = time.thread_time()  # what else the process does, an endless loop of another test, say, is no part of it
    explorer.set(**{name: value})
    return time.thread_time() - start


def slowness(explorer: Explorer) -> float:
    """How often a plain picture fits into a redraw, both as medians, drawn in turn."""
    pairs = [(redraw_seconds(explorer, *move), plain_seconds()) for move in moves(explorer)]
    redraws, plain = map(statistics.median, zip(*pairs, strict=True))
    return redraws / plain
