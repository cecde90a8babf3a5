"""Lab 02's last picture: sixteen classes in the plane, where dead units merge them, and in ten dimensions."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures
from vqlab.figures import View
from vqlab.labs.lab02 import capacity, readings
from vqlab.sweeps import StoredSweep

# What the classes are read from, and the stored number that counts them.
READ_FROM = {"embeddings": "regions", "tokens": "token_accuracy"}
_PLACES = {2: "in the plane", 10: "in ten dimensions"}
# How activations are told apart: colour, marker, line.
_LOOKS = {
    "relu": (figures.DEAD, "o", "-"),
    "leaky relu": (figures.WARM, "s", "--"),
    "linear": (figures.COLD, "^", "-."),
}


@figures.styled
def capacity_view(sweep: StoredSweep, state: dict) -> View:
    """What is left of sixteen classes at every width, in the plane and in ten dimensions, for three activations.

    sweep: the stored `embeddings_capacity`.   state: warmup, and read, one of READ_FROM.
    """
    widths, seeds = np.array(sweep.axes["width"].values), len(sweep.seeds)
    shares = {d: _shares(sweep, state, d) for d in sweep.axes["dimensions"].values}  # {d: {activation: (W, seeds)}}
    lost = {d: readings.shared_loss(values["relu"], values["leaky relu"]) for d, values in shares.items()}
    start = f"warm-up {state['warmup']}" if state["warmup"] else "cold"
    told = ", ".join(f"{share:.0%} {_PLACES[d]}" for d, share in lost.items())
    title = f"Of what ReLU loses, leaky ReLU loses as well: {told}"
    figure, axes = figures.canvas(2, title)
    for axis, (dimensions, values) in zip(axes, shares.items(), strict=True):
        _draw(axis, widths, dimensions, values, state["read"])
    axes[0].text(0.98, 0.05, f"mean and range of {seeds} seeds", transform=axes[0].transAxes, ha="right")
    lines = [
        f"{_PLACES[d]} at width {width} {figures.per_cent(values['relu'][i])} with ReLU, "
        f"{figures.per_cent(values['leaky relu'][i])} leaky, {figures.per_cent(values['linear'][i])} linear"
        for d, values in shares.items()
        for i, width in enumerate(widths)
        if width in (2, 4)
    ]
    what = "Classes kept apart" if state["read"] == "embeddings" else "Class from the token right"
    status = f"{what}, {start}: {'; '.join(lines)} ({seeds} seeds)."
    return View(figure, f"{title}. {status}", status)


def _shares(sweep: StoredSweep, state: dict, dimensions: int) -> dict[str, np.ndarray]:
    whole = capacity.CLASSES if state["read"] == "embeddings" else 1
    where = {"dimensions": dimensions, "warmup": state["warmup"]}
    return {a: sweep.final(READ_FROM[state["read"]], activation=a, **where) / whole for a in _LOOKS}


def _draw(axis: Axes, widths: np.ndarray, dimensions: int, shares: dict[str, np.ndarray], read: str) -> None:
    if read == "embeddings":
        left = [capacity.regions_left(dimensions, int(width)) / capacity.CLASSES for width in widths]
        axis.plot(widths, 100 * np.array(left), ":", color=figures.THEORY, linewidth=2, label="squeezed")
    for activation, (color, marker, line) in _LOOKS.items():
        label = activation.replace("relu", "ReLU")
        figures.band(axis, widths, 100 * shares[activation].T, color, label, marker=marker, linestyle=line)
    axis.axvline(dimensions, color=figures.THEORY, linewidth=1)
    axis.annotate(f" {dimensions} dimensions", (dimensions, 14), color=figures.THEORY)
    figures.log2_axes(axis, x=widths)
    axis.set(xlabel="encoder width h (units)", xlim=(widths[0] / 1.15, widths[-1] * 1.15), ylim=(0, 105))
    axis.set(ylabel="classes kept apart (%)" if read == "embeddings" else "right by token (%)")
    figures.caption(axis, f"Sixteen classes {_PLACES[dimensions]}")
