"""Pictures: pure functions from results and a state of the controls to a `View`.

Figures are built without pyplot, so nothing is shared between cells. A colour keeps its meaning in every lab,
and never carries it alone: each also has its own marker or line style.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from html import escape

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vqlab import metrics
from vqlab.views.sheets import STYLE, png
from vqlab.views.sheets import canvas as canvas
from vqlab.views.sheets import recycle as recycle

PAGE_PX = 1100
# Okabe and Ito's colour-blind-safe palette.
COLD, WARM, LIVE = "#0072B2", "#D55E00", "#000000"
DATA, USED, DEAD = "#8C8C8C", "#009E73", "#B0417A"
RECONSTRUCTION, THEORY = "#0072B2", "#444444"
# Classes: neither the green of used nor the purple of dead codes. Colour and marker together tell 64 classes apart.
CLASS_COLORS = ("#0072B2", "#D55E00", "#56B4E9", "#A6761D", "#444444", "#E69F00", "#7A68B0", "#8DA000")
CLASS_MARKERS = "osD^vP*X"


@dataclass(frozen=True)
class View:
    """A figure, the sentence that replaces it for those who cannot see it, and the numbers in words."""

    figure: Figure
    alt: str
    status: str

    def _repr_mimebundle_(self, **_: object) -> tuple[dict, dict]:
        picture = png(self.figure)
        # JupyterLab gives a plain PNG no alt text; as HTML it has one. The PNG is for readers without JavaScript.
        bundle = {"image/png": picture, "text/html": as_html(picture, self.alt), "text/plain": self.alt}
        return bundle, {"image/png": {"alt": self.alt}}


def as_html(picture: bytes, alt: str, style: str = "") -> str:
    """PNG bytes as an HTML image with alt text, as wide as there is room for. style: more CSS."""
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    style = f"width:100%;max-width:{PAGE_PX}px;height:auto;{style}"
    return f'<img alt="{escape(alt, quote=True)}" src="{source}" style="{style}">'


def styled(view: Callable[..., View]) -> Callable[..., View]:
    """Decorate a view so that everything it draws, now or while rendering, has the house style."""

    @wraps(view)
    def drawn(*arguments: object, **named: object) -> View:
        with rc_context(STYLE):
            return view(*arguments, **named)

    return drawn


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


def band(axis: Axes, x: np.ndarray, values: np.ndarray, color: str, label: str, **line: object) -> None:
    """Mean line over seeds and the range from the lowest to the highest seed: values (seeds, len(x))."""
    axis.fill_between(x, values.min(0), values.max(0), color=color, alpha=0.2, linewidth=0)
    axis.plot(x, values.mean(0), color=color, label=label, **line)


def draw_codes(axis: Axes, codes: np.ndarray, dead: np.ndarray) -> None:
    """Codes (K, 2): circles where used, crosses where dead (K,), with their numbers as labels."""
    axis.plot(*codes[dead].T, "x", color=DEAD, markersize=6, label=f"dead: {dead.sum()}")
    axis.plot(*codes[~dead].T, "o", color=USED, markersize=3.5, label=f"used: {(~dead).sum()}")


def draw_classes(axis: Axes, points: np.ndarray, y: np.ndarray, size: float, **style: object) -> None:
    """Points (n, 2), coloured and marked by their class y (n,); neighbours in number differ in both."""
    colors, markers = len(CLASS_COLORS), len(CLASS_MARKERS)
    which = (y + y // colors) % markers
    for marker in np.unique(which):
        here = which == marker
        shades = [CLASS_COLORS[c] for c in y[here] % colors]
        axis.scatter(*points[here].T, s=size, c=shades, marker=CLASS_MARKERS[marker], **style)


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
    verdict = "agree with" if metrics.agrees(live[:, -1], stored[:, -1]) else "DIFFER from"
    return (
        f"{len(live)} live seeds end at {quantity} {spread(live[:, -1], digits)} and {verdict} the {len(stored)} "
        f"stored ones, {spread(stored[:, -1], digits)} (three standard errors of the mean)."
    )


def spread(values: np.ndarray, digits: int = 3) -> str:
    """'mean ± standard deviation' over seeds, to `digits` significant digits."""
    values = np.asarray(values, float)
    mean, deviation = float(values.mean()), float(values.std())
    decimals = max(0, digits - 1 - int(np.floor(np.log10(abs(mean))))) if mean else digits
    return f"{mean:,.{decimals}f} ± {deviation:,.{decimals}f}"


def per_cent(shares: np.ndarray, digits: int = 0) -> str:
    """Shares, one a seed, as 'mean ± standard deviation' in per cent."""
    return f"{100 * np.mean(shares):.{digits}f} ± {100 * np.std(shares):.{digits}f} %"


def metric_line(mse: np.ndarray, perplexity: np.ndarray, k: int, n: int, active, latent_dim, code_dim) -> str:
    """The house order: reconstruction error · perplexity · active codes · effective dimension; each (seeds,)."""
    dims = f"effective dimension {_plain(latent_dim)} (encoder output)"
    if np.isnan(perplexity).any():
        return f"Reconstruction error {spread(mse)} · no codes yet · {dims}"
    return (
        f"Reconstruction error {spread(mse)} · perplexity {spread(perplexity)} of {k} at {n:,} tokens · "
        f"active codes {spread(active)} · {dims} / {_plain(code_dim)} (codebook)"
    )


def _plain(values: np.ndarray) -> str:
    low, high = int(np.min(values)), int(np.max(values))
    return str(low) if low == high else f"{low}–{high}"
