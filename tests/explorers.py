"""Every explorer of every lab, found by running the labs' sources: what is asked of one is asked of all."""

import io
import os
import re
import runpy
import time
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from functools import cache
from pathlib import Path
from unittest.mock import patch

from vqlab import labs
from vqlab.widgets import Explorer

LABS = Path(__file__).parents[1] / "labs"
SOURCES = [lab.source for lab in labs.every()]


def count(source: Path) -> int:
    """How many explorers a lab makes, read from its source without running it."""
    return len(re.findall(r"^(?:\w+ = )?Explorer(?:\.of)?\(", source.read_text(encoding="utf-8"), re.M))


@cache
def of_lab(source: Path) -> list[Explorer]:
    """The explorers that a lab makes, in the order of its cells; the lab is run once, when they are first asked for."""
    made: list[Explorer] = []
    begin = Explorer.__init__

    def remember(self: Explorer, *arguments: object, **named: object) -> None:
        begin(self, *arguments, **named)
        made.append(self)

    quiet = redirect_stdout(io.StringIO())
    with chdir(LABS), quiet, patch.object(Explorer, "__init__", remember):
        runpy.run_path(os.fspath(source))
    return made


def moves(explorer: Explorer) -> Iterator[tuple[str, object]]:
    """Every other position of every slider, one at a time; the slider is back at its start before the next moves."""
    for name, slider in explorer.sliders.items():
        others = [value for value in slider.values if value != slider.start]
        for value in [*others, slider.start]:
            yield name, value


def redraw_seconds(explorer: Explorer) -> list[float]:
    """How long this process computes from a move of a slider to a new picture and status, for every move."""
    seconds = []
    for name, value in moves(explorer):
        start = time.process_time()
        explorer.set(**{name: value})
        seconds.append(time.process_time() - start)
    return seconds
