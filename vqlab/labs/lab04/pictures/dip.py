"""Lab 04: the effective dimension of the latents over time, in theory and in training, cold and continuous."""

from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures, theory
from vqlab.data import power_law_spectrum
from vqlab.figures import View
from vqlab.labs.lab04.forecast import step_time
from vqlab.sweeps import StoredSweep
from vqlab.theory import DenseFlow

BETA = 1


@figures.styled
def dip_view(sweep: StoredSweep) -> View:
    """Plain autoencoder and cold start from the same random weights: the first dips and climbs, the second stays down.

    sweep: the stored `dimensions_collapse`, at β = 1; its longest warm-up serves as the plain autoencoder.
    """
    frames, longest = sweep.settings["frames"], sweep.axes["warmup"].values[-1]
    cold, plain = (sweep.at(warmup=warmup, beta=BETA)["latent_dim"] for warmup in (0, longest))  # (seeds, frames)
    lowest = plain.mean(0).argmin()
    before = frames.index(longest)
    title = (
        f"The plain autoencoder dips to {plain[:, lowest].mean():.1f} dimensions at step {frames[lowest]} and "
        f"climbs to {plain[:, before].mean():.1f}"
    )
    figure, (left, right) = figures.canvas(2, title)
    unit, total = step_time(sweep.settings), sweep.settings["steps"]
    flows = [dense(sweep, unit * warmup, unit * total) for warmup in (total, 0)]
    for flow, color, style, label in zip(
        flows, (figures.WARM, figures.COLD), ("-", "--"), ("plain autoencoder", "cold start"), strict=True
    ):
        left.plot(np.sqrt(flow.times / unit), flow.effective_dimension, style, color=color, label=label)
    for values, color, style, label in (
        (plain[:, : before + 1], figures.WARM, "-o", f"warm-up {longest}"),
        (cold, figures.COLD, "--s", "cold start"),
    ):
        x = np.sqrt(frames[: values.shape[1]])
        right.fill_between(x, values.min(0), values.max(0), color=color, alpha=0.2, linewidth=0)
        right.plot(x, values.mean(0), style, color=color, label=label, markersize=5)
    for axis, name in ((left, "Theory: the flow from random weights"), (right, "Measured, β = 1, K = 256")):
        _time_axis(axis, total, sweep.settings["dim"])
        figures.caption(axis, name)
    left.set(ylabel="effective dimension of latents")
    status = (
        "Effective dimension of the latents. Theory: the plain autoencoder dips to "
        f"{flows[0].effective_dimension.min()} and ends at {flows[0].effective_dimension[-1]}, "
        f"the cold start ends at {flows[1].effective_dimension[-1]}. "
        f"Measured: {plain[:, lowest].mean():.1f} at step {frames[lowest]}, {plain[:, before].mean():.1f} at step "
        f"{longest}; the cold start dips to {cold.mean(0).min():.1f} and ends at {figures.spread(cold[:, -1])}."
    )
    return View(figure, f"{title}. {status}", status)


def dense(sweep: StoredSweep, warmup: float, total: float) -> DenseFlow:
    """The flow from random weights with the settings of the sweep, seed 0; warmup and total in units of its time."""
    settings = sweep.settings
    return _dense(settings["dim"], settings["slope"], settings["codebook_size"], settings["start_scale"], warmup, total)


@lru_cache(maxsize=4)
def _dense(dim: int, slope: float, k: int, scale: float, warmup: float, total: float) -> DenseFlow:
    # `dense_flow` wants the s of weights with the deviation s/√(4d).
    scale *= 2 * np.sqrt(dim)
    return theory.dense_flow(power_law_spectrum(dim, slope), np.log2(k), warmup, total, beta=BETA, scale=scale)


def _time_axis(axis: Axes, total: int, dim: int) -> None:
    ticks = (0, 25, 100, 300, 700, 1400)
    axis.set_xticks(np.sqrt(ticks), [f"{step:,}" for step in ticks])
    axis.set(xlim=(0, np.sqrt(total)), ylim=(0, dim + 1), xlabel="step")
