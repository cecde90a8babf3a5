"""Lab 04's last picture: the price of a warm-up that is too short or too long, and of one that ends by itself."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures
from vqlab.figures import View
from vqlab.labs.lab04.pictures.dimensions import trained_warmups
from vqlab.sweeps import StoredSweep

BUDGETS = ((500, ":", "^"), (750, "--", "s"), (1500, "-", "o"))
_RULES = ((figures.USED, "o"), (figures.CLASS_COLORS[6], "^"))
_MOST_REGRET = 5
_TICKS = (0, 25, 100, 200, 400, 800)


@figures.styled
def switching_view(sweep: StoredSweep, adaptive: StoredSweep, state: dict) -> View:
    """Error above that of the best fixed warm-up: of every fixed one at three budgets, and of the adaptive rules.

    sweep: the stored `dimensions_collapse`, adaptive: `dimensions_adaptive`.   state: codebook_size and slope.
    """
    k, slope = state["codebook_size"], state["slope"]
    rules = adaptive.axes["rule"].values
    excess = {rule: regret(sweep, adaptive, rule, k, slope) for rule in rules}
    switched = {rule: adaptive.at(rule=rule, codebook_size=k, slope=slope)["switched"] for rule in rules}
    best = best_warmup(sweep, k, slope, sweep.settings["steps"])
    rule = rules[0]
    title = (
        f"K = {k}, slope {slope:g}: best warm-up {best} steps. The {rule} rule takes {switched[rule].mean():.0f}: "
        f"error {100 * excess[rule].mean():+.1f} %"
    )
    figure, (curves, rows) = figures.canvas(2, title)
    _draw_budgets(curves, sweep, k, slope)
    for rule, (color, marker) in zip(rules, _RULES, strict=True):
        place = (switched[rule].mean(), 100 * excess[rule].mean())
        spread = [[abs(place[0] - f(switched[rule]))] for f in (np.min, np.max)]
        curves.errorbar(*place, xerr=spread, fmt=marker, color=color, markersize=9, markeredgecolor="black")
    figures.caption(curves, "Price of a fixed warm-up, by budget")
    _draw_rows(rows, sweep, adaptive, state)
    here = {"codebook_size": k, "slope": slope}
    cold = 100 * (sweep.final("mse", warmup=0, **here) / sweep.final("mse", warmup=best, **here).mean() - 1)
    sentences = [
        f"{rule}: switch at step {figures.spread(switched[rule])} ({switched[rule].mean() - best:+.0f} to the best), "
        f"error {100 * excess[rule].mean():+.2f} ± {100 * excess[rule].std():.2f} %"
        for rule in rules
    ]
    status = (
        f"Against the best fixed warm-up, {best} of {sweep.settings['steps']:,} steps. {'; '.join(sentences)}; "
        f"cold: {cold.mean():+.2f} ± {cold.std():.2f} %. {len(sweep.seeds)} seeds, one switch each."
    )
    return View(figure, f"{title}. {status}", status)


def best_warmup(sweep: StoredSweep, codebook_size: int, slope: float, budget: int) -> int:
    """The stored warm-up length with the lowest mean error after `budget` steps."""
    warmups = trained_warmups(sweep, budget)
    error = _at_budget(sweep, codebook_size, slope, budget)
    return int(warmups[int(error.mean(1).argmin())])


def tied_warmups(sweep: StoredSweep, codebook_size: int, slope: float, budget: int) -> tuple[int, ...]:
    """The stored warm-up lengths that are no worse than the best by more than two standard errors, seed by seed."""
    warmups, error = trained_warmups(sweep, budget), _at_budget(sweep, codebook_size, slope, budget)
    above = error - error[error.mean(1).argmin()]  # (W, seeds): each seed beside itself
    slack = 2 * above.std(1, ddof=1) / np.sqrt(above.shape[1])
    return tuple(w for w, near in zip(warmups, above.mean(1) <= slack, strict=True) if near)


def regret(sweep: StoredSweep, adaptive: StoredSweep, rule: str, codebook_size: int, slope: float) -> np.ndarray:
    """Error of an adaptive rule above the mean of the best fixed warm-up, as a share of that: (seeds,)."""
    here = {"codebook_size": codebook_size, "slope": slope}
    warmup = best_warmup(sweep, budget=sweep.settings["steps"], **here)
    return adaptive.final("mse", rule=rule, **here) / sweep.final("mse", warmup=warmup, **here).mean() - 1


def _at_budget(sweep: StoredSweep, codebook_size: int, slope: float, budget: int) -> np.ndarray:
    moment = sweep.settings["frames"].index(budget)
    return sweep.at(codebook_size=codebook_size, slope=slope)["mse"][: len(trained_warmups(sweep, budget)), :, moment]


def _draw_budgets(axis: Axes, sweep: StoredSweep, codebook_size: int, slope: float) -> None:
    for budget, style, marker in BUDGETS:
        error = _at_budget(sweep, codebook_size, slope, budget)
        above = 100 * (error / error.mean(1).min() - 1)
        x = np.array(trained_warmups(sweep, budget))
        figures.band(axis, x, above.T, figures.WARM, f"{budget:,} steps", linestyle=style, marker=marker)
    axis.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
    axis.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
    axis.set(xlim=(0, 850), ylim=(-0.3, 6), xlabel="warm-up length (steps)", ylabel="% above the best")


def _draw_rows(axis: Axes, sweep: StoredSweep, adaptive: StoredSweep, state: dict) -> None:
    positions = [(k, slope) for slope in sweep.axes["slope"].values for k in sweep.axes["codebook_size"].values]
    groups = [("cold", (figures.COLD, "s"), [_cold_regret(sweep, *position) for position in positions])]
    for rule, style in zip(adaptive.axes["rule"].values, _RULES, strict=True):
        groups.append((rule, style, [regret(sweep, adaptive, rule, *position) for position in positions]))
    for row, (label, (color, marker), values) in enumerate(groups):
        above = 100 * np.array(values)  # (positions, seeds)
        mean = above.mean(1)
        bars = (mean - above.min(1), above.max(1) - mean)
        heights = np.arange(len(positions)) + 0.25 * (row - 1)
        axis.errorbar(mean, heights, xerr=bars, fmt=marker, color=color, label=label, linewidth=2)
        for height, highest in zip(heights, above.max(1), strict=True):
            if highest > _MOST_REGRET:
                place = (_MOST_REGRET, height)
                axis.annotate(f"to {highest:.0f} %", place, (0, 7), textcoords="offset points", ha="right")
    here = positions.index((state["codebook_size"], state["slope"]))
    axis.axhspan(here - 0.48, here + 0.48, color=figures.DATA, alpha=0.25, linewidth=0)
    axis.axvline(0, color=figures.THEORY, linestyle=":")
    axis.set_yticks(range(len(positions)), [f"K = {k}, slope {slope:g}" for k, slope in positions])
    axis.set(xlim=(-0.8, _MOST_REGRET), ylim=(len(positions) - 0.5, -0.5), xlabel="% above the best fixed warm-up")
    axis.set_position((0.67, 0.135, 0.31, 0.62))
    figures.caption(axis, f"Regret after {sweep.settings['steps']:,} steps, {len(sweep.seeds)} seeds")


def _cold_regret(sweep: StoredSweep, codebook_size: int, slope: float) -> np.ndarray:
    here = {"codebook_size": codebook_size, "slope": slope}
    warmup = best_warmup(sweep, budget=sweep.settings["steps"], **here)
    return sweep.final("mse", warmup=0, **here) / sweep.final("mse", warmup=warmup, **here).mean() - 1
