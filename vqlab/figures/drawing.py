"""What pictures are drawn with: colours that keep their meaning in every lab, captions, bands over seeds, codes.

A colour never carries its meaning alone: each also has its own marker or line style.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.lines import Line2D

from vqlab import measures
from vqlab.figures.words import spread
from vqlab.sweeps import StoredSweep

# Okabe and Ito's colour-blind-safe palette.
COLD, WARM, LIVE = "#0072B2", "#D55E00", "#000000"
DATA, USED, DEAD = "#8C8C8C", "#009E73", "#B0417A"
RECONSTRUCTION, THEORY = "#0072B2", "#444444"
# Black, white and `THEORY` follow the theme of the page. Ink on an image or a coloured patch must not.
ON_LIGHT, ON_DARK = "#010101", "#FEFEFE"
# Classes: neither the green of used nor the purple of dead codes. Colour and marker together tell 64 classes apart.
CLASS_COLORS = ("#0072B2", "#D55E00", "#56B4E9", "#A6761D", "#444444", "#E69F00", "#7A68B0", "#8DA000")
CLASS_MARKERS = "osD^vP*X"


def caption(axis: Axes, title: str) -> None:
    """The panel's title, and under it the legend in one line, where it can hide no data."""
    axis.set_title(title, loc="left", y=1.1)
    columns = max(1, len(axis.get_legend_handles_labels()[1]))
    axis.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 0.985),
        ncols=columns,
        frameon=False,
        handletextpad=0.3,
        columnspacing=0.9,
        borderaxespad=0,
        handlelength=1.3,
    )


def log2_axes(axis: Axes, x: Sequence[int] = (), y: Sequence[int] = ()) -> None:
    """Make axes logarithmic, with these whole numbers as their ticks; one for which none are given stays linear."""
    if len(x):
        axis.set_xscale("log", base=2)
        axis.set_xticks(x, [f"{tick:,.0f}" for tick in x])
    if len(y):
        axis.set_yscale("log", base=2)
        axis.set_yticks(y, [f"{tick:,.0f}" for tick in y])
    axis.minorticks_off()


def band(axis: Axes, x: np.ndarray, values: np.ndarray, color: str, label: str, **line: object) -> None:
    """Mean line over seeds and the range from the lowest to the highest seed: values (seeds, len(x))."""
    axis.fill_between(x, values.min(0), values.max(0), color=color, alpha=0.2, linewidth=0)
    axis.plot(x, values.mean(0), color=color, label=label, **line)


@cache
def latent_limit(sweep: StoredSweep) -> float:
    """One half-width for all planes of latents of a sweep, with room for every stored latent and code."""
    stored = sweep.at()
    return 1.05 * float(max(np.nanmax(np.abs(stored[key])) for key in ("latents", "codebook")))


def draw_codes(axis: Axes, codebook: np.ndarray, dead: np.ndarray) -> None:
    """The codes of a codebook (K, 2): circles where used, crosses where dead (K,), with their numbers as labels."""
    axis.plot(*codebook[dead].T, "x", color=DEAD, markersize=6, label=f"dead: {dead.sum()}")
    axis.plot(*codebook[~dead].T, "o", color=USED, markersize=3.5, label=f"used: {(~dead).sum()}")


class _ClassMarks(Line2D):
    """Points (n, 2) with a colour and a marker by their class: one artist, for as many of them as there are classes."""

    def __init__(self, points: np.ndarray, y: np.ndarray, size: float, **style: object) -> None:
        super().__init__(*points.T, linestyle="none", markersize=np.sqrt(size), **style)
        self._classes = y
        self._edge = style.get("markeredgecolor")

    def draw(self, renderer: RendererBase) -> None:
        points = self.get_xydata()
        for c in np.unique(self._classes):
            color = CLASS_COLORS[c % len(CLASS_COLORS)]
            self.set_marker(CLASS_MARKERS[_marker(c)])
            self.set_markerfacecolor(color)
            self.set_markeredgecolor(self._edge or color)
            self.set_data(*points[self._classes == c].T)
            super().draw(renderer)
        self.set_data(*points.T)


def _marker(c: int) -> int:
    """The number of the marker of a class; classes next to each other differ in both marker and colour."""
    return (c + c // len(CLASS_COLORS)) % len(CLASS_MARKERS)


def draw_classes(axis: Axes, points: np.ndarray, y: np.ndarray, size: float, **style: object) -> None:
    """Points (n, 2), coloured and marked by their class y (n,); neighbours in number differ in both.

    size: area of a marker in square points.   style: of the markers, as for `Axes.plot`.
    """
    axis.add_line(_ClassMarks(points, y, size, **style))
    axis.autoscale_view()


def draw_live(
    axis: Axes,
    steps: Sequence[int],
    stored: np.ndarray,
    live: np.ndarray,
    color: str,
    quantity: str,
    digits: int = 3,
) -> str:
    """Live runs over the band of the stored seeds, both (seeds, steps); returns the sentence that judges their ends."""
    band(axis, np.array(steps), stored, color, f"{len(stored)} stored seeds", linestyle="--")
    for i, run in enumerate(live):
        label = f"{len(live)} live seeds" if i == 0 else None
        axis.plot(steps, run, color=LIVE, linewidth=1, marker=".", label=label)
    axis.set(xlabel="training step", xlim=(-0.02 * steps[-1], 1.02 * steps[-1]))
    verdict = "agree with" if measures.agrees(live[:, -1], stored[:, -1]) else "DIFFER from"
    return (
        f"{len(live)} live seeds end at {quantity} {spread(live[:, -1], digits)} and {verdict} the {len(stored)} "
        f"stored ones, {spread(stored[:, -1], digits)} (three standard errors of the mean)."
    )
