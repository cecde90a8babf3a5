"""Lab 05's second picture: dimensions and errors against the warm-up length, theory's bound, and the adaptive rule."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vqlab import figures
from vqlab.figures import View
from vqlab.labs.lab05 import readings
from vqlab.labs.lab05.pictures.training import PROVENANCE
from vqlab.sweeps import StoredSweep


@figures.styled
def lengths_view(adaptive: StoredSweep, sweep: StoredSweep, state: dict) -> View:
    """What each warm-up length ends with, at one encoder width, and what the rule's own choice ends with.

    adaptive, sweep: the stored `vqgan_adaptive` and `vqgan_warmup`.   state: width.
    """
    width, warmups = state["width"], sweep.axes["warmup"].values
    mse = 1000 * sweep.final("mse", width=width)  # (warm-ups, seeds)
    best, saving = int(mse.mean(1).argmin()), 100 * (1 - mse.mean(1).min() / mse[0].mean())
    switched = adaptive.at(width=width)["switched"]
    title = (
        f"Width {width}: the error is lowest after {warmups[best]:,} of {sweep.settings['steps']:,} steps, "
        f"{saving:.1f} % below cold"
        if best
        else f"Width {width}: no warm-up lowers the error"
    )
    figure, (dims, error, perceptual) = figures.canvas(3, title)
    _draw_dimensions(dims, sweep, adaptive, width)
    for axis, key in ((error, "mse"), (perceptual, "perceptual")):
        _draw_judge(axis, sweep, adaptive, width, key)
    bounded, cells = _bounded(sweep, width)
    words = "; ".join(
        f"warm-up {warmup:,}: dimension {figures.range_of(sweep.final('latent_dim', width=width, warmup=warmup))} "
        f"(encoder output) / {figures.range_of(sweep.final('centroid_dim', width=width, warmup=warmup))} (codes), "
        f"error {figures.spread(mse[i])} thousandths"
        for i, warmup in enumerate(warmups)
    )
    status = (
        f"{words}. The count bounds the codes' dimension at {bounded} of {cells} lengths. The rule switches at step "
        f"{figures.range_of(switched)} and ends at {figures.spread(1000 * adaptive.final('mse', width=width))}. "
        f"{PROVENANCE.split(';')[0]}, {len(sweep.seeds)} seeds."
    )
    return View(figure, f"{title}. {status}", status)


def _bounded(sweep: StoredSweep, width: int) -> tuple[int, int]:
    """At how many lengths no seed's codes have more dimensions than were counted at the switch, and of how many."""
    warmups = sweep.axes["warmup"].values[1:]
    kept = [
        bool((readings.predicted_count(sweep, **at) >= sweep.final("centroid_dim", **at)).all())
        for at in ({"width": width, "warmup": warmup} for warmup in warmups)
    ]
    return sum(kept), len(kept)


def _draw_dimensions(axis: Axes, sweep: StoredSweep, adaptive: StoredSweep, width: int) -> None:
    warmups = sweep.axes["warmup"].values
    x = np.array(warmups)
    counts = np.stack([readings.predicted_count(sweep, width=width, warmup=warmup) for warmup in warmups]).T
    axis.plot(x[1:], counts.mean(0)[1:], "--_", color=figures.THEORY, markersize=12, label="counted")
    for key, color, marker, label in (
        ("latent_dim", figures.WARM, "o", "latents"),
        ("centroid_dim", figures.USED, "^", "codes"),
    ):
        figures.band(axis, x, sweep.final(key, width=width).T, color, label, marker=marker)
        if key == "latent_dim":
            _draw_rule(axis, adaptive, width, adaptive.final(key, width=width), None)
    axis.set(ylim=(0, _most(sweep)), ylabel="effective dimension")
    axis.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    _length_axis(axis, sweep)
    figures.caption(axis, "Dimensions at the end")


def _most(sweep: StoredSweep) -> float:
    """Room for every dimension and count of the sweep."""
    counts = [
        readings.predicted_count(sweep, width=width, warmup=warmup).max()
        for width in sweep.axes["width"].values
        for warmup in sweep.axes["warmup"].values[1:]
    ]
    return 1.15 * float(max(*counts, sweep.final("latent_dim").max(), sweep.final("centroid_dim").max()))


def _draw_judge(axis: Axes, sweep: StoredSweep, adaptive: StoredSweep, width: int, key: str) -> None:
    name, unit = readings.JUDGES[key]
    x = np.array(sweep.axes["warmup"].values)
    values = unit * sweep.final(key, width=width).T  # (seeds, warm-ups)
    figures.band(axis, x, values, figures.WARM, "fixed length", marker="o")
    _draw_rule(axis, adaptive, width, unit * adaptive.final(key, width=width), "rule")
    ends = unit * np.concatenate([sweep.final(key).ravel(), adaptive.final(key).ravel()])
    low, high = ends.min(), ends.max()
    axis.set(ylim=(low - 0.15 * (high - low), high + 0.25 * (high - low)), ylabel=name)
    axis.yaxis.set_major_locator(MaxNLocator(4, steps=(1, 2, 5, 10)))
    _length_axis(axis, sweep)
    figures.caption(axis, name.partition(" (")[0].capitalize())


def _draw_rule(axis: Axes, adaptive: StoredSweep, width: int, values: np.ndarray, label: str | None) -> None:
    """A star for each seed, at the step where the rule switched."""
    axis.plot(adaptive.at(width=width)["switched"], values, "*", color=figures.LIVE, markersize=11, label=label)


def _length_axis(axis: Axes, sweep: StoredSweep) -> None:
    warmups = sweep.axes["warmup"].values
    axis.set(xlim=(-0.06 * warmups[-1], 1.06 * warmups[-1]), xlabel="warm-up length (steps)")
    axis.set_xticks(warmups, [f"{warmup:,}" for warmup in warmups])
