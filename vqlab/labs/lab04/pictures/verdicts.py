"""Lab 04's verdict: predicted against measured dimension, and how much of the error a finite code cannot avoid."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures, theory
from vqlab.data import power_law_spectrum
from vqlab.figures import View
from vqlab.labs.lab04.pictures.dimensions import predict
from vqlab.sweeps import StoredSweep

# Warm-up lengths (steps), first and last, in groups of which theory has different things to say.
GROUPS = {"cold": (0, 0), "25–75": (25, 75), "100–300": (100, 300), "400–800": (400, 800)}
_STYLES = (
    (figures.COLD, "s"),
    (figures.CLASS_COLORS[2], "^"),
    (figures.WARM, "o"),
    (figures.CLASS_COLORS[6], "D"),
)
_MIDDLE = 16  # of the axis of dimensions


@figures.styled
def verdict_view(sweep: StoredSweep, clustered: StoredSweep, state: dict) -> View:
    """Predicted against measured dimension, and error against dimension, at one K and spectrum.

    sweep: the stored `dimensions_collapse`, clustered: `dimensions_floor`.   state: codebook_size and slope.
    """
    k, slope, dim = state["codebook_size"], state["slope"], sweep.settings["dim"]
    here = {"codebook_size": k, "slope": slope}
    dimension, error = sweep.final("code_dim", **here), sweep.final("mse", **here) * dim  # (warm-up, seeds)
    kmeans = clustered.final("mse", **here) * dim  # (modes, seeds)
    spectrum = power_law_spectrum(dim, slope)
    shannon = float(theory.water_fill(spectrum, np.log2(k)).distortion)
    best, possible = error.mean(1).min(), kmeans.mean(1).min()
    title = f"K = {k}, slope {slope:g}: best error {best:.2f}; k-means {possible:.2f}, Shannon {shannon:.2f}"
    figure, (scatter, curve) = figures.canvas(2, title)
    predicted = predict(sweep, k, slope, sweep.settings["steps"])
    off = dimension.mean(1) - predicted.dimension
    _draw_scatter(scatter, sweep, predicted.dimension, dimension)
    _draw_curve(curve, clustered, kmeans / shannon, dimension, error / shannon)
    _draw_floor(curve, spectrum, k, shannon)
    close = int((np.abs(off) <= 1).sum())
    figures.caption(scatter, f"Dimension: {close} of {len(off)} warm-ups within one of theory")
    figures.caption(curve, f"Error against dimension, {len(sweep.seeds)} seeds")
    words = "; ".join(f"{name}: {off[here].mean():+.1f}" for name, here in groups(sweep).items())
    at_best = error[error.mean(1).argmin()]
    status = (
        f"Measured less predicted dimension, by warm-up: {words}. Best error {figures.spread(at_best, 4)}, "
        f"{best / shannon - 1:+.1%} to Shannon's floor and {best / possible - 1:+.1%} to k-means on the data's first "
        f"{clustered.axes['modes'].values[int(kmeans.mean(1).argmin())]} modes. {len(sweep.seeds)} seeds."
    )
    return View(figure, f"{title}. {status}", status)


def groups(sweep: StoredSweep) -> dict[str, np.ndarray]:
    """Which warm-up lengths belong to each of `GROUPS`, as indices."""
    warmups = np.array(sweep.axes["warmup"].values)
    return {name: np.flatnonzero((warmups >= low) & (warmups <= high)) for name, (low, high) in GROUPS.items()}


def _draw_scatter(axis: Axes, sweep: StoredSweep, predicted: np.ndarray, measured: np.ndarray) -> None:
    """predicted dimension (W,) and measured (W, seeds)."""
    line = np.array([0, 33])
    axis.fill_between(line, line - 1, line + 1, color=figures.THEORY, alpha=0.15, linewidth=0)
    axis.plot(line, line, "--", color=figures.THEORY)
    for (name, here), (color, marker) in zip(groups(sweep).items(), _STYLES, strict=True):
        low, mean, high = (f(measured[here], 1) for f in (np.min, np.mean, np.max))
        bars = (mean - low, high - mean)
        axis.errorbar(predicted[here], mean, yerr=bars, fmt=marker, color=color, label=name, linewidth=2, markersize=8)
    axis.set(xlim=(0, 33), ylim=(0, 33), xlabel="predicted dimension", ylabel="measured dimension")


def _draw_curve(
    axis: Axes, clustered: StoredSweep, kmeans: np.ndarray, dimension: np.ndarray, error: np.ndarray
) -> None:
    modes = np.array(clustered.axes["modes"].values)
    figures.band(axis, modes, kmeans.T, figures.USED, "k-means on m modes", marker="s", markersize=4)
    axis.plot(dimension.mean(1), error.mean(1), "-o", color=figures.WARM, label="trained")
    for at, text, above in ((0, "cold", 12), (len(error) - 1, "long warm-up", -20)):
        place = (dimension[at].mean(), error[at].mean())
        side = "left" if place[0] < _MIDDLE else "right"
        axis.annotate(text, place, (0, above), textcoords="offset points", ha=side, va="center")
    axis.set(xlim=(1.5, 33), ylim=(0.98, 1.4), xlabel="dimension", ylabel="error over Shannon's floor")


def _draw_floor(axis: Axes, spectrum: np.ndarray, k: int, shannon: float) -> None:
    modes = np.arange(1, len(spectrum) + 1)
    axis.plot(
        modes, theory.loss_floor(spectrum, np.log2(k), modes) / shannon, ":", color=figures.THEORY, label="Shannon"
    )
