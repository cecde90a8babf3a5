"""Lab 04's third picture: a real vector quantizer beside what the training flow predicts of it."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures, measures
from vqlab.figures import View
from vqlab.labs.lab04.forecast import Forecast
from vqlab.labs.lab04.readings import at_switch, predict, shannon, trained_warmups, verdict
from vqlab.sweeps import Arrays, StoredSweep

_BAR = 5  # points


@figures.styled
def training_view(sweep: StoredSweep, state: dict, live: Arrays | None = None) -> View:
    """What each mode loses, and how dimension and error depend on the warm-up: measured and predicted.

    sweep: the stored `dimensions_collapse`.   state: warmup, beta and budget, the step looked at.
    live: a cell of the same position trained just now; then the third panel compares the two over time, if there are
    codes by the step that is looked at.
    """
    warmup, beta, budget = (state[name] for name in ("warmup", "beta", "budget"))
    warmups = trained_warmups(sweep, budget)
    moment = sweep.settings["frames"].index(budget)
    cell = sweep.at(beta=beta)  # (warm-up, seeds, frames, …)
    now = {key: value[: len(warmups), :, moment] for key, value in cell.items()}  # (warm-up, seeds, …)
    predicted = predict(sweep, beta, budget)
    figure, (modes, dimension, right) = figures.canvas(3, _headline(sweep, state, now, warmups))
    at, comparison = _place(sweep, warmup), ""
    _draw_modes(modes, cell["dimension_mse"][at, :, moment] / cell["dimension_mse"][at, :, 0])
    if warmup in warmups:
        modes.step(range(1, len(predicted.lost[at]) + 1), predicted.lost[at], "--", where="mid", color=figures.THEORY)
        comparison = verdict({key: value[at] for key, value in now.items()}, predicted, at, sweep.settings["dim"])
    _draw_dimension(dimension, sweep, now, predicted, state)
    if live is None or warmup not in warmups:
        _draw_error(right, sweep, now["mse"], predicted, state["warmup"])
    else:
        # Live and stored alike, up to the step that is looked at.
        here, live = (
            {key: run[key][:, : moment + 1] for key in ("mse", "code_dim")}
            for run in (sweep.at(warmup=warmup, beta=beta), live)
        )
        dimension.plot([at] * len(live["code_dim"]), live["code_dim"][:, -1], "k.")
        comparison = _draw_live(right, sweep, here, live)
    alt = f"{figure._suptitle.get_text()}. {comparison}"
    return View(figure, alt, f"{_status(sweep, state, now, warmups)} {comparison}".strip())


def _headline(sweep: StoredSweep, state: dict, now: Arrays, warmups: tuple[int, ...]) -> str:
    start = "Cold start" if state["warmup"] == 0 else f"Warm-up {state['warmup']}"
    if state["warmup"] not in warmups:
        return f"{start}, step {state['budget']:,}: still a plain autoencoder, no codes yet"
    at = warmups.index(state["warmup"])
    used, dimension = now["active"][at].mean(), now["code_dim"][at].mean()
    k, dim = sweep.settings["codebook_size"], sweep.settings["dim"]
    return f"{start}: {used:.0f} of {k} codes in use, {dimension:.1f} of {dim} dimensions"


def _status(sweep: StoredSweep, state: dict, now: Arrays, warmups: tuple[int, ...]) -> str:
    seeds = f"Step {state['budget']:,}, mean ± deviation over {len(sweep.seeds)} seeds; error summed over dimensions."
    if state["warmup"] not in warmups:
        return f"At step {state['budget']:,} this warm-up is not over: lengthen the budget or shorten the warm-up."
    here = {key: value[warmups.index(state["warmup"])] for key, value in now.items()}
    numbers = figures.metric_line(
        here["mse"] * sweep.settings["dim"],
        here["perplexity"],
        sweep.settings["codebook_size"],
        sweep.settings["held_out"],
        here["active"],
        here["latent_dim"],
        here["code_dim"],
    )
    return f"{numbers}. {seeds}"


def _draw_modes(axis: Axes, lost: np.ndarray) -> None:
    """lost: error of each mode over that before training, (seeds, d)."""
    modes = np.arange(1, lost.shape[1] + 1)
    # Thick lines for bars: one artist draws faster than 32.
    axis.vlines(modes, 0, lost.mean(0), color=figures.DATA, linewidth=_BAR, label=f"measured, {len(lost)} seeds")
    axis.vlines(modes, lost.min(0), lost.max(0), color=figures.LIVE, linewidth=1.5)
    axis.plot([], [], "--", color=figures.THEORY, label="theory")
    axis.set(xlim=(0.3, len(modes) + 0.7), ylim=(0, 1.1), xlabel="mode j", ylabel="share of its variance lost")
    figures.caption(axis, "A dead mode loses all its variance")


def _draw_dimension(axis: Axes, sweep: StoredSweep, now: Arrays, predicted: Forecast, state: dict) -> None:
    measured, dim = now["code_dim"], sweep.settings["dim"]
    x = np.arange(len(measured))
    figures.band(axis, x, measured.T, figures.WARM, "measured", marker="o")
    axis.plot(x, predicted.dimension, "--", color=figures.THEORY, label="theory")
    above = at_switch(sweep, beta=state["beta"])[: len(x)].mean(1)
    axis.plot(x, above, ":", color=figures.COLD, label="at switch")
    axis.set(ylim=(0, 27), ylabel="dimensions")
    axis.set_yticks((0, 4, 8, 12, 16, 20))
    at = _mark(axis, sweep, state["warmup"], measured.mean(1))
    if at is not None:
        used, reached = now["active"][at].mean() / sweep.settings["codebook_size"], measured[at].mean() / dim
        shares = f"{used:.0%} of codes,\n{reached:.0%} of dimensions"
        axis.annotate(shares, (0.03, 0.97), xycoords="axes fraction", va="top", fontweight="bold")
    _warmup_axis(axis, sweep)
    figures.caption(axis, "Effective dimension of codebook")


def _draw_error(axis: Axes, sweep: StoredSweep, mse: np.ndarray, predicted: Forecast, warmup: int) -> None:
    floor = float(shannon(sweep).distortion)
    error = mse * sweep.settings["dim"]  # (warm-up, seeds)
    x, best = np.arange(len(error)), int(error.mean(1).argmin())
    figures.band(axis, x, error.T / floor, figures.WARM, "measured", marker="o")
    axis.plot(x, predicted.error / floor, "--", color=figures.THEORY, label="theory")
    axis.axhline(1, color=figures.THEORY, linestyle=":", label="Shannon")
    arrow = {"arrowstyle": "->", "color": figures.LIVE}
    place = (best, error[best].max() / floor)
    axis.annotate("best", place, (0, 30), textcoords="offset points", ha="center", arrowprops=arrow)
    _mark(axis, sweep, warmup, error.mean(1) / floor)
    axis.set(ylim=(0.98, 1.32), ylabel="over Shannon's floor")
    axis.set_yticks((1, 1.1, 1.2, 1.3))
    _warmup_axis(axis, sweep)
    figures.caption(axis, f"Error: best {error[best].mean():.2f}, warm-up {sweep.axes['warmup'].values[best]}")


def _draw_live(axis: Axes, sweep: StoredSweep, stored: Arrays, live: Arrays) -> str:
    dim, k = sweep.settings["dim"], sweep.settings["codebook_size"]
    steps = sweep.settings["frames"][: stored["mse"].shape[1]]
    error = figures.draw_live(axis, steps, stored["mse"] * dim, live["mse"] * dim, figures.WARM, "error", digits=4)
    floor = float(shannon(sweep).distortion)
    axis.set(ylabel="squared error", ylim=(0.95 * floor, 1.4 * floor))
    figures.caption(axis, f"Error while training, K = {k}")
    new, was = live["code_dim"][:, -1], stored["code_dim"][:, -1]
    agree = "agrees with" if measures.agrees(new, was) else "DIFFERS from"
    return f"{error} Their dimension, {figures.spread(new)}, {agree} the stored {figures.spread(was)}."


def _place(sweep: StoredSweep, warmup: int) -> int:
    return sweep.axes["warmup"].values.index(warmup)


def _mark(axis: Axes, sweep: StoredSweep, warmup: int, means: np.ndarray) -> int | None:
    """Ring the current warm-up; returns its place, None if its training is not quantized within the budget."""
    at = _place(sweep, warmup)
    if at >= len(means):
        return None
    axis.plot(at, means[at], "o", color="none", markeredgecolor="black", markersize=14)
    return at


def _warmup_axis(axis: Axes, sweep: StoredSweep) -> None:
    values = sweep.axes["warmup"].values
    axis.set(xlim=(-0.5, len(values) - 0.5), xlabel="warm-up length (steps)")
    axis.set_xticks(range(len(values)), [str(value) for value in values])
