"""Lab 04: whether more codes cure a cold start. Error and dimension against K, cold and after a warm-up."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures, theory
from vqlab.data import power_law_spectrum
from vqlab.figures import View
from vqlab.labs.lab04.readings import errors
from vqlab.sweeps import StoredSweep


@figures.styled
def sizes_view(sweep: StoredSweep, state: dict) -> View:
    """Cold start and one warm-up at every K: error, Shannon's floor, and the codebook's dimension.

    sweep: the stored `dimensions_sizes`.   state: warmup.
    """
    warmup, sizes = state["warmup"], sweep.axes["codebook_size"].values
    warmups = sweep.axes["warmup"].values
    error = np.stack([errors(sweep, codebook_size=k) for k in sizes], 1)  # (warm-ups, K, seeds)
    dimension = sweep.final("code_dim")  # (warm-ups, K, seeds)
    at = warmups.index(warmup)
    fewer = [k for k, warm in zip(sizes, error[at].mean(1), strict=True) if warm < error[0, -1].mean()]
    enough = f"a warm-up of {warmup} needs K = {fewer[0]:,}" if fewer else f"no warm-up of {warmup} gets so low"
    title = f"Cold at K = {sizes[-1]:,}: error {error[0, -1].mean():.2f}; to do better, {enough}"
    figure, (left, right) = figures.canvas(2, title)
    bits = np.log2(sizes)
    floor = theory.water_fill(power_law_spectrum(sweep.settings["dim"], sweep.settings["slope"]), bits).distortion
    for axis, values, place, name in (
        (left, error, (11, 21), "squared error"),
        (right, dimension, (0, 22), "effective dimension of codebook"),
    ):
        figures.band(axis, bits, values[0].T, figures.COLD, "cold", marker="s")
        if warmup:
            figures.band(axis, bits, values[at].T, figures.WARM, f"warm-up {warmup}", marker="o")
        axis.set(ylim=place, ylabel=name)
        _size_axis(axis, sizes)
    left.plot(bits, floor, ":", color=figures.THEORY, label="Shannon")
    left.axhline(error[0, -1].mean(), color=figures.COLD, linewidth=1, linestyle="--")
    figures.caption(left, "Error against codebook size")
    figures.caption(right, "Dimension against codebook size")
    rows = "; ".join(
        f"K = {k:,}: {figures.spread(error[0, i], 4)} cold, {figures.spread(error[at, i], 4)} after {warmup}, "
        f"dimension {dimension[0, i].mean():.1f} and {dimension[at, i].mean():.1f}"
        for i, k in enumerate(sizes)
    )
    return View(figure, f"{title}. {rows}.", f"{rows}. {len(sweep.seeds)} seeds.")


def _size_axis(axis: Axes, sizes: tuple[int, ...]) -> None:
    axis.set_xticks(np.log2(sizes), [f"{k:,}" for k in sizes])
    axis.set(xlabel="codebook size K", xlim=(np.log2(sizes[0]) - 0.4, np.log2(sizes[-1]) + 0.4))
