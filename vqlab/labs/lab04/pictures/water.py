"""Lab 04's first picture: reverse water-filling, poured over a spectrum in columns."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import ArrayLike

from vqlab import figures, theory
from vqlab.data import power_law_spectrum
from vqlab.figures import View
from vqlab.theory import WaterFilling

DIM = 32
WATER, LEVEL = "#CFE5F2", "#3A9BD0"
_BOTTOM, _TOP = 2.0**-7, 2.0**5
_BELOW_WORDS = 2.0**2  # a level under the words in the panel's upper corner
_WIDTH = 0.7  # of a column, in modes
_FINE_BITS = np.linspace(0, 16, 161)


@figures.styled
def water_view(state: dict) -> View:
    """Pour R bits over a power-law spectrum of 32 modes: the water level, what stands out of it, and D(R).

    state: bits (R, 0…16) and slope (of the spectrum, 0…2).
    """
    bits, slope = state["bits"], state["slope"]
    variances = power_law_spectrum(DIM, slope)
    water = theory.water_fill(variances, bits)
    share = water.distortion / variances.sum()
    unit, stand = "bit" if bits == 1 else "bits", "stands" if water.active == 1 else "stand"
    lost = f"{share:.0%} of the variance is lost"
    title = f"R = {bits} {unit}: {water.active} of {DIM} modes {stand} out of the water, {lost}"
    figure, (columns, curve) = figures.canvas(2, title)
    figures.place(columns, 0.07, 0.645)
    figures.place(curve, 0.715, 0.98)
    _draw_columns(columns, variances, water)
    _draw_curve(curve, variances, bits, water)
    each = np.maximum(0, 0.5 * np.log2(variances / water.level))
    status = (
        f"Level D* = {water.level:.4g}. Active modes: {water.active} of {DIM}; the first gets {each[0]:.2f} bits, "
        f"all together {each.sum():.2f}. D(R) = {water.distortion:.2f} of {variances.sum():g}: "
        f"{water.active} times the level, and the full variance of the {DIM - water.active} modes under water."
    )
    return View(figure, f"{title}. {status}", status)


def _draw_columns(axis: Axes, variances: np.ndarray, water: WaterFilling) -> None:
    modes = np.arange(1, len(variances) + 1)
    alive = modes <= water.active
    dead = ~alive
    axis.axhspan(_BOTTOM, water.level, color=WATER, linewidth=0)
    axis.axhline(water.level, color=LEVEL, linewidth=2.5, label=f"water level D* = {water.level:.3g}")
    _stand(axis, modes[alive], water.level, variances[alive], color=figures.USED)
    _stand(axis, modes[alive], _BOTTOM, water.level, color=figures.USED, alpha=0.35)
    _stand(axis, modes[dead], _BOTTOM, variances[dead], facecolor=figures.DEAD, edgecolor="white", hatch="///")
    axis.plot([], [], "s", color=figures.USED, markersize=8, label="above water: gets bits")
    axis.plot([], [], "s", color=figures.DEAD, markersize=8, label="under water: gets none")
    axis.set_yscale("log", base=2)
    axis.set(xlim=(0.3, DIM + 0.7), ylim=(_BOTTOM, _TOP), xlabel="mode j", ylabel="variance v")
    axis.set_yticks(2.0 ** np.arange(-6, 6, 2), ["1/64", "1/16", "1/4", "1", "4", "16"])
    axis.minorticks_off()
    if water.level < _BELOW_WORDS:
        top = 0.5 * np.log2(variances[0] / water.level)
        words = f"every doubling above\nthe level costs ½ bit:\n{top:.1f} bits for mode 1"
        axis.annotate(words, (0.98, 0.97), xycoords="axes fraction", ha="right", va="top")
    figures.caption(axis, f"{DIM} modes as columns in water")


def _stand(axis: Axes, modes: np.ndarray, bottom: ArrayLike, top: ArrayLike, **style: object) -> None:
    """Columns from bottom to top, each (n,), as one artist: that draws faster than n bars."""
    left, right = modes - _WIDTH / 2, modes + _WIDTH / 2
    bottom, top = np.broadcast_to(bottom, len(modes)), np.broadcast_to(top, len(modes))
    corners = np.array([(left, bottom), (left, top), (right, top), (right, bottom)])  # (4, 2, n)
    axis.add_collection(PolyCollection(corners.transpose(2, 0, 1), linewidth=0, **style))


def _draw_curve(axis: Axes, variances: np.ndarray, bits: float, water: WaterFilling) -> None:
    poured = theory.water_fill(variances, _FINE_BITS)
    axis.plot(_FINE_BITS, poured.distortion, color=figures.THEORY, label="D(R), variance lost")
    axis.plot(_FINE_BITS, poured.active, "--", color=figures.USED, label="active modes")
    for value in (water.distortion, water.active):
        axis.plot(bits, value, "o", color="none", markeredgecolor="black", markersize=12)
    axis.set(
        xlim=(-0.5, 16.5), ylim=(0, 34), xlabel="R = log₂ K (bits per token)", ylabel="variance lost, active modes"
    )
    axis.set_xticks(range(0, 17, 4))
    figures.caption(axis, f"D(R) = {water.distortion:.2f} of {variances.sum():g}")
