"""Lab 03's first picture: reconstructions, the use of the codes, and where codes and latents lie."""

from functools import cache

import numpy as np
from matplotlib.axes import Axes

from vqlab import data, figures, measures
from vqlab.figures import View
from vqlab.labs.lab03 import readings
from vqlab.sweeps import Arrays, StoredSweep

_PAIRS = 2  # of an original and its reconstruction in a row
_FEW = 256  # codes that have room for large markers
_PLACES = 120  # to a side of the plane: codes closer than that cover each other, so one of them is drawn
_POINTS = 150  # of the curve of use: more than it has pixels to tell apart
PROVENANCE = "Numbers: CIFAR-10, from a JPEG-recompressed copy; pictures: crops of photographs"


@figures.styled
def training_view(sweep: StoredSweep, state: dict) -> View:
    """What became of one position at the end of training: pictures of the first seed, numbers of all.

    sweep: the stored `images_collapse`.   state: warmup, codebook_size and width, stored positions.
    """
    cell, k = sweep.at(**{name: state[name] for name in sweep.axes}), state["codebook_size"]
    counts = np.sort(cell["usage"][:k].astype(int))[::-1]
    active, psnr = int((counts > 0).sum()), measures.psnr(cell["mse"][:, -1])
    start = "Cold start" if state["warmup"] == 0 else f"Warm-up {state['warmup']:,}"
    title = f"{start}, K = {k:,}: {active:,} codes in use, PSNR {psnr[0]:.1f} dB (seed {sweep.seeds[0]})"
    figure, (patches, usage, plane) = figures.canvas(3, title)
    originals = data.photo_patches(len(cell["patches"])).x
    pairs = np.stack([originals, cell["patches"]], 1)  # (n, 2, 3, 32, 32)
    shown = pairs.reshape(-1, 2 * _PAIRS, *originals.shape[1:])  # pairs in rows
    figures.place(patches, 0.012, 0.375, labels=0.1)
    figures.place(usage, 0.445, 0.69)
    figures.place(plane, 0.765, 0.99)
    figures.image_grid(patches, shown, columns=("original", "from tokens") * _PAIRS)
    patches.set_title("Photo patches, never trained on", loc="left", y=1.1)
    _draw_usage(usage, sweep, counts)
    _draw_plane(plane, sweep, cell, k)
    status = f"{metric_line(sweep, state)}. {PROVENANCE}."
    return View(figure, f"{title}. {status}", status)


def metric_line(sweep: StoredSweep, state: dict) -> str:
    """The house order, at the end of training: error · perplexity · active codes · effective dimensions; all seeds."""
    position = {name: state[name] for name in sweep.axes}
    keys = ("mse", "perplexity", "active", "latent_dim", "used_dim", "code_dim")
    mse, perplexity, active, *dims = (sweep.final(key, **position) for key in keys)
    latent, used, rows = map(figures.range_of, dims)
    return (
        f"Reconstruction error {figures.spread(mse)}, PSNR {figures.spread(measures.psnr(mse))} dB · "
        f"perplexity {figures.spread(perplexity)} of {state['codebook_size']:,} at "
        f"{readings.held_out_tokens(sweep):,} tokens · active codes {figures.spread(active)} · "
        f"effective dimension {latent} (encoder output) / {used} (codes in use; {rows} of all rows), "
        f"{len(mse)} seeds"
    )


def _draw_usage(axis: Axes, sweep: StoredSweep, counts: np.ndarray) -> None:
    """How often each code is chosen, most used first (K,), on fixed axes."""
    n, k, active = int(counts.sum()), len(counts), int((counts > 0).sum())
    largest = max(sweep.axes["codebook_size"].values)
    ranks = np.unique(np.geomspace(1, active, _POINTS).round().astype(int))
    axis.fill_between(ranks, 0.5, counts[ranks - 1], color=figures.USED, alpha=0.25, linewidth=0)
    axis.plot(ranks, counts[ranks - 1], "-", color=figures.USED, linewidth=2, label=f"used: {active:,}")
    if active < k:
        dead = np.unique(np.geomspace(active + 1, k, 24).astype(int))
        axis.plot(dead, np.full(len(dead), 0.75), "x", color=figures.DEAD, markersize=5, label=f"dead: {k - active:,}")
    axis.plot([1, k], [n / k] * 2, "--", color=figures.THEORY)
    axis.annotate("even use", (1, n / k), (3, -4), textcoords="offset points", va="top", color=figures.THEORY)
    axis.set(xscale="log", yscale="log", xlim=(0.9, 1.15 * largest), ylim=(0.5, 1.3 * _most_used(sweep)))
    axis.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    axis.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    axis.minorticks_off()
    axis.set(xlabel="codes, most used first", ylabel="times chosen")
    figures.caption(axis, f"Use of {k:,} codes, N = {n:,}")


def _draw_plane(axis: Axes, sweep: StoredSweep, cell: Arrays, k: int) -> None:
    """Latents and codes along the first two principal axes of the latents, around their mean."""
    codes, dead = cell["codebook"][:k], cell["usage"][:k] == 0
    shrink = 1 if k <= _FEW else 1.6
    axis.plot(*cell["latents"].T, ".", color=figures.DATA, markersize=4, alpha=0.6, label="latents")
    limit = figures.latent_limit(sweep)
    axis.plot(*_apart(codes[~dead], limit).T, "o", color=figures.USED, markersize=3.5 / shrink, label="used")
    # On top: a heap is small.
    axis.plot(*_apart(codes[dead], limit).T, "x", color=figures.DEAD, markersize=6 / shrink, label="dead")
    ticks = np.arange(-(limit // 2) * 2, limit, 2)
    axis.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=ticks, yticks=ticks)
    axis.set(xlabel="principal axis 1", ylabel="principal axis 2")
    figures.caption(axis, "Latents and codes")


@cache
def _most_used(sweep: StoredSweep) -> int:
    return int(sweep.arrays["usage"].max())


def _apart(points: np.ndarray, limit: float) -> np.ndarray:
    """One of those points (n, 2) that a plane of half-width `limit` has no room to tell apart: (m, 2)."""
    return points[np.unique(np.round(points * _PLACES / (2 * limit)), axis=0, return_index=True)[1]]
