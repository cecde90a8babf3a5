"""The moving picture of a cold start and a warm-up side by side while they train."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from vqlab.figures.drawing import COLD, WARM, caption, log2_axes
from vqlab.figures.images import image_grid
from vqlab.figures.sheets import canvas, place
from vqlab.figures.view import View, styled

_NOTHING_YET = 235  # a grey


class Plan(NamedTuple):
    """What both trainings share; the cold one has no warm-up.   width: of the network.   every: steps to a picture."""

    steps: int
    warmup: int
    codebook_size: int = 256
    width: int = 8
    every: int = 20


class Moment(NamedTuple):
    """Both trainings at one step, cold first: reconstructions (2, n, 3, 32, 32) uint8, and numbers (2,) by name.

    Those of codes are NaN before there are any.
    """

    step: int
    reconstructions: np.ndarray
    numbers: dict[str, np.ndarray]


class Curve(NamedTuple):
    """The number that is drawn as the trainings go on, on a logarithmic axis.   say: a value of it in words."""

    key: str
    title: str
    label: str
    ticks: Sequence[int]
    limits: tuple[float, float]
    say: Callable[[float], str]


def codes_in_words(active: float) -> str:
    """How many codes are in use; NaN before there are codes."""
    return "no codes yet" if np.isnan(active) else f"{active:.0f} codes in use"


@styled
def side_by_side_view(originals: np.ndarray, moments: Sequence[Moment], plan: Plan, curve: Curve) -> View:
    """Originals (n, 3, 32, 32) uint8 over the newest reconstructions from both starts, and the curves so far.

    moments: with the numbers active_codes, tokens that these are counted on, psnr in dB, and that of the curve.
    """
    title, status = _words(moments, plan, curve)
    figure, (patches, curves) = canvas(2, title)
    back = moments[-1].reconstructions if moments else np.full((2, *originals.shape), _NOTHING_YET, np.uint8)
    place(patches, 0.1, 0.63, labels=1.05)
    place(curves, 0.715, 0.985)
    names = "cold", f"warm-up {plan.warmup}"
    image_grid(patches, np.stack([originals, *back]), rows=("original", *names))
    at = [moment.step for moment in moments]
    values = np.reshape([moment.numbers[curve.key] for moment in moments], (-1, 2)).T
    looks = ((COLD, "s", "--"), (WARM, "o", "-"))
    for name, value, (color, marker, line) in zip(names, values, looks, strict=True):
        curves.plot(at, value, color=color, marker=marker, linestyle=line, markersize=4, label=name)
    log2_axes(curves, y=curve.ticks)
    curves.set(xlabel="training step", xlim=(-0.02 * plan.steps, 1.02 * plan.steps))
    curves.set(ylabel=curve.label, ylim=curve.limits)
    caption(curves, curve.title)
    return View(figure, f"{title}. {status}", status)


def _words(moments: Sequence[Moment], plan: Plan, curve: Curve) -> tuple[str, str]:
    shared = f"K = {plan.codebook_size}, {plan.steps:,} steps, the same batches for both."
    if not moments:
        title = f"A cold start and a warm-up of {plan.warmup} steps, not trained yet"
        return title, f"Nothing is trained yet: {shared}"
    step, _, now = moments[-1]
    cold, warm = map(curve.say, now[curve.key])
    title = f"Step {step:,} of {plan.steps:,}: cold {cold}, with a warm-up {warm}"
    ends = zip(now["psnr"], now["active_codes"], strict=True)
    cold, warm = (f"PSNR {psnr:.1f} dB, {codes_in_words(active)}" for psnr, active in ends)
    counted = f"Codes are counted on {now['tokens'][0]:,.0f} held-out tokens."
    return title, f"Cold: {cold}. Warm-up {plan.warmup}: {warm}. {shared} {counted}"
