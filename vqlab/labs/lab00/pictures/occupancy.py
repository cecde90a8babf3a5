"""Lab 00's pictures: what a tokenizer does, and what a healthy codebook reads."""

from functools import lru_cache

import numpy as np

from vqlab import figures, measures, theory
from vqlab.figures import View

TOKEN_COUNTS = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
_DRAWS = 20
_TALLEST = 6


@figures.styled
def tokenizer_view(points: np.ndarray, codebook: np.ndarray) -> View:
    """Points (n, 2) coloured and shaped by their nearest of K ≤ 8 codes (K, 2), and the tokens that remain."""
    k = len(codebook)
    tokens = ((points[:, None] - codebook) ** 2).sum(-1).argmin(1)  # (n, 1, 2) − (K, 2) -> (n, K) -> (n,)
    title = f"A tokenizer turns {len(points):,} points into {len(points):,} integers from 0 to {k - 1}"
    figure, (plane, bars) = figures.canvas(2, title)
    cycle, markers = figures.CLASS_COLORS, figures.CLASS_MARKERS
    for code in range(k):
        plane.plot(
            *points[tokens == code].T, markers[code], color=cycle[code], markersize=4, alpha=0.5, linestyle="none"
        )
        plane.annotate(
            str(code),
            codebook[code],
            ha="center",
            va="center",
            fontweight="bold",
            fontsize=13,
            bbox={"boxstyle": "circle", "facecolor": "white", "edgecolor": cycle[code], "linewidth": 2},
        )
    plane.set(xlim=(-2.75, 2.75), ylim=(-2, 2), xlabel="x₁", ylabel="x₂")
    plane.set_title("Each point belongs to its nearest code (circled number)", loc="left", y=1.06)
    counts = measures.code_usage(tokens, k)
    bars.bar(range(k), counts, color=cycle[:k])
    bars.set(xlabel="token", ylabel="how often", xticks=range(k))
    bars.set_title(f"How often each of the {k} codes is used", loc="left", y=1.06)
    alt = f"{title}; the {k} codes are used {counts.min()} to {counts.max()} times."
    return View(figure, alt, alt)


@figures.styled
def usage_view(state: dict) -> View:
    """Usage of K equally likely codes by N tokens: one draw, and perplexity against N with its formula.

    state: codebook_size (K) and tokens (N, one of TOKEN_COUNTS).
    """
    k, n = state["codebook_size"], state["tokens"]
    perplexity, active = _healthy(k, n)
    title = f"{k:,} equally likely codes, {n:,} tokens: healthy is perplexity {perplexity.mean():,.0f}, not {k:,}"
    if perplexity.mean() > 0.99 * k:
        title = f"{k:,} equally likely codes, {n:,} tokens: healthy is perplexity {perplexity.mean():,.0f} of {k:,}"
    figure, (ranks, growth) = figures.canvas(2, title)
    _draw_ranks(ranks, k, n)
    _draw_growth(growth, k, n)
    expected, first_order = float(theory.expected_active(k, n)), float(theory.expected_perplexity(k, n))
    status = (
        f"Perplexity {figures.spread(perplexity)} of {k:,} at {n:,} tokens ({_DRAWS} draws); formula, first order: "
        f"{first_order:,.1f}. Active codes {figures.spread(active)}; formula, exact: {expected:,.1f}. "
        f"N/K = {n / k:g} tokens a code."
    )
    return View(figure, f"{title}. {status}", status)


@lru_cache(maxsize=256)
def _healthy(k: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    counts = theory.simulate_uniform_usage(k, n, _DRAWS)
    return measures.perplexity(counts), measures.active_codes(counts)


def _draw_ranks(axis, k: int, n: int) -> None:
    counts = np.sort(theory.simulate_uniform_usage(k, n, 1)[0])[::-1]
    steps = np.r_[0, np.flatnonzero(np.diff(counts)) + 1, k]  # where a code is used less than the one before; the end
    heights = np.append(counts, counts[-1])[steps] / (n / k)
    axis.fill_between(steps / k, heights, step="post", color=figures.USED, alpha=0.6, linewidth=0)
    if heights[0] > _TALLEST:
        axis.annotate(f"up to {heights[0]:g}", (0.02, 0.93), xycoords="axes fraction")
    axis.plot([0, 1], [1, 1], ":", color=figures.THEORY, label="a perfectly even codebook")
    axis.plot([], [], "s", color=figures.USED, alpha=0.6, label="one draw")
    axis.set(xlim=(0, 1), ylim=(0, _TALLEST), xlabel="codes, most used first (share of K)", ylabel="uses ÷ (N/K)")
    axis.annotate(f"{np.mean(counts == 0):.0%} unused", (0.97, 0.5), xycoords="axes fraction", ha="right")
    figures.caption(axis, "Chance alone is uneven")


def _draw_growth(axis, k: int, n: int) -> None:
    measured = np.stack([_healthy(k, count)[0] for count in TOKEN_COUNTS], 1) / k  # (draws, N)
    figures.band(axis, np.array(TOKEN_COUNTS), measured, figures.USED, f"measured, {_DRAWS} draws", marker="o")
    fine = np.geomspace(TOKEN_COUNTS[0], TOKEN_COUNTS[-1], 200)
    formula = k * np.exp(-(k - 1) / (2 * fine)) / k
    axis.plot(fine, formula, "--", color=figures.THEORY, label="first-order formula")
    axis.plot(n, _healthy(k, n)[0].mean() / k, "o", color="none", markeredgecolor="black", markersize=14)
    axis.axvline(k, color=figures.THEORY, linewidth=0.8)
    axis.annotate(" N = K", (k, 0.02), color=figures.THEORY)
    figures.log2_axes(axis, x=TOKEN_COUNTS[::2])
    axis.set(ylim=(0, 1.05), xlim=(50, 21000), xlabel="tokens N", ylabel="perplexity ÷ K")
    figures.caption(axis, f"What healthy reads, K = {k:,}")
