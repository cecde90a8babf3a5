"""Every lab in a real browser, as a student meets it: run, moved by keyboard, trained live, narrow, dark, fast."""

import itertools
import re
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import lab_page
import pytest

MOST_MS = 250
PRESSES = 4  # of each slider
LEGS, LEG_SECONDS, STRIDE_SECONDS = 4, 0.3, 0.05  # of a drag: a picture has to come on each leg
READABLE = 4.5  # the contrast that WCAG 2 asks of words
SMALLEST_PX, SMALLEST_NARROW_PX = 8.5, 7  # of writing in a picture, in a window of 700 pixels and in a smaller one
FILES_FROM = 900  # a window this wide has room for the file browser


def test_it_runs_without_an_error_and_shows_every_explorer(lab):
    assert lab.error_outputs() == []
    assert lab.problems == []
    assert lab.explorers()
    for explorer in lab.explorers():
        assert re.search(r"\d", explorer.shown()["alt"])
        explorer.wait_until("image.naturalWidth > 0")


def test_every_slider_moves_by_arrow_keys_and_by_its_number_box(lab):
    for explorer in lab.explorers():
        assert len(explorer.tracks) == len(explorer.boxes)
        for track, box in zip(explorer.tracks, explorer.boxes, strict=True):
            before, value = explorer.shown(), box.input_value()
            explorer.step(track)
            explorer.wait_for_another(before)
            assert box.input_value() != value
            box.fill(value)
            box.press("Enter")
            explorer.wait_for(before)


@pytest.mark.parametrize("hand", ["mouse", "touch"])
def test_the_picture_follows_while_a_slider_is_dragged(lab, hand):
    for explorer in lab.explorers():
        explorer.root.evaluate("e => probe.watchPictures(e)")
        track, box = explorer.tracks[0], explorer.boxes[0]
        now, most = (float(track.get_attribute(f"aria-value{which}")) for which in ("now", "max"))
        legs = int(min(LEGS, max(now, most - now)))  # each goes to another position
        start, end = explorer.path(track)
        value = box.input_value()
        with held(lab.page, hand, start) as move:
            for leg in range(1, legs + 1):
                seen = explorer.root.evaluate("e => e.picturesSeen.length")
                move(tuple(a + (b - a) * leg / legs for a, b in zip(start, end, strict=True)), LEG_SECONDS)
                explorer.wait_until("e.picturesSeen.length > x", seen)
            assert box.input_value() != value
        assert track.get_attribute("aria-valuenow") in ("0.0", f"{most}")


@contextmanager
def held(page, hand: str, place: tuple) -> Iterator[Callable[[tuple, float], None]]:
    """Take hold at a point. Gives (to, seconds): go there slowly, holding on. The hand lets go as the block ends."""
    touch = page.context.new_cdp_session(page) if hand == "touch" else None

    def put(kind: str, place: tuple | None) -> None:
        points = [] if place is None else [{"x": place[0], "y": place[1]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def move(to: tuple, seconds: float) -> None:
        nonlocal place
        strides = round(seconds / STRIDE_SECONDS)
        for i in range(1, strides + 1):
            at = tuple(a + (b - a) * i / strides for a, b in zip(place, to, strict=True))
            put("touchMove", at) if touch else page.mouse.move(*at)
            page.wait_for_timeout(1000 * STRIDE_SECONDS)
        place = to

    if touch:
        put("touchStart", place)
    else:
        page.mouse.move(*place)
        page.mouse.down()
    yield move
    put("touchEnd", None) if touch else page.mouse.up()


def test_every_list_moves_by_keyboard(lab):
    for explorer in lab.explorers():
        for words in explorer.lists:
            before = explorer.shown()
            # Space opens the list; while it is closed JupyterLab takes the arrow keys, to go from cell to cell.
            for key in ("Space", "ArrowUp" if words.evaluate("e => e.selectedIndex") else "ArrowDown", "Enter"):
                words.press(key)
            explorer.wait_for_another(before)


def test_a_number_that_is_out_of_range_goes_to_the_end_with_a_sentence(lab):
    for explorer in lab.explorers():
        track, box = explorer.tracks[0], explorer.boxes[0]
        wanted = float(track.get_attribute("aria-valuemax"))
        box.fill("1000000")
        box.press("Enter")
        explorer.wait_for_status("1e[+]06 is not stored: showing")
        assert float(track.get_attribute("aria-valuenow")) == wanted
        assert float(box.input_value()) < 1_000_000
        explorer.step(track)
        explorer.wait_until("!status.includes('is not stored')")


def test_live_training_can_be_cancelled_and_runs_to_its_verdict(lab):
    for explorer in lab.explorers():
        live, cancel = explorer.button("Train it live"), explorer.button("Cancel")
        if not live.count():
            continue
        live.press("Enter")
        explorer.wait_until("/step [\\d,]+ of [\\d,]+/.test(e.textContent)")
        assert live.is_disabled()
        cancel.press("Enter")
        explorer.wait_for_status("cancelled")
        assert live.is_enabled()
        assert cancel.is_disabled()
        before = explorer.shown()
        live.press("Enter")
        explorer.wait_for_status("agree with|DIFFER from")
        assert live.is_enabled()
        explorer.button("Show stored").press("Enter")
        explorer.wait_until("image?.src === x.src", before)
        for words in explorer.lists:  # they look at the stored picture again
            words.press("Space")
            words.press("ArrowUp" if words.evaluate("e => e.selectedIndex") else "ArrowDown")
            words.press("Enter")
            explorer.wait_until("image && image.src !== x.src", before)
            break


def test_playing_goes_on_by_itself_and_pauses(lab):
    for explorer in lab.explorers():
        play = explorer.root.get_by_role("button", name="Play")
        if not play.count():
            continue
        for _ in range(3):  # wherever the tests before have left it: from the last position it goes on with the first
            lab.settle()
            before = explorer.shown()
            if play.count():
                play.press("Enter")
            explorer.wait_for_another(before)
        lab.settle()
        if play.count():
            play.press("Enter")
        explorer.root.get_by_role("button", name="Pause").press("Enter")
        play.wait_for()


@pytest.mark.parametrize(
    ("width", "files"),
    [(width, files) for files in (False, True) for width in lab_page.WIDTHS if not files or width >= FILES_FROM],
)
def test_nothing_is_hidden_or_too_small_at_any_width(opened, width, files):
    opened.look({"width": width, "height": 1000}, files=files)
    page = opened.page.locator(".jp-Notebook")
    assert page.evaluate("e => probe.hidden(e)") == []
    smallest = SMALLEST_PX if width >= 700 else SMALLEST_NARROW_PX
    assert page.evaluate("e => probe.smallestWriting(e)") >= smallest
    for explorer in opened.explorers():
        assert explorer.root.evaluate("e => probe.misfits(e)") == []


@pytest.mark.parametrize("size", [lab_page.WIDE, lab_page.NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("theme", ["light", "dark"])  # a change takes a second: next to the test it happens least
def test_everything_fits_and_can_be_read(opened, size, theme):
    opened.look(size, theme)
    for explorer in opened.explorers():
        explorer.root.scroll_into_view_if_needed()
        assert explorer.root.evaluate("e => probe.misfits(e)") == []
        contrast, words = explorer.root.evaluate("e => probe.lowestContrast(e)")
        assert contrast >= READABLE, words


@pytest.mark.parametrize("size", [lab_page.WIDE, lab_page.NARROW], ids=["wide", "narrow"])
def test_nothing_jumps_when_a_slider_moves(opened, size):
    opened.look(size)
    for explorer in opened.explorers():
        explorer.root.evaluate("e => probe.watchLayout(e)")
        for track in explorer.tracks:
            before = explorer.shown()
            explorer.step(track)
            explorer.wait_until("image && image.src !== x.src", before)
        places = explorer.root.evaluate("e => e.layoutSeen()")
        if size == lab_page.NARROW:  # where a sentence has more lines than there is room for
            places = [{**place, "status height": None} for place in places]
        assert all(place == places[0] for place in places), places


def test_every_control_has_a_name_and_every_picture_words(lab):
    for explorer in lab.explorers():
        for role in ("spinbutton", "combobox", "button"):
            controls = explorer.root.get_by_role(role)
            assert explorer.root.get_by_role(role, name=re.compile(r"\w")).count() == controls.count()
        # ipywidgets gives the handle of a slider no name: the number box of the same setting must do.
        assert explorer.root.get_by_role("slider").count() == 0
        assert len(explorer.tracks) == len(explorer.boxes)
        assert explorer.root.get_by_role("status").count() == 1
    for first in lab.page.locator(".jp-OutputArea-output img:first-child").all():  # of the panels of a picture
        assert re.search(r"\d", first.get_attribute("alt") or "")


def test_tab_goes_through_the_controls_as_they_are_read_then_the_buttons(lab):
    for explorer in lab.explorers():
        reached = explorer.tab_order()
        buttons = explorer.root.get_by_role("button", disabled=False).count()
        assert reached
        assert len(reached) == len(explorer.boxes + explorer.lists) + buttons
        assert [stop["tag"] for stop in reached[len(reached) - buttons :]] == ["BUTTON"] * buttons
        for one, other in itertools.pairwise(reached):
            below = other["y"] > one["y"] + 10
            beside = abs(other["y"] - one["y"]) <= 10 and other["x"] > one["x"]
            assert below or beside


@pytest.mark.timed
def test_a_key_press_is_answered_at_once(lab, latencies):
    times = []
    for explorer in lab.explorers():
        explorer.root.evaluate("e => probe.stopwatch(e)")
        presses = 0
        for track in explorer.tracks:
            for _ in range(PRESSES):
                explorer.step(track)
                presses += 1
                explorer.wait_until("e.stopwatch.length >= x", presses)
        times += explorer.root.evaluate("e => e.stopwatch")
    median = latencies[lab.name] = statistics.median(times)
    print(f"{lab.name}: median {median:.0f} ms, slowest {max(times):.0f} ms, of {len(times)} key-presses")
    assert median <= MOST_MS
