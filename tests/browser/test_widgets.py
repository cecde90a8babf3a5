"""Widgets in a browser where it is hard for them: a slow kernel, a busy one, none at all.

Two notebooks are opened: one for all that a kernel does, one that loses its kernel.
"""

import io
import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import lab_page
import lab_server
import nbformat
import pytest
from PIL import Image

SLOW_SECONDS = 0.3
BUSY_SECONDS = 2
_VIEW = f"""
import time
from vqlab.figures import View, canvas, styled
from vqlab.widgets import Explorer, Slider
drawn = []

@styled
def view(state):
    time.sleep({SLOW_SECONDS})
    drawn.append(state["x"])
    figure, (axis,) = canvas(1, f"x is {{state['x']}}")
    axis.plot([0, state["x"]])
    return View(figure, f"a line up to {{state['x']}}", f"x is {{state['x']}}")

"""
_EXPLORER = f"""{_VIEW}
Explorer([Slider("x", "length x", tuple(range(0, 130, 10)), start=0)], view)
"""
_STATIC = "view({'x': 70})"
_PREDICTION = """
from vqlab.widgets import Prediction
Prediction("How many?", measured=lambda: [378.0, 390.0], possible=(1, 512))
"""
_LIVE = """
from vqlab import data
from vqlab.figures.side_by_side import Plan
from vqlab.labs.lab03.live import LiveComparison

def images():
    return data.photo_patches(64).x, data.photo_patches(8, seed=1).x, "Trained on crops."

LiveComparison(Plan(steps=100_000, warmup=10, codebook_size=16, width=4, every=2), images)
"""
_OWN_IMAGE = """
from vqlab.labs.lab03.checkpoints import own_image
own_image()
"""
_BUSY = f"time.sleep({BUSY_SECONDS})"


@contextmanager
def opened(context, url: str, name: str, *cells: str) -> Iterator[lab_page.LabPage]:
    """A notebook of these cells, open in a page and run."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
    made.metadata.kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    content = json.dumps({"type": "notebook", "content": made}).encode()
    put = urllib.request.Request(f"{url}/api/contents/{name}.ipynb", content, method="PUT")
    urllib.request.urlopen(put).close()
    page = context.new_page()
    lab = lab_page.LabPage(page, url, name)
    lab.run_all()
    yield lab
    page.close()
    lab_server.end_sessions(url)


@pytest.fixture(scope="module")
def run(context, url) -> Iterator[lab_page.LabPage]:
    """Every widget in one notebook that has been run."""
    with opened(context, url, "widgets", _PREDICTION, _PREDICTION, _EXPLORER, _STATIC, _LIVE, _OWN_IMAGE) as lab:
        yield lab


@pytest.fixture
def lab(run) -> lab_page.LabPage:
    run.look()
    return run


class PredictionOnPage:
    """A prediction: its number box, its button, and what it says once it is committed."""

    def __init__(self, lab: lab_page.LabPage, which: int) -> None:
        box = lab.page.get_by_label("my prediction")
        self._root = lab.page.locator(".jp-OutputArea-output .widget-vbox").filter(has=box).nth(which)
        self.box, self.commit = (
            self._root.get_by_label("my prediction"),
            self._root.get_by_role("button", name="Commit"),
        )

    def answer(self) -> str:
        return self._root.get_by_role("status").filter(has_text=re.compile("You said|Type a number")).inner_text()


def test_on_a_slow_kernel_a_drag_makes_no_queue_and_ends_on_the_right_picture(lab):
    (explorer,) = lab.explorers()
    explorer.root.evaluate("e => probe.watchPictures(e)")
    start, end = explorer.path(explorer.tracks[0])
    with lab.held("mouse", start) as move:
        move(end, 1.2)
    explorer.wait_for_status("^x is 120$")
    assert "a line up to 120" in explorer.shown()["alt"]
    lab.page.wait_for_timeout(1000 * 3 * SLOW_SECONDS)
    assert explorer.shown()["status"] == "x is 120"
    # Twelve positions went by; the kernel drew those that it had time for, and none of them after the last.
    assert explorer.root.evaluate("e => e.picturesSeen.length") - 1 <= 8


def test_no_digit_is_lost_while_the_kernel_is_busy(lab):
    prediction = PredictionOnPage(lab, 0)
    lab.add_and_start(_BUSY)
    prediction.box.press_sequentially("4")
    prediction.commit.focus()
    prediction.box.press("End")
    prediction.box.press_sequentially("80")
    prediction.commit.click()
    assert (
        prediction.answer()
        == "You said 480. Measured: 384 ± 6 (2 seeds). Too high by 96, 16 standard deviations, a factor of 1.2."
    )
    assert prediction.box.is_disabled()


def test_enter_commits(lab):
    prediction = PredictionOnPage(lab, 1)
    prediction.box.press_sequentially("384,5")
    prediction.box.press("Enter")
    assert prediction.answer().startswith("You said 384.5. Measured: 384 ± 6 (2 seeds). Close")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_follow_the_theme_of_the_page(lab, theme):
    lab.look(theme=theme)
    image = lab.page.locator("img[alt='a line up to 70']")
    assert image.evaluate("e => getComputedStyle(e).colorScheme") == theme
    paper = lab_page.corner_color(image)
    assert (max(paper) < 40) if theme == "dark" else (min(paper) > 240)


def test_two_trainings_side_by_side_show_moving_pictures_until_they_are_cancelled(lab):
    _, comparison, _ = lab.widgets()
    live, cancel = comparison.button("Train it live"), comparison.button("Cancel")
    comparison.root.evaluate("e => probe.watchPictures(e)")
    live.press("Enter")
    comparison.wait_until("e.picturesSeen.length > 3")
    assert live.is_disabled()
    cancel.press("Enter")
    assert "Trained on crops." in comparison.wait_for_status("cancelled")
    assert live.is_enabled()
    assert cancel.is_disabled()
    assert comparison.root.evaluate("e => new Set(e.picturesSeen).size") > 3


def test_a_picture_can_be_uploaded_and_what_is_none_costs_a_sentence_and_nothing_else(lab):
    _, _, own = lab.widgets()

    def upload(name: str, content: bytes) -> None:
        with lab.page.expect_file_chooser() as chooser:
            own.root.get_by_role("button", name="Your picture").click()
        chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": content})

    first = own.shown()
    png = io.BytesIO()
    Image.linear_gradient("L").resize((60, 40)).save(png, "PNG")
    upload("gradient.png", png.getvalue())
    own.wait_for_another(first)
    lab.settle()  # the picture comes a moment before the sentence below it
    mine = own.shown()
    for name, content in (("words.png", b"no picture"), ("huge.png", bytes(12_000_000))):
        upload(name, content)
        said = own.wait_for_status("^Not shown: ")
        assert said.count(". ") == 0
        assert own.shown()["src"] == mine["src"]
        upload("gradient.png", png.getvalue())
        own.wait_for(mine)
    (which,) = own.lists
    own.choose(which)
    own.wait_for_another(mine)
    assert lab.error_outputs() == []


def test_a_notebook_says_what_to_do_after_a_restart_and_shows_its_pictures_without_a_kernel(context, url):
    with opened(context, url, "without_a_kernel", _PREDICTION, _EXPLORER, _STATIC) as lab:
        stills, asleep = lab.page.locator(".vqlab-still"), lab.page.locator(".vqlab-asleep")
        for hidden in (stills, asleep):
            assert [part.is_visible() for part in hidden.all()] == [False, False]
        lab.page.keyboard.press("Control+s")
        lab.page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
        lab.restart()
        asleep.first.wait_for()
        assert ["run the lab from the top again" in words for words in asleep.all_inner_texts()] == [True, True]
        lab.wait_for_kernel()
        lab_server.end_sessions(url)
        lab.reopen()
        shown = lab.page.locator(".vqlab-still >> visible=true")
        shown.nth(1).wait_for()
        assert shown.count() == 2
        assert "How many?" in shown.nth(0).inner_text()
        assert shown.nth(1).locator("img").evaluate("e => e.naturalWidth > 0 && e.alt") == "a line up to 0"
        assert lab.page.locator("img[alt='a line up to 70']").is_visible()
        assert not lab.page.get_by_text("Error displaying widget").locator("visible=true").count()
