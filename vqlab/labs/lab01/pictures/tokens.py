"""Lab 01's picture: data and reconstructions, latents and codes, and how perplexity grows with K."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import data, figures
from vqlab.figures import View
from vqlab.labs.lab01 import readings
from vqlab.sweeps import Arrays, StoredSweep

TOKENS = 4000  # every sample of the ring is one token
_RING = data.gaussian_ring().x[:400]
_PICTURED = 80  # latents drawn in the heap, as many as the sweep keeps


@figures.styled
def training_view(sweep: StoredSweep, state: dict, live: Arrays | None = None) -> View:
    """The state of one training at one moment, and where it ends for every K.

    sweep: the stored `tokens_collapse`.   state: warmup, codebook_size, seed and step, all stored positions.
    live: a cell of the same position trained just now; then the third panel compares the two over time.
    """
    cell = sweep.at(warmup=state["warmup"], codebook_size=state["codebook_size"])
    steps = sweep.settings["frames"]
    moment, seed = steps.index(state["step"]), sweep.seeds.index(state["seed"])
    now = {key: value[:, moment] for key, value in cell.items()}  # (seeds, frames, …) -> (seeds, …)
    headline = _headline(state, now["active"][seed], steps[-1])
    figure, (points, latents, right) = figures.canvas(3, headline)
    _draw_points(points, now["reconstruction"][seed].astype(float))
    _draw_latents(latents, sweep, now, seed, state["codebook_size"])
    if live is None:
        comparison = _draw_growth(right, sweep, state, float(now["perplexity"][seed]))
    else:
        comparison = _draw_live(right, steps, cell["perplexity"], live["perplexity"], state)
    numbers = figures.metric_line(
        now["mse"], now["perplexity"], state["codebook_size"], TOKENS, now["active"], now["latent_dim"], now["code_dim"]
    )
    status = f"{numbers}. Step {state['step']:,} of {steps[-1]:,}, mean ± deviation over {len(sweep.seeds)} seeds."
    return View(figure, f"{headline}. {comparison}", f"{status} {comparison}")


def _headline(state: dict, active: float, last: int) -> str:
    start = "Cold start" if state["warmup"] == 0 else f"Warm-up {state['warmup']}"
    if np.isnan(active):
        return f"{start}, step {state['step']}: still a plain autoencoder, no codes yet"
    when = "at the end" if state["step"] == last else f"at step {state['step']}"
    return f"{start}: {active:.0f} of {state['codebook_size']} codes in use {when} (seed {state['seed']})"


def _draw_points(axis: Axes, reconstruction: np.ndarray) -> None:
    axis.plot(*_RING.T, ".", color=figures.DATA, markersize=4, alpha=0.5, label="data")
    axis.plot(*reconstruction.T, "D", color=figures.RECONSTRUCTION, markersize=4, label="reconstructions")
    axis.set(xlim=(-1.8, 1.8), ylim=(-1.6, 1.6), xlabel="x₁", ylabel="x₂")
    figures.caption(axis, "Data and reconstructions")


def _draw_latents(axis: Axes, sweep: StoredSweep, now: Arrays, seed: int, k: int) -> None:
    latents = now["latents"][seed].astype(float)
    codebook, usage = now["codebook"][seed][:k].astype(float), now["usage"][seed][:k]
    axis.plot(*latents.T, ".", color=figures.DATA, markersize=5, alpha=0.7, label="latents")
    if not np.isnan(codebook).any():
        figures.draw_codes(axis, codebook, usage == 0)
    limit = figures.latent_limit(sweep)
    axis.set(xlim=(-1.13 * limit, 1.13 * limit), ylim=(-limit, limit), xlabel="z₁", ylabel="z₂")
    figures.caption(axis, "Latents and codes")


def _draw_growth(axis: Axes, sweep: StoredSweep, state: dict, now: float) -> str:
    sizes = np.array(sweep.axes["codebook_size"].values)
    cold = sweep.final("perplexity", warmup=0).T  # (K, seeds) -> (seeds, K)
    warm = sweep.final("perplexity", warmup=state["warmup"]).T
    axis.plot(sizes, sizes, ":", color=figures.THEORY, label="= K")
    figures.band(axis, sizes, cold, figures.COLD, "cold", marker="s", linestyle="--")
    if state["warmup"]:
        figures.band(axis, sizes, warm, figures.WARM, f"warm-up {state['warmup']}", marker="o")
    here = warm[:, list(sizes).index(state["codebook_size"])]
    axis.plot(state["codebook_size"], here.mean(), "o", color="none", markeredgecolor="black", markersize=14)
    if state["step"] < sweep.settings["frames"][-1] and not np.isnan(now):
        axis.plot(state["codebook_size"], now, "*", color="black", markersize=11)
        axis.annotate("now ", (state["codebook_size"], now), ha="right", va="top")
    _perplexity_axis(axis, sizes)
    axis.set(xlabel="codebook size K (codes)")
    figures.log2_axes(axis, x=sizes)
    figures.caption(axis, f"Final perplexity at N = {TOKENS:,}")
    at_k = f"At the end K = {state['codebook_size']} has perplexity {figures.spread(here)}"
    if not state["warmup"]:
        return f"{at_k} from a cold start."
    return f"{at_k} with this warm-up and {figures.spread(cold[:, list(sizes).index(state['codebook_size'])])} cold."


def _draw_live(axis: Axes, steps: list[int], stored: np.ndarray, live: np.ndarray, state: dict) -> str:
    k = state["codebook_size"]
    color = figures.WARM if state["warmup"] else figures.COLD
    verdict = figures.draw_live(axis, steps, stored, live, color, "perplexity")
    _perplexity_axis(axis, np.array([1, k]))
    figures.caption(axis, f"Perplexity while training, K = {k}")
    return verdict


def _perplexity_axis(axis: Axes, sizes: np.ndarray) -> None:
    lowest = max(1, sizes[0] / 2)
    figures.log2_axes(axis, y=2 ** np.arange(np.log2(lowest), np.log2(sizes[-1]) + 0.1))
    axis.set(ylabel="perplexity", ylim=(lowest, sizes[-1] * 1.4))


@figures.styled
def death_view(sweep: StoredSweep, codebook: np.ndarray, before: np.ndarray, after: np.ndarray) -> View:
    """Why codes die after a cold start: the heap at step 0, who is nearest once the latents spread, and when.

    sweep: the stored `tokens_collapse`, for the numbers of all seeds over time.   codebook (K, 2): of one training at
    step 0, K the largest stored; before and after (N, 2): its latents then and at the end.
    """
    k, steps = len(codebook), sweep.settings["frames"]
    chosen, rim = readings.nearest(after, codebook), readings.rim(codebook)
    alive = np.isin(np.arange(k), chosen)
    inside = np.setdiff1d(chosen, rim)
    active = sweep.at(warmup=0, codebook_size=k)["active"]  # (seeds, frames)
    title = f"Of {k} codes, {len(chosen)} are nearest to one of {len(after):,} trained latents"
    figure, (heap, outside, time) = figures.canvas(3, title)
    limits = [(low - 0.01, high + 0.01) for low, high in zip(codebook.min(0), codebook.max(0), strict=True)]
    heap.plot(*before[:_PICTURED].T, ".", color=figures.DATA, markersize=5, label="latents")
    figures.draw_codes(heap, codebook, np.zeros(k, bool))
    figures.caption(heap, "Step 0, zoomed in: the heap")
    figures.draw_codes(outside, codebook, ~alive)
    outside.get_lines()[0].set_label(f"never nearest: {(~alive).sum()}")
    outside.get_lines()[1].set_label(f"nearest: {alive.sum()}")
    figures.caption(outside, "The same codes, latents outside")
    for axis in (heap, outside):
        axis.set(xlim=limits[0], ylim=limits[1], xlabel="z₁", ylabel="z₂")
    figures.band(time, np.array(steps), active, figures.COLD, f"{len(active)} seeds, mean and range", marker="s")
    time.set_xscale("symlog", linthresh=10)
    figures.log2_axes(time, y=(4, 16, 64, 256))
    time.set_xticks([0, 10, 100, 1000], ["0", "10", "100", "1,000"])
    time.set(xlabel="training step", ylabel="active codes")
    figures.caption(time, f"Codes in use, N = {TOKENS:,}")
    fewest = int(active.mean(0).argmin())
    status = (
        f"On the rim of the heap: {len(chosen) - len(inside)} of the {len(chosen)} nearest codes, {len(rim)} of all. "
        f"Active codes of {k} at {TOKENS:,} tokens: {figures.spread(active[:, 0])} at step 0, "
        f"{figures.spread(active[:, fewest])} at step {steps[fewest]:,}, {figures.spread(active[:, -1])} at the end "
        f"({len(active)} seeds)."
    )
    return View(figure, f"{title}. {status}", status)
