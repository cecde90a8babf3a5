"""Lab 04's second picture: the training flow, computed at once. Gains of all modes over time, and the loss."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from vqlab import figures, theory
from vqlab.data import power_law_spectrum
from vqlab.figures import View
from vqlab.labs.lab04.forecast import step_time
from vqlab.theory import DiagonalFlow, diagonal_flow

SLOPE = 1
_INTEGRATION_STEPS, _PATH_POINTS = 300, 50
_STEP_TICKS = (0, 50, 200, 600, 1200)
# A loss this close to Shannon's floor (relative) counts as having arrived.
_ARRIVED = 0.005


@figures.styled
def flow_view(settings: Mapping, state: dict) -> View:
    """Encoder and decoder gains of every mode over time, which modes die, and the loss against its floors.

    settings: those of the stored `dimensions_collapse`, whose steps are the unit of time here.
    state: warmup (steps), bits (R), beta (commitment weight) and start (ε, the gains a = b at step 0).
    """
    unit, total, warmup, bits = step_time(settings), settings["steps"], state["warmup"], state["bits"]
    variances = power_law_spectrum(settings["dim"], SLOPE)
    flow = diagonal_flow(
        variances, bits, unit * warmup, unit * total, beta=state["beta"], start=state["start"], steps=_INTEGRATION_STEPS
    )
    alive = flow.latent[-1] > flow.level[-1] * (1 + 1e-9)
    shannon = theory.water_fill(variances, bits)
    floor = float(theory.loss_floor(variances, bits, alive.sum()))
    above = flow.active[flow.times >= unit * warmup]  # modes above water from the switch on
    enough = enough_warmup(variances, bits, state["start"], unit, total)
    name, story = regime(
        warmup,
        state["beta"],
        warmup >= enough,
        escaped=alive.sum() > above.min(),
        missing=int(shannon.active - alive.sum()),
        settled=flow.loss[-1] / floor < 1 + _ARRIVED,
    )
    figure, axes = figures.canvas(
        3, f"{name}: {alive.sum()} of {len(alive)} modes active at the end; {bits} bits could serve {shannon.active}"
    )
    steps = flow.times / unit  # drawn at their square roots, which gives the early ones room
    _draw_gains(axes[0], steps, flow.a, alive)
    axes[0].set(ylabel="gain")
    figures.caption(axes[0], "Encoder gains a")
    _draw_gains(axes[1], steps, flow.b, alive)
    figures.caption(axes[1], "Decoder gains b")
    _draw_loss(axes[2], steps, flow, warmup, floor, float(shannon.distortion))
    for axis in axes:
        draw_time(axis, total, warmup)
    status = (
        f"{name}. {story} Modes above water: {above[0]} at the switch, {above.min()} at the fewest, "
        f"{alive.sum()} at step {total:,}. Loss "
        f"{flow.loss[-1]:.2f}, floor of the active modes {floor:.2f}, Shannon's floor {shannon.distortion:.2f}. "
        f"A warm-up of {enough} steps brings all {shannon.active} above water."
    )
    return View(figure, status, status)


def regime(warmup: int, beta: float, enough: bool, *, escaped: bool, missing: int, settled: bool) -> tuple[str, str]:
    """The name of a training's regime and the sentence that explains it.

    enough: whether the warm-up brought all modes that Shannon serves above water; escaped: whether modes rose above
    water after they had been under it; missing: modes that Shannon serves and that end under water, below 0 if more
    are active than he serves; settled: whether the loss is down at the floor of the active modes.
    """
    if beta == 0 and escaped:
        return "Slow escape (β = 0)", "Without commitment a dead mode's encoder gain creeps up until it is above water."
    if warmup == 0 and missing > 0:
        return "Cold start", "The water rose before the modes grew: those below it never start."
    if warmup == 0:
        return "Large start", "Started so large, the modes that deserve bits came up without any warm-up."
    if missing > 0 and enough:
        return (
            "Strong commitment",
            "Enough modes were above water, but β > 1 pulls encoder gains down to b/β: some drown.",
        )
    if missing > 0:
        return "Short warm-up", "Modes that deserve bits were still under water at the switch."
    if not enough:
        return (
            "Lifted",
            "Modes under water at the switch came up as their encoder gains rose to b/β, which β < 1 allows.",
        )
    if settled:
        return "Balanced", "All modes that deserve bits grew, a = b, before the water rose."
    return "Long warm-up", "Too many modes were let in: they share the bits, and shrink slowly."


def enough_warmup(variances: np.ndarray, bits: float, start: float, unit: float, total: int) -> int:
    """Steps of warm-up after which as many modes are above water as Shannon serves; `total` if that comes too late."""
    steps = np.unique(np.r_[0, np.geomspace(1, total, 300).astype(int)])
    counts = theory.predicted_active(variances, unit * steps, bits, start)
    # The first counts are vacuous: start from where the fewest modes are above water.
    lowest = int(counts.argmin())
    reached = np.flatnonzero(counts[lowest:] >= theory.water_fill(variances, bits).active)
    return int(steps[lowest + reached[0]]) if len(reached) else total


def _draw_gains(axis: Axes, steps: np.ndarray, gains: np.ndarray, alive: np.ndarray) -> None:
    at = np.searchsorted(steps, steps[-1] * np.linspace(0, 1, _PATH_POINTS) ** 2)  # even on the square-root scale
    shown = np.unique(np.minimum(at, len(steps) - 1))
    for which, color, style, label in (
        (alive, figures.USED, "-", f"{alive.sum()} active"),
        (~alive, figures.DEAD, "--", f"{(~alive).sum()} dead"),
    ):
        paths = [np.column_stack([np.sqrt(steps[shown]), gains[shown, mode]]) for mode in np.flatnonzero(which)]
        axis.add_collection(LineCollection(paths, colors=color, linestyles=style, linewidths=1, alpha=0.8))
        axis.plot([], [], style, color=color, label=label)
    axis.set(ylim=(0, 3.2), yticks=range(4))


def _draw_loss(axis: Axes, steps: np.ndarray, flow: DiagonalFlow, warmup: int, floor: float, shannon: float) -> None:
    quantized = steps >= warmup
    loss = flow.loss / shannon
    axis.plot(np.sqrt(steps[~quantized]), loss[~quantized], color=figures.DATA)
    axis.plot(np.sqrt(steps[quantized]), loss[quantized], color=figures.LIVE, linewidth=2, label="loss")
    axis.axhline(floor / shannon, color=figures.DEAD, linestyle="--", label="floor")
    axis.axhline(1, color=figures.THEORY, linestyle=":", label="Shannon")
    axis.set(ylim=(0.95, 1.5), yticks=(1, 1.2, 1.4), ylabel="over Shannon's floor")
    figures.caption(axis, f"Loss {flow.loss[-1]:.2f}: {loss[-1]:.3f} × Shannon's")


def draw_time(axis: Axes, total: int, warmup: int) -> None:
    """Steps at their square roots, with the warm-up shaded."""
    switch = np.sqrt(warmup)
    axis.set_xticks(np.sqrt(_STEP_TICKS), [f"{step:,}" for step in _STEP_TICKS])
    axis.set(xlim=(0, np.sqrt(total)), xlabel="step")
    axis.axvspan(0, switch, color=figures.WARM, alpha=0.12, linewidth=0)
    named = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
    if warmup:
        axis.annotate("warm-up", (switch, 0.97), (-4, 0), ha="right", **named)
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axis.annotate("quantized", (switch, 0.97), (5, 0), bbox=white, **named)
