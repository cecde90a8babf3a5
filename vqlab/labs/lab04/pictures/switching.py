"""Lab 04's last picture: what a cold start, the rule that switches by itself, and one length for all cost."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures
from vqlab.figures import View
from vqlab.labs.lab04.readings import fixed_warmups, regrets
from vqlab.sweeps import Arrays, StoredSweep

_STYLES = ((figures.COLD, "s"), (figures.WARM, "o"), (figures.DATA, "^"))


@figures.styled
def switching_view(adaptive: StoredSweep) -> View:
    """Errors above the best fixed warm-up's at every position, and when the rule switches there.

    adaptive: the stored `dimensions_adaptive`.
    """
    above, positions = regrets(adaptive), adaptive.axes["position"].values
    means = {name: 100 * values.mean() for name, values in above.items()}
    title = (
        f"Above the best fixed warm-up, mean of {len(positions)} positions: {means['cold start']:.2f} % cold, "
        f"{means['rule']:.2f} % by the rule"
    )
    figure, (rows, steps) = figures.canvas(2, title)
    _draw_rows(rows, above, positions)
    figures.place(rows, 0.11, 0.5, labels=0.9)
    _draw_steps(steps, adaptive)
    figures.caption(rows, f"Regret, {len(adaptive.seeds)} seeds")
    figures.caption(steps, "When it switches")
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


def _draw_steps(axis: Axes, adaptive: StoredSweep) -> None:
    positions = adaptive.axes["position"].values
    steps = np.array([adaptive.at(position=position)["switched"] for position in positions])  # (positions, seeds)
    mean, heights = steps.mean(1), np.arange(len(positions))
    bars = (mean - steps.min(1), steps.max(1) - mean)
    axis.errorbar(mean, heights, xerr=bars, fmt="o", color=figures.WARM, label="rule", linewidth=2)
    fixed = [fixed_warmups(position) for position in positions]
    best = [min(one, key=lambda warmup, one=one: one[warmup].mean()) for one in fixed]
    axis.plot(best, heights + 0.22, "^", color=figures.DATA, label="best fixed length")
    axis.set_yticks(heights, positions)
    figures.place(axis, 0.64, 0.98, labels=0.9)
    axis.set(ylim=(len(positions) - 0.5, -0.5), xlim=(0, 850), xlabel="step of the switch")
