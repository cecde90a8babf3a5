"""Lab 05's first picture: photographs, the loss and the dimensions, over the training of a VQGAN."""

from functools import cache

import numpy as np
from matplotlib.axes import Axes

from vqlab import data, figures, measures
from vqlab.figures import View
from vqlab.labs.lab05 import readings
from vqlab.sweeps import Arrays, StoredSweep

PROVENANCE = "Numbers: CIFAR-10, from a JPEG-recompressed copy; pictures: crops of photographs"
_SHOWN = slice(2, 6)  # of the patches: the others are nearly one colour
_DIMENSIONS = (1, 2, 4, 8, 16, 32, 64)


@figures.styled
def training_view(sweep: StoredSweep, state: dict) -> View:
    """One training as it stands at a step: pictures of the first seed, curves of all.

    sweep: any of Lab 05 with a warmup axis.   state: its axes, and step, one of `readings.frames`.
    """
    position, step = {name: state[name] for name in sweep.axes}, state["step"]
    cell, moment = sweep.at(**position), readings.frames(sweep).index(step)
    figure, (patches, loss, dims) = figures.canvas(3, _title(sweep, cell, state))
    figures.place(patches, 0.095, 0.4, labels=1.0)
    figures.place(loss, 0.475, 0.675)
    figures.place(dims, 0.765, 0.98)
    cold = sweep.at(**(position | {"warmup": 0}))["patches"]
    _draw_patches(patches, cell["patches"][moment], f"step {step:,}", cold[-1])
    _draw_loss(loss, sweep, position, step)
    _draw_dimensions(dims, sweep, position, step)
    status = f"{metric_line(sweep, position, step)}. {PROVENANCE}."
    return View(figure, f"{_title(sweep, cell, state)}. {status}", status)


def metric_line(sweep: StoredSweep, position: dict, step: int) -> str:
    """The house order at a step: error · perplexity · active codes · effective dimensions; then the other judges."""
    cell, moment, k = sweep.at(**position), readings.frames(sweep).index(step), readings.codebook_size(sweep, position)
    now = {key: cell[key][:, moment] for key in ("mse", "perplexity", "active", "latent_dim", "centroid_dim", *_JUDGES)}
    psnr = f"PSNR {figures.spread(measures.psnr(now['mse']))} dB"
    if np.isnan(now["active"]).any():
        codes = f"no codes yet · effective dimension {figures.range_of(now['latent_dim'])} (encoder output)"
    else:
        codes = (
            f"perplexity {figures.spread(now['perplexity'])} of {k:,} at {readings.held_out_tokens(sweep):,} tokens · "
            f"active codes {figures.spread(now['active'])} · effective dimension {figures.range_of(now['latent_dim'])} "
            f"(encoder output) / {figures.range_of(now['centroid_dim'])} (codes)"
        )
    judged = " · ".join(f"{name} {figures.spread(now[key])}" for key, name in _JUDGES.items())
    seeds = f"{len(sweep.seeds)} seeds"
    return f"Reconstruction error {figures.spread(now['mse'])}, {psnr} · {codes} · {judged}, {seeds}"


_JUDGES = {"l1": "L1", "perceptual": "perceptual distance", "frechet": "Fréchet distance"}


def _title(sweep: StoredSweep, cell: Arrays, state: dict) -> str:
    moment, start = readings.frames(sweep).index(state["step"]), _name(state["warmup"])
    dims = figures.range_of(cell["latent_dim"][:, moment])
    used, k = cell["active"][:, moment], readings.codebook_size(sweep, state)
    codes = "no codes yet" if np.isnan(used).any() else f"{figures.range_of(used)} of {k:,} codes"
    width = state.get("width", sweep.settings.get("width"))
    return f"{start}, width {width}, step {state['step']:,}: {codes}, {dims} of {cell['watched'].shape[-1]} dimensions"


def _name(warmup: int) -> str:
    return f"Warm-up {warmup:,}" if warmup else "Cold start"


def _draw_patches(axis: Axes, back: np.ndarray, when: str, cold: np.ndarray) -> None:
    """Originals, reconstructions at a step, and those at the end of the cold start, (n, 3, 32, 32) each."""
    rows = np.stack([data.photo_patches(len(back)).x, back, cold])[:, _SHOWN]
    figures.image_grid(axis, rows, rows=("original", when, "cold, end"))
    axis.set_title("Photo patches, never trained on", loc="left", y=1.03)


def _draw_loss(axis: Axes, sweep: StoredSweep, position: dict, step: int) -> None:
    """The total loss of all warm-ups over training, the chosen one thick, on fixed axes."""
    steps = readings.checked_steps(sweep)[1:]
    for warmup in sweep.axes["warmup"].values:
        if warmup != position["warmup"]:
            others = sweep.at(**(position | {"warmup": warmup}))["loss"].mean(0)
            axis.plot(steps, others, "-", color=figures.DATA, linewidth=1)
    axis.plot([], [], "-", color=figures.DATA, linewidth=1, label="other warm-ups")
    figures.band(axis, steps, sweep.at(**position)["loss"], figures.WARM, "this", linewidth=2)
    low, high = _loss_range(sweep)
    axis.set(yscale="log", ylim=(low, high), ylabel="total loss")
    ticks = [tick for tick in (0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0) if low < tick < high]
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    _time_axis(axis, sweep, position["warmup"], step)
    figures.caption(axis, f"Loss, {len(sweep.seeds)} seeds")


@cache
def _loss_range(sweep: StoredSweep) -> tuple[float, float]:
    loss = sweep.arrays["loss"]
    return 0.9 * float(np.nanmin(loss)), 1.1 * float(np.nanmax(loss))


def _draw_dimensions(axis: Axes, sweep: StoredSweep, position: dict, step: int) -> None:
    """Effective dimension of the latents over training beside a cold start's, and of the codes, on fixed axes."""
    steps = readings.checked_steps(sweep)
    if position["warmup"]:
        cold = readings.dimensions_over_training(sweep, **(position | {"warmup": 0}))
        figures.band(axis, steps, cold, figures.COLD, "cold", linestyle="--")
    figures.band(
        axis, steps, readings.dimensions_over_training(sweep, **position), figures.WARM, "latents", linewidth=2
    )
    codes = sweep.at(**position)["centroid_dim"].mean(0)
    axis.plot(readings.frames(sweep), codes, "^", color=figures.USED, markersize=6, label="codes")
    figures.log2_axes(axis, y=_DIMENSIONS)
    axis.set(ylim=(0.9, 72), ylabel="effective dimension")
    _time_axis(axis, sweep, position["warmup"], step)
    figures.caption(axis, "Dimensions")


def _time_axis(axis: Axes, sweep: StoredSweep, warmup: int, step: int) -> None:
    """Steps, with the switch dotted and the step that is looked at as a thin line."""
    last = readings.frames(sweep)[-1]
    axis.axvline(step, color=figures.LIVE, linewidth=0.8)
    if warmup:
        axis.axvline(warmup, color=figures.THEORY, linestyle=":")
        axis.annotate(
            "switch",
            (warmup, 0.98),
            (3, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            color=figures.THEORY,
        )
    axis.set(xlim=(-0.03 * last, 1.03 * last), xlabel="training step")
    axis.set_xticks((0, last // 2, last), ("0", f"{last // 2:,}", f"{last:,}"))
