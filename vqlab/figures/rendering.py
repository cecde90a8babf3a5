"""Sheets to draw on: figures of 1–3 panels at fixed places, wiped and used again because making one takes long."""

import io
from collections import defaultdict

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation
from PIL import Image

STYLE = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.hinting": "no_hinting",  # looks the same at this size, and text is half of what drawing costs
}
_LABEL_INCHES = 0.3, 0.45  # from the axes to the labels of x and y
_SPARE: dict[int, list[Figure]] = defaultdict(list)  # wiped sheets by number of panels


def canvas(panels: int, title: str) -> tuple[Figure, list[Axes]]:
    """An opaque figure 11 inches wide with 1–3 panels at fixed places, so that nothing moves between states."""
    try:
        figure = _SPARE[panels].pop()
    except IndexError:
        figure = Figure(figsize=(11, 4.3), dpi=100, facecolor="white")
        FigureCanvasAgg(figure)
        for place in _places(panels):
            _fix_labels(figure.add_axes(place))
    figure.suptitle(title, x=0.012, y=0.985, ha="left", fontsize=15, fontweight="bold")
    return figure, figure.axes


def recycle(figure: Figure) -> None:
    """Wipe a figure made by `canvas`, for the next picture. Whoever calls this must be its only owner."""
    for axis, place in zip(figure.axes, _places(len(figure.axes)), strict=True):
        _wipe(axis)
        axis.set_position(place)
    _SPARE[len(figure.axes)].append(figure)


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes. Flat colours need no more than a palette, which makes the file small."""
    with rc_context(STYLE):
        figure.canvas.draw()
    image = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, "png")
    return buffer.getvalue()


def _places(panels: int) -> list[tuple[float, float, float, float]]:
    left, right, gap = 0.065, 0.98, 0.075
    width = (right - left - gap * (panels - 1)) / panels
    return [(left + i * (width + gap), 0.135, width, 0.62) for i in range(panels)]


def _fix_labels(axis: Axes) -> None:
    """Axis labels at fixed distances: wide tick labels do not push them about, nor are measured to find a place."""
    inches = axis.figure.dpi_scale_trans
    below = axis.transAxes + ScaledTranslation(0, -_LABEL_INCHES[0], inches)
    beside = axis.transAxes + ScaledTranslation(-_LABEL_INCHES[1], 0, inches)
    axis.xaxis.set_label_coords(0.5, 0, transform=below)
    axis.yaxis.set_label_coords(0, 0.5, transform=beside)


def _wipe(axis: Axes) -> None:
    """Empty a panel but keep its ticks: making those is what `Axes.clear` spends its time on."""
    for artist in [*axis.lines, *axis.collections, *axis.patches, *axis.images, *axis.texts]:
        artist.remove()
    axis.containers.clear()
    if axis.get_legend():
        axis.get_legend().remove()
    axis.grid(False)
    axis.set(xscale="linear", yscale="linear", xlabel="", ylabel="")  # a scale brings its own locators and formatters
    axis.set_title("", loc="left")
    axis.set_prop_cycle(None)
    axis.set_xlim(0, 1, auto=True)
    axis.set_ylim(0, 1, auto=True)
    axis.relim()
