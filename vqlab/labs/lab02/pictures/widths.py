"""Lab 02's other pictures, over encoder width: two diseases with two cures, and the width at which classes merge."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures
from vqlab.figures import View
from vqlab.labs.lab02 import readings
from vqlab.sweeps import StoredSweep

NARROW, WIDE = 2, 64
_HIGH = 85  # per cent: above it, words of two lines would reach into the legend
# How activations are told apart, in this order: colour, marker, line.
_LOOKS = ((figures.DEAD, "o", "-"), (figures.WARM, "s", "--"), (figures.COLD, "^", "-."))


@figures.styled
def two_diseases_view(sweep: StoredSweep, state: dict) -> View:
    """How well classes are read from the embeddings and from the tokens, at every width, cold and warm.

    sweep: the stored `embeddings_collapse`.   state: codebook_size, classes, layout.
    """
    widths, (_, warmup) = np.array(sweep.axes["width"].values), sweep.axes["warmup"].values
    cell = sweep.at(**{name: state[name] for name in ("codebook_size", "classes", "layout")})
    by_mean, by_token = (100 * cell[key][..., -1] for key in ("mean_accuracy", "token_accuracy"))  # (W, warm-up, seeds)
    ends = by_token[[list(widths).index(NARROW), list(widths).index(WIDE)]].mean(-1)  # (narrow and wide, cold and warm)
    (neither, warm_alone), (wide_alone, both) = ends
    title = (
        f"Right by token: width alone {wide_alone:.0f} %, warm-up alone {warm_alone:.0f} %, both {both:.0f} %, "
        f"neither {neither:.0f} %"
    )
    figure, axes = figures.canvas(2, title)
    captions = ("Class read from the embeddings", "Class read from the tokens")
    for axis, values, caption in zip(axes, (by_mean, by_token), captions, strict=True):
        axis.plot(widths[[0, -1]], [100 / state["classes"]] * 2, ":", color=figures.THEORY, label="chance")
        figures.band(axis, widths, values[:, 0].T, figures.COLD, "cold", marker="s", linestyle="--")
        figures.band(axis, widths, values[:, 1].T, figures.WARM, f"warm-up {warmup}", marker="o")
        _width_axis(axis, widths)
        axis.set(ylabel="right (%)", ylim=(0, 114), yticks=range(0, 101, 20))
        figures.caption(axis, caption)
    warm_word = ("warm-up\nalone", "right") if warm_alone < _HIGH else ("warm-up alone", "left")
    corners = (
        (NARROW, neither, "neither", "left", "top"),
        (NARROW, warm_alone, *warm_word, "bottom"),
        (WIDE, wide_alone, "width alone", "right", "top"),
        (WIDE, both, "both", "right", "bottom"),
    )
    for width, share, cures, ha, va in corners:
        axes[1].plot(width, share, "o", color="none", markeredgecolor="black", markersize=14)
        offset = (0, -9 if va == "top" else 9)
        axes[1].annotate(cures, (width, share), offset, textcoords="offset points", ha=ha, va=va)
    n = len(sweep.seeds)
    axes[0].text(0.98, 0.13, f"mean and range of {n} seeds", transform=axes[0].transAxes, ha="right")
    embeddings = [
        f"{figures.spread(by_mean[list(widths).index(width), column])} % at width {width} {start}"
        for width in (NARROW, WIDE)
        for column, start in enumerate(("cold", "warm"))
    ]
    status = (
        f"{state['classes']} classes on a {state['layout']}, K = {state['codebook_size']}. From the embeddings right "
        f"for {', '.join(embeddings)} ({n} seeds). Narrow means width {NARROW}, wide {WIDE}."
    )
    return View(figure, f"{title}. {status}", status)


@figures.styled
def merge_boundary_view(sweep: StoredSweep, state: dict) -> View:
    """Where classes merge: the share kept apart at every width, predicted and measured, and with other activations.

    sweep: the stored `embeddings_activation`.   state: classes and layout.
    """
    classes, layout = state["classes"], state["layout"]
    widths = np.array(sweep.axes["width"].values)
    activations = sweep.axes["activation"].values
    measured = {a: readings.shares_apart(sweep, a, classes, layout) for a in activations}  # (W, seeds) each
    limits = {a: readings.merge_width(sweep, a, classes, layout) for a in activations}
    title = f"{classes} classes on a {layout}: with ReLU they merge below width {limits['relu']}"
    figure, (left, right) = figures.canvas(2, title)
    predicted = readings.predicted_share(tuple(widths), classes, layout)
    _draw_prediction(left, widths, measured["relu"], predicted, limits["relu"])
    _draw_activations(right, widths, measured, len(sweep.seeds))
    predictions = readings.predictions(tuple(widths), classes, layout)
    boundaries = ", ".join(f"{limit} with {_name(activation)}" for activation, limit in limits.items())
    counts = ", ".join(f"{limit} from {what}" for what, limit in predictions.items())
    status = (
        f"Width from which on 95 % of the {classes} classes stay apart: {boundaries}. Predicted for ReLU: {counts}. "
        f"Kept apart at width 3 with ReLU: {figures.per_cent(measured['relu'][2])}, predicted {predicted[2]:.0%} "
        f"({len(sweep.seeds)} seeds)."
    )
    return View(figure, f"{title}. {status}", status)


def _draw_prediction(axis: Axes, widths: np.ndarray, measured: np.ndarray, predicted: np.ndarray, limit: int) -> None:
    spot = np.random.default_rng(0).uniform(0.94, 1.06, measured.shape)  # seeds side by side, not on top of each other
    axis.plot(
        (widths[:, None] * spot).ravel(), 100 * measured.ravel(), ".", color=figures.DATA, markersize=4, alpha=0.6
    )
    axis.plot([], [], ".", color=figures.DATA, label=f"{measured.shape[1]} seeds")
    axis.plot(widths, 100 * measured.mean(1), "o-", color=figures.DEAD, label="mean")
    axis.plot(widths, 100 * predicted, "--", color=figures.THEORY, linewidth=2, label="predicted, untrained")
    axis.axvline(limit, color=figures.DEAD, linewidth=1)
    axis.annotate(f" from {limit} on: 95 %", (limit, 3), color=figures.DEAD)
    _width_axis(axis, widths)
    axis.set(ylabel="classes kept apart (%)", ylim=(0, 105))
    figures.caption(axis, "ReLU: training and prediction")


def _draw_activations(axis: Axes, widths: np.ndarray, measured: dict[str, np.ndarray], seeds: int) -> None:
    for (activation, shares), (color, marker, line) in zip(measured.items(), _LOOKS, strict=True):
        mean, error = 100 * shares.mean(1), 200 * shares.std(1) / np.sqrt(seeds)
        axis.fill_between(widths, mean - error, np.minimum(100, mean + error), color=color, alpha=0.2, linewidth=0)
        axis.plot(widths, mean, marker=marker, linestyle=line, color=color, label=_name(activation))
    axis.text(0.98, 0.05, "mean ± 2 standard errors", transform=axis.transAxes, ha="right")
    _width_axis(axis, widths)
    axis.set(ylabel="classes kept apart (%)", ylim=(0, 105))
    figures.caption(axis, "Too few units, or dead ones?")


def _name(activation: str) -> str:
    return activation.replace("relu", "ReLU")


def _width_axis(axis: Axes, widths: np.ndarray) -> None:
    figures.log2_axes(axis, x=widths)
    axis.set(xlabel="encoder width h (units)", xlim=(widths[0] / 1.15, widths[-1] * 1.15))
