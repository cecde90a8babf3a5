"""Widgets in a browser where it is hard for them: a slow kernel, a busy one, a new one, none at all."""

import io
import json
import re
import urllib.request
from collections.abc import Callable, Iterator

import lab_page
import lab_server
import nbformat
import pytest
from PIL import Image
from test_labs import held

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
from vqlab.labs.lab03.live import LiveComparison, Plan

def images():
    return data.photo_patches(64).x, data.photo_patches(8, seed=1).x, "Trained on crops."

LiveComparison(Plan(steps=100_000, warmup=10, codebook_size=16, width=4, every=2), images)
"""
_OWN_IMAGE = """
from vqlab.labs.lab03.checkpoints import own_image
own_image()
"""
_BUSY = f"time.sleep({BUSY_SECONDS})"


@pytest.fixture
def notebook(context, url, request) -> Iterator[Callable[..., lab_page.LabPage]]:
    """(code of cells) -> a notebook of these, open in a page and run."""
    pages = []

    def open_and_run(*cells: str) -> lab_page.LabPage:
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
        made.metadata.kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        name = re.sub(r"\W", "_", request.node.name)
        content = json.dumps({"type": "notebook", "content": made}).encode()
        put = urllib.request.Request(f"{url}/api/contents/{name}.ipynb", content, method="PUT")
        urllib.request.urlopen(put).close()
        pages.append(context.new_page())
        lab = lab_page.LabPage(pages[-1], url, name)
        lab.run_all()
        return lab

    yield open_and_run
    for page in pages:
        page.close()
    lab_server.end_sessions(url)


def test_on_a_slow_kernel_a_drag_makes_no_queue_and_ends_on_the_right_picture(notebook):
    lab = notebook(_EXPLORER, "len(drawn)")
    (explorer,) = lab.explorers()
    explorer.root.evaluate("e => probe.watchPictures(e)")
    start, end = explorer.path(explorer.tracks[0])
    with held(lab.page, "mouse", start) as move:
        move(end, 1.2)
    explorer.wait_for_status("^x is 120$")
    assert "a line up to 120" in explorer.shown()["alt"]
    lab.page.wait_for_timeout(1000 * 3 * SLOW_SECONDS)
    assert explorer.shown()["status"] == "x is 120"
    # Twelve positions went by; the kernel drew those that it had time for, and none of them after the last.
    assert explorer.root.evaluate("e => e.picturesSeen.length") - 1 <= 8


def test_no_digit_is_lost_while_the_kernel_is_busy(notebook):
    lab = notebook(_PREDICTION, "import time")
    box, commit = lab.page.get_by_label("my prediction"), lab.page.get_by_role("button", name="Commit")
    lab.add_and_start(_BUSY)
    box.press_sequentially("4")
    commit.focus()
    box.press("End")
    box.press_sequentially("80")
    commit.click()
    assert (
        lab.answer()
        == "You said 480. Measured: 384 ± 6 (2 seeds). Too high by 96, 16 standard deviations, a factor of 1.2."
    )
    assert box.is_disabled()


def test_enter_commits(notebook):
    lab = notebook(_PREDICTION)
    box = lab.page.get_by_label("my prediction")
    box.press_sequentially("384,5")
    box.press("Enter")
    assert lab.answer().startswith("You said 384.5. Measured: 384 ± 6 (2 seeds). Close")


def test_after_a_restart_widgets_say_what_to_do(notebook):
    lab = notebook(_PREDICTION, _EXPLORER)
    sentences = lab.page.locator(".vqlab-asleep")
    assert [sentence.is_visible() for sentence in sentences.all()] == [False, False]
    lab.restart()
    sentences.first.wait_for()
    assert ["run the lab from the top again" in words for words in sentences.all_inner_texts()] == [True, True]
    lab.wait_for_kernel()


def test_a_saved_notebook_shows_its_pictures_without_its_kernel(notebook, url):
    lab = notebook(_PREDICTION, _EXPLORER, _STATIC)
    assert lab.page.locator(".vqlab-still").count() == 2
    assert not lab.page.locator(".vqlab-still >> visible=true").count()
    lab.page.keyboard.press("Control+s")
    lab.page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    lab_server.end_sessions(url)
    lab.reopen()
    stills = lab.page.locator(".vqlab-still >> visible=true")
    stills.nth(1).wait_for()
    assert stills.count() == 2
    assert "How many?" in stills.nth(0).inner_text()
    assert stills.nth(1).locator("img").evaluate("e => e.naturalWidth > 0 && e.alt") == "a line up to 0"
    assert lab.page.locator("img[alt='a line up to 70']").is_visible()
    assert not lab.page.get_by_text("Error displaying widget").locator("visible=true").count()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_follow_the_theme_of_the_page(notebook, theme):
    lab = notebook(_VIEW + _STATIC)
    lab.look(theme=theme)
    image = lab.page.locator("img.vqlab-picture")
    assert image.evaluate("e => getComputedStyle(e).colorScheme") == theme
    paper = lab_page.corner_color(image)
    assert (max(paper) < 40) if theme == "dark" else (min(paper) > 240)


def test_two_trainings_side_by_side_show_moving_pictures_until_they_are_cancelled(notebook):
    lab = notebook(_LIVE)
    (comparison,) = lab.widgets()
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


def test_a_picture_can_be_uploaded_and_what_is_none_costs_a_sentence_and_nothing_else(notebook):
    lab = notebook(_OWN_IMAGE)
    (own,) = lab.widgets()

    def upload(name: str, content: bytes) -> None:
        with lab.page.expect_file_chooser() as chooser:
            own.root.get_by_role("button", name="Your picture").click()
        chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": content})

    first = own.shown()
    png = io.BytesIO()
    Image.linear_gradient("L").resize((60, 40)).save(png, "PNG")
    upload("gradient.png", png.getvalue())
    mine = own.wait_for_another(first)
    for name, content in (("words.png", b"no picture"), ("huge.png", bytes(5_500_000))):
        upload(name, content)
        said = own.wait_for_status("^Not shown: ")
        assert said.count(". ") == 0
        assert own.shown()["src"] == mine["src"]
        upload("gradient.png", png.getvalue())
        own.wait_for(mine)
    (which,) = own.lists
    for key in ("Space", "ArrowUp", "Enter"):
        which.press(key)
    own.wait_for_another(mine)
    assert lab.error_outputs() == []
