"""Every explorer of every lab at every position of its sliders: speed, pictures that hold still, words that move."""

import re
import statistics
from collections import defaultdict

import explorers
import pytest

PLACES = [(source, i) for source in explorers.SOURCES for i in range(explorers.count(source))]
MOST = 6  # from a move to its picture, in times of a plain picture drawn at that time: a busy machine slows both
FRESH = 5  # one move of so many is drawn on a fresh sheet as well
every_explorer = pytest.mark.parametrize(
    "explorer", PLACES, indirect=True, ids=[f"{source.stem[:2]}-{i}" for source, i in PLACES]
)


@pytest.fixture
def explorer(request):
    source, i = request.param
    return explorers.of_lab(source)[i]


def picture(explorer) -> str:
    return explorer._picture.value


def layout(explorer) -> list[str]:
    return re.findall(r"aspect-ratio:[\d/]+|flex:[^;]+", picture(explorer))


def alt(explorer) -> str:
    return re.search(r'alt="([^"]*)"', picture(explorer)).group(1)


@pytest.mark.parametrize("source", explorers.SOURCES, ids=lambda source: source.stem)
def test_every_lab_has_an_explorer(source):
    assert len(explorers.of_lab(source)) == explorers.count(source) >= 1


@every_explorer
def test_every_move_is_drawn_soon_and_changes_picture_and_words_but_not_the_layout(explorer, monkeypatch):
    places = layout(explorer)
    pictures, words, seconds, plain = defaultdict(set), defaultdict(set), [], []
    explorers.redraw_seconds(explorer, *next(explorers.moves(explorer)))  # what is read once is read now
    for i, (name, value) in enumerate(explorers.moves(explorer)):
        seconds.append(explorers.redraw_seconds(explorer, name, value))
        pictures[name].add(picture(explorer))
        words[name].add(alt(explorer) + explorer._status.value)
        assert layout(explorer) == places
        assert re.search(r"\d", alt(explorer)), "the alt text states no number"
        if i < FRESH or i % FRESH == 0:
            plain.append(explorers.plain_seconds())
        if i % FRESH == 0:
            with monkeypatch.context() as patched:
                patched.setattr("vqlab.figures.sheets._SPARE", defaultdict(list))
                patched.setattr("vqlab.figures.rendering._SCALES", {})
                fresh = explorer.current().html()
            assert picture(explorer) == fresh, f"{name} = {value} differs on a used sheet"
    slower = statistics.median(seconds) / statistics.median(plain)
    for _ in range(2):  # a neighbour may have hit the one and missed the other; it does not do so three times
        if slower >= MOST:
            slower = min(slower, explorers.slowness(explorer))
    print(f"{slower:.1f} times a plain picture")
    assert slower < MOST
    for name in explorer.sliders:
        assert len(pictures[name]) > 1, f"{name} moves no picture"
        assert len(words[name]) > 1, f"{name} changes no word"
