"""A lab open in a browser, and its explorers as hands find them: by role and name, with the keyboard."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PROBE = Path(__file__).with_name("probe.js")
PATIENCE_MS, _LOOK_MS = 60_000, 200
WIDE, NARROW = {"width": 1300, "height": 1000}, {"width": 480, "height": 1000}
WIDTHS = (1300, 1000, 900, 700, 480)
_ERRORS = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]'
# What conditions on an explorer speak of.
_PARTS = "const image = probe.picture(e), status = e.querySelector('[role=status]')?.textContent;"
_STRIDE_SECONDS = 0.05  # of a hand that drags
_WIDGET = ".jp-OutputArea-output .widget-vbox:has(img):has([role=status])"


class LabPage:
    """One notebook in one page. `problems`: errors of the page's own code."""

    def __init__(self, page: Page, url: str, name: str) -> None:
        self.page, self.name, self._url, self.problems = page, name, url, []
        self._looks = ()  # what `look` has been asked for last
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        self._open(name)

    def _open(self, workspace: str) -> None:
        # A workspace of its own: else JupyterLab opens the labs of before again.
        self.page.goto(f"{self._url}/doc/workspaces/{workspace}/tree/{self.name}.ipynb", wait_until="domcontentloaded")
        self.page.locator(".jp-Notebook").wait_for()
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        """Wait until the kernel is there and idle."""
        # Cells that are run before the kernel is connected are emptied in silence; only the status bar tells.
        self._wait("() => /ipykernel.*Idle/.test(document.querySelector('.jp-StatusBar-Left')?.textContent)")

    def reopen(self) -> None:
        """Open the notebook anew, as it was saved, with a new kernel that has run nothing."""
        self._open(f"{self.name}-again")

    def restart(self) -> None:
        """Restart the kernel by the button of the notebook."""
        self.page.locator("[data-command='notebook:restart-kernel'], [data-command='kernelmenu:restart']").first.click()
        self.page.locator(".jp-Dialog .jp-mod-accept").click()

    def add_and_start(self, code: str) -> None:
        """Type a new cell at the end and start it; returns while it runs."""
        self.page.locator(".jp-Cell").last.locator(".jp-InputPrompt").click()
        self.page.keyboard.press("b")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Control+Enter")
        self.page.locator(".jp-InputPrompt", has_text="[*]").wait_for()

    def run_all(self) -> None:
        """Run every cell and wait until each has its number, or one has failed, and all pictures are there."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self._wait(
            """errors => document.querySelector(errors) || [...document.querySelectorAll(
                '.jp-CodeCell .jp-InputPrompt')].every(prompt => /\\[\\d+\\]/.test(prompt.textContent))""",
            _ERRORS,
        )

    def _wait(self, condition: str, argument: str | None = None) -> None:
        """Wait for a condition in the page; accept the "Select Kernel" dialog that a slow kernel brings up."""
        accept = "document.querySelector('.jp-Dialog .jp-mod-accept')?.click();"
        self.page.wait_for_function(f"x => {{ {accept} return ({condition})(x); }}", arg=argument, polling=_LOOK_MS)

    def settle(self) -> None:
        """Wait until the page is whole: theme, widgets and pictures are there and laid out, and the kernel is idle."""
        # JupyterLab hides all of itself for a moment when it changes its theme, and widgets are drawn one by one.
        self.page.evaluate("milliseconds => probe.whole(milliseconds)", PATIENCE_MS)

    def look(self, size: dict[str, int] | None = None, theme: str = "light", files: bool = False) -> None:
        """Give the window this size (WIDE unless told) and theme, with or without the file browser at the left."""
        wanted = size or WIDE, theme, files
        if wanted == self._looks:
            return
        self.page.set_viewport_size(size or WIDE)
        self.page.emulate_media(color_scheme=theme)
        panel = self.page.locator("#jp-left-stack")
        if panel.is_visible() != files:
            self.page.locator('.jp-SideBar.jp-mod-left [data-id="filebrowser"]').click()
        panel.wait_for(state="visible" if files else "hidden")
        self.settle()
        self._looks = wanted

    @contextmanager
    def held(self, hand: str, place: tuple[float, float]) -> Iterator[Callable[[tuple[float, float], float], None]]:
        """Take hold at a point by "mouse" or "touch", and let go as the block ends.

        Gives (to, seconds): go there slowly, holding on.
        """
        touch = self.page.context.new_cdp_session(self.page) if hand == "touch" else None

        def put(kind: str, place: tuple | None) -> None:
            points = [] if place is None else [{"x": place[0], "y": place[1]}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        def move(to: tuple, seconds: float) -> None:
            nonlocal place
            strides = round(seconds / _STRIDE_SECONDS)
            for i in range(1, strides + 1):
                at = tuple(a + (b - a) * i / strides for a, b in zip(place, to, strict=True))
                put("touchMove", at) if touch else self.page.mouse.move(*at)
                self.page.wait_for_timeout(1000 * _STRIDE_SECONDS)
            place = to

        if touch:
            put("touchStart", place)
        else:
            self.page.mouse.move(*place)
            self.page.mouse.down()
        yield move
        put("touchEnd", None) if touch else self.page.mouse.up()

    def error_outputs(self) -> list[str]:
        """Tracebacks and warnings that cells have left."""
        stderr = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'
        return self.page.locator(f"{_ERRORS}, {stderr}").all_inner_texts()

    def explorers(self) -> list[ExplorerOnPage]:
        """Every explorer, from top to bottom: whatever has sliders and a picture."""
        return [widget for widget in self.widgets() if widget.tracks]

    def widgets(self) -> list[ExplorerOnPage]:
        """Every widget with a picture and a status, from top to bottom."""
        self.settle()
        return [ExplorerOnPage(one) for one in self.page.locator(_WIDGET).all()]


class ExplorerOnPage:
    """One explorer: its controls, what it shows, and waiting for it to show something else."""

    def __init__(self, root: Locator) -> None:
        self.root, self._page, self._key = root, root.page, "ArrowUp"
        self.tracks = root.locator(".noUi-handle").all()  # of the boxes, in this order

    @cached_property
    def boxes(self) -> list[Locator]:
        """Its number boxes."""
        return self.root.get_by_role("spinbutton").all()

    @cached_property
    def lists(self) -> list[Locator]:
        """Its lists of words."""
        return self.root.get_by_role("combobox").all()

    def shown(self) -> dict[str, str]:
        """The picture, its alt text and the status."""
        return self.root.evaluate("e => ({...probe.picture(e), status: e.querySelector('[role=status]').textContent})")

    def button(self, name: str) -> Locator:
        """A button by its name."""
        return self.root.get_by_role("button", name=name, exact=True)

    def step(self, track: Locator) -> None:
        """Move a slider by one arrow key in its number box, always in one direction until it is at an end."""
        now, low, high = (float(track.get_attribute(f"aria-value{which}")) for which in ("now", "min", "max"))
        if now in (low, high):
            self._key = "ArrowUp" if now == low else "ArrowDown"
        self.boxes[self.tracks.index(track)].press(self._key)

    def choose(self, words: Locator) -> None:
        """Choose the next word of a list by its keys, or the one before where there is none."""
        # Space opens the list; while it is closed JupyterLab takes the arrow keys, to go from cell to cell.
        for key in ("Space", "ArrowUp" if words.evaluate("e => e.selectedIndex") else "ArrowDown", "Enter"):
            words.press(key)

    def path(self, track: Locator) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where a handle is and where its track ends, at the side that is farther away: two points on the page."""
        track.scroll_into_view_if_needed()
        handle = track.bounding_box()
        rail = track.locator("xpath=ancestor::*[contains(@class, 'noUi-base')]").bounding_box()
        x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
        left, right = rail["x"], rail["x"] + rail["width"]
        return (x, y), (right if right - x > x - left else left, y)

    def wait_until(self, condition: str, argument: object = None) -> None:
        """Wait for a condition on `e`, the explorer's element, and `x`, the argument."""
        self._page.wait_for_function(
            f"([e, x]) => {{ {_PARTS} return {condition}; }}", arg=[self.root.element_handle(), argument]
        )

    def wait_for_another(self, before: dict[str, str]) -> dict[str, str]:
        """Wait for another picture with another alt text or status."""
        self.wait_until("image && image.src !== x.src && status && image.alt + status !== x.alt + x.status", before)
        return self.shown()

    def wait_for(self, picture: dict[str, str]) -> None:
        """Wait for a picture shown before, with its alt text and status."""
        self.wait_until("image?.src === x.src && image.alt === x.alt && status === x.status", picture)

    def wait_for_status(self, words: str) -> str:
        """Wait until the status matches a regular expression; returns it."""
        self.wait_until("status && new RegExp(x).test(status)", words)
        return self.shown()["status"]

    def tab_order(self) -> list[dict]:
        """Tag and middle (x, y) of everything that Tab reaches from the first control on, in this order."""
        self.root.locator("input, select").first.focus()
        reached = []
        while True:
            at = self._page.evaluate(
                """root => {
                    const at = document.activeElement;
                    if (!root.contains(at)) return null;
                    const {x, y, width, height} = at.getBoundingClientRect();
                    return {tag: at.tagName, x: x + width / 2, y: y + height / 2};
                }""",
                self.root.element_handle(),
            )
            if at is None:
                return reached
            reached.append(at)
            self._page.keyboard.press("Tab")


def corner_color(picture: Locator) -> tuple[int, int, int]:
    """Red, green and blue of the lower left corner of a picture, as painted."""
    image = Image.open(io.BytesIO(picture.screenshot())).convert("RGB")
    return image.getpixel((2, image.height - 3))
