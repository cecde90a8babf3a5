"""Lab 04's last picture: what a cold start, the rule that switches by itself, and one length for all cost."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures
from vqlab.figures import View
from vqlab.labs.lab04.readings import fixed_warmups, regrets
from vqlab.sweeps import Arrays, StoredSweep

_STYLES = ((figures.COLD, "s"), (figures.WARM, "o"), (figures.DATA, "^"))
_TICKS = (0, 100, 200, 400, 800)


@figures.styled
def switching_view(adaptive: StoredSweep) -> View:
    """Errors above the best fixed warm-up's at every position, and after every fixed warm-up, with the rule's place.

    adaptive: the stored `dimensions_adaptive`.
    """
    above, positions = regrets(adaptive), adaptive.axes["position"].values
    means = {name: 100 * values.mean() for name, values in above.items()}
    title = (
        f"Above the best fixed warm-up, mean of {len(positions)} positions: {means['cold start']:.2f} % cold, "
        f"{means['rule']:.2f} % by the rule"
    )
    figure, (rows, curves) = figures.canvas(2, title)
    _draw_rows(rows, above, positions)
    figures.place(rows, 0.11, 0.5)
    _draw_curves(curves, adaptive)
    figures.caption(rows, f"Regret, {len(adaptive.seeds)} seeds")
    figures.caption(curves, "Where the rule switches")
    words = "; ".join(f"{name}: {mean:+.2f} %" for name, mean in means.items())
    each = ", ".join(f"{p} {100 * values.mean():+.2f} %" for p, values in zip(positions, above["rule"], strict=True))
    status = f"Mean regret over positions and seeds: {words}. The rule, by position: {each}."
    return View(figure, f"{title}. {status}", status)


def _draw_rows(axis: Axes, above: Arrays, positions: tuple[str, ...]) -> None:
    for row, ((label, values), (color, marker)) in enumerate(zip(above.items(), _STYLES, strict=True)):
        shares = 100 * values  # (positions, seeds)
        mean = shares.mean(1)
        bars = (mean - shares.min(1), shares.max(1) - mean)
        heights = np.arange(len(positions)) + 0.22 * (row - 1)
        axis.errorbar(mean, heights, xerr=bars, fmt=marker, color=color, label=label, linewidth=2)
    axis.axvline(0, color=figures.THEORY, linestyle=":")
    axis.set_yticks(range(len(positions)), positions)
    axis.set(ylim=(len(positions) - 0.5, -0.5), xlabel="% above the best fixed warm-up")


def _draw_curves(axis: Axes, adaptive: StoredSweep) -> None:
    dim = adaptive.settings["dim"]
    for i, position in enumerate(adaptive.axes["position"].values):
        fixed = fixed_warmups(position)
        lowest = min(values.mean() for values in fixed.values())
        color = figures.CLASS_COLORS[i % len(figures.CLASS_COLORS)]
        share = [100 * (values.mean() / lowest - 1) for values in fixed.values()]
        axis.plot(np.sqrt(list(fixed)), share, "-", color=color, marker=figures.CLASS_MARKERS[i], markersize=5)
        cell = adaptive.at(position=position)
        place = (np.sqrt(cell["switched"].mean()), 100 * (cell["mse"][:, -1].mean() * dim / lowest - 1))
        axis.plot(*place, "x", color=color, markersize=10, markeredgewidth=3)
    axis.plot(
        [], [], "x", color=figures.THEORY, markersize=8, markeredgewidth=3, label="the rule; lines: fixed lengths"
    )
    axis.set_xticks(np.sqrt(_TICKS), [str(tick) for tick in _TICKS])
    axis.set(xlim=(-0.5, 34), ylim=(-0.4, 9), xlabel="warm-up length (steps)", ylabel="% above the best")
