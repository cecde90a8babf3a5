"""Lab 04's verdict: predicted against measured dimension, and the error drawn over the dimension, at one β."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures, theory
from vqlab.data import power_law_spectrum
from vqlab.figures import View
from vqlab.labs.lab04.readings import at_switch, errors, predict, shannon
from vqlab.sweeps import Arrays, StoredSweep

_MOST = 27  # of the axes of dimensions


@figures.styled
def verdict_view(sweep: StoredSweep, clustered: StoredSweep, state: dict) -> View:
    """Predicted against measured dimension, and error against dimension, along the warm-ups of one β.

    sweep: the stored `dimensions_collapse`, clustered: `dimensions_floor`.   state: beta.
    """
    beta, dim, k = state["beta"], sweep.settings["dim"], sweep.settings["codebook_size"]
    cell = sweep.at(beta=beta)
    measured = {name: cell[name][..., -1] for name in ("code_dim", "centroid_dim")}  # (warm-up, seeds)
    error = errors(sweep, beta=beta)
    kmeans = clustered.at(codebook_size=k, slope=sweep.settings["slope"])["mse"] * dim  # (modes, seeds)
    floor, counted = float(shannon(sweep).distortion), at_switch(sweep, beta=beta)
    best, possible = int(error.mean(1).argmin()), kmeans.mean(1).min()
    warmups = sweep.axes["warmup"].values
    title = (
        f"β = {beta:g}: lowest error {error[best].mean():.2f} at dimension {measured['code_dim'][best].mean():.1f}, "
        f"after a warm-up of {warmups[best]}"
    )
    figure, (scatter, curve) = figures.canvas(2, title)
    predicted = predict(sweep, beta)
    _draw_scatter(scatter, predicted.dimension, measured, counted)
    _draw_curve(curve, clustered, kmeans / floor, measured["code_dim"], error / floor)
    _draw_floor(curve, power_law_spectrum(dim, sweep.settings["slope"]), k, floor)
    off = measured["code_dim"].mean(1) - predicted.dimension
    close, within = int((np.abs(off) <= 1).sum()), measured["code_dim"].mean(1) <= counted.mean(1)
    figures.caption(scatter, f"Dimension: {close} of {len(off)} within one of theory")
    figures.caption(curve, f"Error over dimension, {len(sweep.seeds)} seeds")
    words = ", ".join(f"{warmup}: {gap:+.1f}" for warmup, gap in zip(warmups, off, strict=True))
    lowest, modes = error[best], clustered.axes["modes"].values[int(kmeans.mean(1).argmin())]
    status = (
        f"Measured less predicted dimension, by warm-up: {words}. The count at the switch bounds it at {within.sum()} "
        f"of {len(within)} warm-ups. Best error {figures.spread(lowest, 4)}, {lowest.mean() / floor - 1:+.1%} to "
        f"Shannon's floor and {lowest.mean() / possible - 1:+.1%} to k-means on the data's first {modes} modes."
    )
    return View(figure, f"{title}. {status}", status)


def _draw_scatter(axis: Axes, predicted: np.ndarray, measured: Arrays, counted: np.ndarray) -> None:
    """predicted dimension (W,); measured ones and counts at the switch (W, seeds)."""
    line = np.array([0, _MOST])
    axis.fill_between(line, line - 1, line + 1, color=figures.THEORY, alpha=0.15, linewidth=0)
    axis.plot(line, line, "--", color=figures.THEORY)
    for name, label, color, marker in (
        ("code_dim", "codes", figures.WARM, "o"),
        ("centroid_dim", "centroids", figures.USED, "^"),
    ):
        low, mean, high = (f(measured[name], 1) for f in (np.min, np.mean, np.max))
        bars = (mean - low, high - mean)
        axis.errorbar(predicted, mean, yerr=bars, fmt=marker, color=color, label=label, linewidth=2, markersize=7)
    axis.plot(predicted, counted.mean(1), "_", color=figures.COLD, markersize=16, markeredgewidth=2, label="at switch")
    axis.set(xlim=(0, _MOST), ylim=(0, _MOST), xlabel="predicted dimension", ylabel="measured dimension")


def _draw_curve(
    axis: Axes, clustered: StoredSweep, kmeans: np.ndarray, dimension: np.ndarray, error: np.ndarray
) -> None:
    modes = np.array(clustered.axes["modes"].values)
    figures.band(axis, modes, kmeans.T, figures.DATA, "k-means on m modes", marker="s", markersize=4)
    axis.plot(dimension.mean(1), error.mean(1), "-o", color=figures.WARM, label="trained")
    for at, text, shift, side in ((0, "cold", (6, 6), "left"), (-1, "longest warm-up", (0, 14), "left")):
        place = (dimension[at].mean(), error[at].mean())
        axis.annotate(text, place, shift, textcoords="offset points", ha=side, va="center")
    axis.set(xlim=(1.5, _MOST), ylim=(0.98, 1.4), xlabel="dimension", ylabel="error over Shannon's floor")


def _draw_floor(axis: Axes, spectrum: np.ndarray, k: int, distortion: float) -> None:
    modes = np.arange(1, len(spectrum) + 1)
    floors = theory.loss_floor(spectrum, np.log2(k), modes) / distortion
    axis.plot(modes, floors, ":", color=figures.THEORY, label="floor")
