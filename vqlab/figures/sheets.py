"""Who draws, in which style and on what: everything that drawings share has its one owner here.

matplotlib's settings belong to the whole process, so all drawing and rendering happens inside `drawing()`, one thread
at a time. A sheet is a figure of 1–3 panels at fixed places, wiped and used again: making one anew would add a quarter
to the time of a redraw.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

STYLE = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.hinting": "no_hinting",  # looks the same at this size, and text is half of what drawing costs
    "svg.fonttype": "none",  # text stays text: fewer bytes, sharp, and drawn in a third less time than as paths
    "svg.hashsalt": "vqlab",  # the same picture gives the same bytes
    # Verdana has the widths of DejaVu Sans, so a panel drawn as text fits where that is missing.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
}
LABEL_ROOM = 0.6  # inches that the labels to the left of a panel take, unless `place` is told otherwise
_LABEL_INCHES = 0.3, 0.45  # from the axes to the labels of x and y
_BOTTOM, _HEIGHT = 0.135, 0.62
_OWNER = threading.RLock()
_INSIDE: list[bool] = []  # holds something while its owner draws


class Sheet(Figure):
    """A figure with its panels, the axes that labs draw on, and the room (inches) for labels to the left of each."""

    def __init__(self, panels: int) -> None:
        super().__init__(figsize=(11, 4.3), dpi=100, facecolor="white")
        FigureCanvasAgg(self)
        self.panels = [self.add_axes(place) for place in _places(panels)]
        self.room = [LABEL_ROOM] * panels
        for axis in self.panels:
            _fix_labels(axis)


_SPARE: dict[int, list[Sheet]] = defaultdict(list)  # wiped sheets by number of panels


@contextmanager
def drawing() -> Iterator[None]:
    """The house style, for one thread at a time: what is drawn or rendered belongs inside."""
    with _OWNER:
        if _INSIDE:  # changing matplotlib's settings takes its time, and here they are the house's already
            yield
            return
        _INSIDE.append(True)
        try:
            with rc_context(STYLE):
                yield
        finally:
            _INSIDE.clear()


def canvas(panels: int, title: str) -> tuple[Sheet, list[Axes]]:
    """An opaque figure 11 inches wide with 1–3 panels at fixed places, so that nothing moves between states."""
    with _OWNER:
        sheet = _SPARE[panels].pop() if _SPARE[panels] else Sheet(panels)
    sheet.suptitle(title, x=0.012, y=0.985, ha="left", fontsize=15, fontweight="bold")
    return sheet, list(sheet.panels)


def place(axis: Axes, left: float, right: float, labels: float = LABEL_ROOM) -> None:
    """Move a panel of a `canvas`: left and right as shares of the width; labels: inches for what stands to its left."""
    axis.set_position((left, _BOTTOM, right - left, _HEIGHT))
    axis.figure.room[axis.figure.panels.index(axis)] = labels


def recycle(sheet: Sheet) -> None:
    """Wipe a figure made by `canvas`, for the next picture. Whoever calls this must be its only owner."""
    for extra in [axis for axis in sheet.axes if axis not in sheet.panels]:
        extra.remove()
    title = sheet._suptitle
    for artist in [*sheet.lines, *sheet.patches, *sheet.images, *sheet.legends, *sheet.texts, *sheet.artists]:
        if artist is not title:
            artist.remove()
    for axis, spot in zip(sheet.panels, _places(len(sheet.panels)), strict=True):
        _wipe(axis)
        axis.set_position(spot)
    sheet.room = [LABEL_ROOM] * len(sheet.panels)
    with _OWNER:
        _SPARE[len(sheet.panels)].append(sheet)


def _places(panels: int) -> list[tuple[float, float, float, float]]:
    left, right, gap = 0.065, 0.98, 0.075
    width = (right - left - gap * (panels - 1)) / panels
    return [(left + i * (width + gap), _BOTTOM, width, _HEIGHT) for i in range(panels)]


def _fix_labels(axis: Axes) -> None:
    """Axis labels at fixed distances: wide tick labels do not push them about, nor are measured to find a place."""
    inches = axis.figure.dpi_scale_trans
    below = axis.transAxes + ScaledTranslation(0, -_LABEL_INCHES[0], inches)
    beside = axis.transAxes + ScaledTranslation(-_LABEL_INCHES[1], 0, inches)
    axis.xaxis.set_label_coords(0.5, 0, transform=below)
    axis.yaxis.set_label_coords(0, 0.5, transform=beside)


def _wipe(axis: Axes) -> None:
    """Empty a panel but keep its ticks: making those is what `Axes.clear` spends its time on."""
    for artist in [*axis.lines, *axis.collections, *axis.patches, *axis.images, *axis.texts, *axis.artists]:
        artist.remove()
    axis.containers.clear()
    if axis.get_legend():
        axis.get_legend().remove()
    axis.grid(False)
    axis.set_axis_on()
    axis.set_aspect("auto", adjustable="box", anchor="C")
    axis.set_facecolor("white")
    axis.set(xscale="linear", yscale="linear", xlabel="", ylabel="")  # a scale brings its own locators and formatters
    for side in ("left", "center", "right"):
        axis.set_title("", loc=side)
    axis.set_prop_cycle(None)
    axis.set_xlim(0, 1, auto=True)
    axis.set_ylim(0, 1, auto=True)
    axis.relim()
