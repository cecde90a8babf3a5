"""The moving picture of a cold start and a warm-up side by side while they train."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vqlab.figures.drawing import COLD, WARM, caption
from vqlab.figures.images import image_grid
from vqlab.figures.sheets import canvas, place

_NOTHING_YET = 235  # a grey


def draw_side_by_side(
    title: str,
    originals: np.ndarray,
    reconstructions: np.ndarray | None,
    names: Sequence[str],
    at: Sequence[int],
    values: np.ndarray,
    steps: int,
    what: str,
) -> tuple[Figure, Axes]:
    """Originals over the newest reconstructions, and a curve of both starts so far; returns the figure and its curve.

    originals: uint8 (n, 3, H, W).   reconstructions: (2, n, 3, H, W), cold first, None before training.   names: of the
    two starts.   at, values: steps (m,) and numbers (2, m).   what: the caption of the curve.
    """
    figure, (patches, curve) = canvas(2, title)
    back = np.full((2, *originals.shape), _NOTHING_YET, np.uint8) if reconstructions is None else reconstructions
    place(patches, 0.1, 0.63, labels=1.05)
    place(curve, 0.715, 0.985)
    image_grid(patches, np.stack([originals, *back]), rows=("original", *names))
    looks = ((COLD, "s", "--"), (WARM, "o", "-"))
    for name, number, (color, marker, line) in zip(names, values, looks, strict=True):
        curve.plot(at, number, color=color, marker=marker, linestyle=line, markersize=4, label=name)
    curve.set(xlabel="training step", xlim=(-0.02 * steps, 1.02 * steps))
    caption(curve, what)
    return figure, curve
