"""Lab 02's first picture: classes in data space, what the encoder makes of the plane, and who is taken for whom."""

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from vqlab import figures
from vqlab.data import separate_classes
from vqlab.figures import View
from vqlab.sweeps import Arrays, StoredSweep

TOKENS = 4000  # every sample is one token
_READING = {"tokens": "token_accuracy", "embeddings": "mean_accuracy"}
READ_FROM = tuple(_READING)
_DRAWN = 256
_GRID = "#A8A8A8"
# A picture is stored in a byte a coordinate: what is smaller than this beside its distance from 0 has no shape.
_NO_SIZE = 1 / 250
_SHARES = LinearSegmentedColormap.from_list("shares", ["#FFFFFF", "#56B4E9", "#0B2545"])
# Up to this many classes a number fits into a cell of the confusion matrix.
_NUMBERED = 8


@figures.styled
def training_view(sweep: StoredSweep, state: dict, live: Arrays | None = None) -> View:
    """The state of one training at one moment, and which classes are confused at its end.

    sweep: the stored `embeddings_collapse`.   state: width, codebook_size, warmup, classes, layout, seed, step, all
    stored positions (seeds: those with pictures), and read, what classes are read from, one of READ_FROM.
    live: a cell of the same position trained just now; then the third panel compares its regions with the stored ones.
    """
    axes = ("width", "codebook_size", "warmup", "classes", "layout")
    cell = sweep.at(**{name: state[name] for name in axes})
    steps, classes = sweep.settings["frames"], state["classes"]
    moment, seed = steps.index(state["step"]), sweep.seeds.index(state["seed"])
    now = {key: values[:, moment] for key, values in cell.items() if values.shape[1:2] == (len(steps),)}
    headline = _headline(state, int(now["regions"][seed]), steps[-1])
    figure, (points, latents, right) = figures.canvas(3, headline)
    _draw_points(points, sweep, now["reconstruction"][seed], state)
    _draw_latents(latents, sweep, {key: now[key][seed] for key in ("grid", "latents", "codebook", "usage")}, state)
    if live is None:
        comparison = _draw_confusion(right, cell, seed, state)
    else:
        comparison = _draw_live(right, steps, cell, live, state)
    numbers = figures.metric_line(
        now["mse"], now["perplexity"], state["codebook_size"], TOKENS, now["active"], now["latent_dim"], now["code_dim"]
    )
    status = (
        f"{numbers}. {_class_line(now, classes)}. Step {state['step']:,} of {steps[-1]:,}, mean ± deviation over "
        f"{len(sweep.seeds)} seeds. {comparison}"
    )
    return View(figure, f"{headline}. {comparison}", status)


def _headline(state: dict, regions: int, last: int) -> str:
    start = "cold" if state["warmup"] == 0 else f"warm-up {state['warmup']}"
    when = "" if state["step"] == last else f" at step {state['step']}"
    merged = f"{state['classes']} classes in {regions} distinct region{'s' * (regions != 1)}"
    return f"Width {state['width']}, {start}: {merged}{when} (seed {state['seed']})"


def _class_line(now: Arrays, classes: int) -> str:
    regions = f"Distinct regions {figures.spread(now['regions'])} of {classes}, living units {_living(now['living'])}"
    means = f"nearest class mean right for {figures.per_cent(now['mean_accuracy'])}"
    if np.isnan(now["token_accuracy"]).any():
        return f"{regions} · {means}"
    return (
        f"{regions} · {means} · token right for {figures.per_cent(now['token_accuracy'])} · "
        f"information {figures.spread(now['information'])} of {np.log2(classes):g} bits"
    )


def _living(units: np.ndarray) -> str:
    return f"{units.min():.0f}–{units.max():.0f} in the poorest layer"


def _draw_points(axis: Axes, sweep: StoredSweep, reconstruction: np.ndarray, state: dict) -> None:
    x, y = _data(state["layout"], state["classes"])
    half_width, side = sweep.settings["grid"]["half_width"], sweep.settings["grid"]["side"]
    ticks = np.linspace(-half_width, half_width, side)
    _draw_grid(axis, np.stack(np.meshgrid(ticks, ticks), -1))
    figures.draw_classes(axis, x, y, 14, alpha=0.6, markeredgewidth=0)
    figures.draw_classes(
        axis, reconstruction, np.arange(len(reconstruction)) % state["classes"], 42, markeredgecolor="black"
    )
    axis.plot([], [], "o", color=figures.DATA, markersize=4, alpha=0.6, label="data")
    axis.plot([], [], "o", color=figures.DATA, markersize=6, markeredgecolor="black", label="reconstructions")
    ticks = (-1, 0, 1)
    axis.set(xlim=(-1.98, 1.98), ylim=(-1.75, 1.75), xticks=ticks, yticks=ticks, xlabel="x₁", ylabel="x₂")
    figures.caption(axis, f"Data: {state['classes']} classes")


@cache
def _data(layout: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    samples = separate_classes(layout, classes)
    return samples.x[:_DRAWN], samples.y[:_DRAWN]


def _draw_grid(axis: Axes, grid: np.ndarray) -> None:
    """A grid (side, side, 2), or its image, as its rows and columns."""
    lines = np.full((2 * len(grid), len(grid) + 1, 2), np.nan)  # one line with gaps draws faster than many
    lines[: len(grid), :-1], lines[len(grid) :, :-1] = grid, np.swapaxes(grid, 0, 1)
    axis.plot(*lines.reshape(-1, 2).T, color=_GRID, linewidth=0.9, zorder=0)


def _draw_latents(axis: Axes, sweep: StoredSweep, now: Arrays, state: dict) -> None:
    """Latents around their mean, in units of the farthest: merging is a matter of shape, not of size."""
    side, k = sweep.settings["grid"]["side"], state["codebook_size"]
    middle = now["latents"].mean(0)
    size = float(np.linalg.norm(now["latents"] - middle, axis=1).max())
    unit = size if size > _NO_SIZE * np.linalg.norm(middle) else 1.0
    grid, latents, codebook = ((now[key] - middle) / unit for key in ("grid", "latents", "codebook"))
    _draw_grid(axis, grid.reshape(side, side, 2))
    axis.plot([], [], color=_GRID, label="grid")
    figures.draw_classes(axis, latents, np.arange(len(latents)) % state["classes"], 36, markeredgewidth=0)
    if not np.isnan(codebook).any():
        figures.draw_codes(axis, codebook[:k], now["usage"][:k] == 0)
    axis.set(xlim=(-1.3, 1.3), ylim=(-1.15, 1.15), xticks=(-1, 0, 1), yticks=(-1, 0, 1), xlabel="z₁", ylabel="z₂")
    figures.caption(axis, f"Latents and codes (unit: {unit:.2g})" if size == unit else "Latents: a single point")


def _draw_confusion(axis: Axes, cell: Arrays, seed: int, state: dict) -> str:
    classes, tokens = state["classes"], state["read"] == "tokens"
    shares = cell[f"confusion_{'tokens' if tokens else 'latents'}"][seed, :classes, :classes]
    axis.imshow(shares, cmap=_SHARES, vmin=0, vmax=100, aspect="auto", interpolation="nearest")
    if classes <= _NUMBERED:
        for (row, column), share in np.ndenumerate(shares):
            if share >= 10:
                ink = figures.ON_DARK if share > 60 else figures.ON_LIGHT
                axis.text(column, row, f"{share:d}", color=ink, ha="center", va="center")
    right = float(np.trace(shares)) / classes
    ticks = np.arange(0, classes, classes // 4)
    axis.set(xlabel="class it is taken for", ylabel="class", xticks=ticks, yticks=ticks)
    axis.set_title(f"From the {state['read']}: {right:.0f} % right", loc="left", y=1.1)
    axis.text(0, 1.03, "at the end; darker is more often", transform=axis.transAxes)
    probe = cell["probe_accuracy"]
    final = cell[_READING[state["read"]]][:, -1]
    return (
        f"At the end the class read from {'the token' if tokens else 'the nearest class mean'} is right for "
        f"{figures.per_cent(final)} of the samples, by a linear probe of the embeddings for {figures.per_cent(probe)}."
    )


def _draw_live(axis: Axes, steps: list[int], stored: Arrays, live: Arrays, state: dict) -> str:
    color = figures.WARM if state["warmup"] else figures.COLD
    verdict = figures.draw_live(axis, steps, stored["regions"], live["regions"], color, "region count")
    classes, read = state["classes"], state["read"]
    new, was = (figures.per_cent(cell[_READING[read]][:, -1]) for cell in (live, stored))
    axis.text(0.98, 0.04, f"from the {read}: {new} right", transform=axis.transAxes, ha="right")
    axis.set(ylabel="distinct regions", ylim=(0, 1.05 * classes), yticks=range(0, classes + 1, classes // 4))
    figures.caption(axis, f"Distinct regions of {classes} classes")
    return f"{verdict} The class read from the {read} is right for {new} of the samples live, {was} stored."
