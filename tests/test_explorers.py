"""Every explorer of every lab at every position of its sliders: speed, pictures that hold still, words that move."""

import base64
import io
import re
import statistics
from collections import defaultdict

import explorers
import pytest
from PIL import Image

from vqlab import figures

FOUND = {source.stem: explorers.of_lab(source) for source in explorers.SOURCES}
EXPLORERS = {f"{lab[:2]}-{i}": explorer for lab, made in FOUND.items() for i, explorer in enumerate(made)}
every_explorer = pytest.mark.parametrize("explorer", EXPLORERS.values(), ids=EXPLORERS)


def picture(explorer) -> bytes:
    return base64.b64decode(re.search(r"base64,([^\"]+)", explorer._picture.value).group(1))


def alt(explorer) -> str:
    return re.search(r'alt="([^"]*)"', explorer._picture.value).group(1)


def test_every_lab_has_an_explorer():
    assert all(FOUND.values())


@pytest.mark.timed
@every_explorer
def test_a_redraw_takes_less_than_150_ms(explorer):
    assert statistics.median(explorers.redraw_seconds(explorer)) < 0.15


@every_explorer
def test_every_move_changes_the_picture_and_its_words_but_not_the_layout(explorer, monkeypatch):
    size = Image.open(io.BytesIO(picture(explorer))).size
    pictures, words = defaultdict(set), defaultdict(set)
    for name, value in explorers.moves(explorer):
        explorer.set(**{name: value})
        pictures[name].add(picture(explorer))
        words[name].add(alt(explorer) + explorer._status.value)
        assert Image.open(io.BytesIO(picture(explorer))).size == size
        assert re.search(r"\d", alt(explorer)), "the alt text states no number"
        with monkeypatch.context() as patched:
            patched.setattr("vqlab.figures.sheets._SPARE", defaultdict(list))
            fresh = figures.png(explorer.current().figure)
        assert picture(explorer) == fresh, f"{name} = {value} differs on a used sheet"
    for name in explorer.sliders:
        assert len(pictures[name]) > 1, f"{name} moves no picture"
        assert len(words[name]) > 1, f"{name} changes no word"
