"""Lab 01's second picture: where the codes start, with and without a warm-up."""

import numpy as np

from vqlab import figures
from vqlab.figures import View
from vqlab.sweeps import StoredSweep


@figures.styled
def initialisation_view(sweep: StoredSweep, state: dict) -> View:
    """Final perplexity and error of every codebook initialisation at one K, cold and after a warm-up.

    sweep: the stored `tokens_initialisation`.   state: codebook_size, a stored K.
    """
    k = state["codebook_size"]
    names, (_, warmup) = sweep.axes["initialisation"].values, sweep.axes["warmup"].values
    perplexity, error = (sweep.final(key, codebook_size=k) for key in ("perplexity", "mse"))  # (init., warm-up, seeds)
    cold = perplexity[:, 0].mean(-1)
    best = int(np.argmax(cold))
    title = f"K = {k}: from a cold start, “{names[best]}” uses most: perplexity {cold[best]:.0f}"
    figure, axes = figures.canvas(2, title)
    for axis, values in zip(axes, (perplexity, error), strict=True):
        for column, color, marker, label in (
            (0, figures.COLD, "s", "cold"),
            (1, figures.WARM, "o", f"warm-up {warmup}"),
        ):
            rows = np.arange(len(names)) + (0.14 if column else -0.14)
            low, mean, high = (f(values[:, column], -1) for f in (np.min, np.mean, np.max))
            axis.errorbar(mean, rows, xerr=(mean - low, high - mean), fmt=marker, color=color, label=label, linewidth=2)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.grid(axis="y", alpha=0.3)
    left, right = axes
    figures.place(left, 0.19, 0.55)
    figures.place(right, 0.62, 0.98)
    left.set_yticks(range(len(names)), names)
    right.set_yticks(range(len(names)), [""] * len(names))
    left.set(xlim=(0, 1.05 * k), xlabel=f"final perplexity (of {k}, at 4,000 tokens)")
    right.set(xscale="log", xlim=(7e-4, 0.8), xlabel="final reconstruction error (mean squared)")
    figures.caption(left, f"Mean and range of {len(sweep.seeds)} seeds")
    right.set_title("The error of the same trainings", loc="left", y=1.1)
    lines = [
        f"{name}: {figures.spread(perplexity[i, 0])} cold, {figures.spread(perplexity[i, 1])} warm"
        for i, name in enumerate(names)
    ]
    worst = int(np.argmin(cold))
    status = (
        f"Perplexity of {k} at 4,000 tokens, from a cold start: most with {lines[best]}; least with {lines[worst]} "
        f"({len(sweep.seeds)} seeds)."
    )
    return View(figure, f"{title}. {'; '.join(lines)}.", status)
