"""Lab 04's race: the latents of all modes grow, and the water rises over the slow ones. Cold, and after a warm-up."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from vqlab import figures, theory
from vqlab.data import power_law_spectrum
from vqlab.figures import View
from vqlab.labs.lab04.forecast import start_gain, step_time
from vqlab.labs.lab04.pictures.flow import draw_time
from vqlab.labs.lab04.pictures.water import LEVEL, WATER
from vqlab.theory import DiagonalFlow

SLOPE, BETA = 1, 1.0
_INTEGRATION_STEPS, _PATH_POINTS = 600, 60
_BOTTOM, _TOP = 1e-3, 30.0
_TICKS = (0.001, 0.01, 0.1, 1, 10)
_NUMBERED = 6  # drowned modes with a number: the later ones drown too close together


@figures.styled
def race_view(settings: Mapping, state: dict) -> View:
    """Latent variances against the water level over time, from a cold start and after a warm-up; who drowns when.

    settings: those of the stored `dimensions_collapse`, whose steps are the unit of time here; β is 1.
    state: warmup (steps) and bits (R).
    """
    warmup, bits = state["warmup"], state["bits"]
    deserving = int(theory.water_fill(power_law_spectrum(settings["dim"], SLOPE), bits).active)
    races = [run(settings, start, bits) for start in (0, warmup)]
    lives = [int(np.isinf(drowned[:deserving]).sum()) for _, drowned in races]
    title = (
        f"{deserving} modes deserve {bits} bits: {lives[0]} live from a cold start, {lives[1]} after a warm-up of "
        f"{warmup} steps"
    )
    figure, panels = figures.canvas(2, title)
    for axis, (flow, drowned), start in zip(panels, races, (0, warmup), strict=True):
        _draw(axis, flow, drowned[:deserving], step_time(settings))
        draw_time(axis, settings["steps"], start)
        figures.caption(axis, f"Warm-up {start}" if start else "Cold start")
    panels[0].set(ylabel="variance of latent, λ")
    cold, warm = (
        words(flow, drowned[:deserving], start) for (flow, drowned), start in zip(races, (0, warmup), strict=True)
    )
    status = f"Cold: {cold} After {warmup} steps of warm-up: {warm}"
    return View(figure, f"{title}. {status}", status)


def run(settings: Mapping, warmup: int, bits: float) -> tuple[DiagonalFlow, np.ndarray]:
    """The flow of a training with this warm-up (steps), its times in steps, and when each mode drowns (d,)."""
    return _run(settings["dim"], settings["steps"], step_time(settings), start_gain(settings), warmup, bits)


@cache  # the cold race is the same wherever the slider of the warm-up stands
def _run(dim: int, steps: int, unit: float, start: float, warmup: int, bits: float) -> tuple[DiagonalFlow, np.ndarray]:
    spectrum = power_law_spectrum(dim, SLOPE)
    flow = theory.diagonal_flow(
        spectrum, bits, unit * warmup, unit * steps, beta=BETA, start=start, steps=_INTEGRATION_STEPS
    )
    flow = flow._replace(times=flow.times / unit)
    return flow, theory.drowning_times(flow.times, flow.latent, bits, warmup)


def words(flow: DiagonalFlow, drowned: np.ndarray, warmup: int) -> str:
    """Who drowned and when, in a sentence. drowned: of the modes that deserve bits, inf for those that live."""
    switch = int(np.searchsorted(flow.times, warmup))
    above, level = flow.active[switch], flow.level[[switch, -1]]
    rise = f"the level goes from {level[0]:.3g} to {level[1]:.3g}"
    dead = np.flatnonzero(np.isfinite(drowned))
    if not len(dead):
        return f"{above} modes above water at the switch, {rise}, and none of the deserving drowns."
    at_once = int((drowned[dead] <= warmup).sum())
    last = dead[drowned[dead].argmax()]
    return (
        f"{above} modes above water at the switch, {rise}; {len(dead)} of the deserving drown, {at_once} of them at "
        f"once, the last (mode {last + 1}) at step {drowned[last]:.0f}."
    )


def _draw(axis: Axes, flow: DiagonalFlow, drowned: np.ndarray, unit: float) -> None:
    """The deserving modes, the largest first, and the water; times in steps, drawn at their square roots."""
    at = np.searchsorted(flow.times, flow.times[-1] * np.linspace(0, 1, _PATH_POINTS) ** 2)
    shown = np.unique(np.minimum(at, len(flow.times) - 1))
    x = np.sqrt(flow.times[shown])
    axis.fill_between(x, _BOTTOM, flow.level[shown], color=WATER, linewidth=0)
    axis.plot(x, flow.level[shown], color=LEVEL, linewidth=3, label="water D*")
    lives = np.isinf(drowned)
    for which, color, style, label in (
        (lives, figures.USED, "-", f"{lives.sum()} live"),
        (~lives, figures.DEAD, "--", f"{(~lives).sum()} drown (×)"),
    ):
        paths = [np.column_stack([x, flow.latent[shown, mode]]) for mode in np.flatnonzero(which)]
        axis.add_collection(LineCollection(paths, colors=color, linestyles=style, linewidths=1.2))
        axis.plot([], [], style, color=color, label=label)
    dead = np.flatnonzero(~lives)
    at = np.searchsorted(flow.times, drowned[dead])
    axis.plot(np.sqrt(drowned[dead]), flow.latent[at, dead], "x", color=figures.DEAD, markersize=8, markeredgewidth=2)
    for mode in dead[:_NUMBERED:2]:
        place = (np.sqrt(drowned[mode]), flow.latent[np.searchsorted(flow.times, drowned[mode]), mode])
        axis.annotate(f"{mode + 1}", place, (7, -9), textcoords="offset points", color=figures.DEAD)
    axis.set_yscale("log")
    axis.set(ylim=(_BOTTOM, _TOP))
    axis.set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])  # powers would be typeset anew for every picture
    axis.minorticks_off()
