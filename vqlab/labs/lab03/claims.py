"""What arXiv 2411.16550 claims, and what the sweeps of Lab 03 say to each claim: verdicts are computed, too."""

import numpy as np
from IPython.display import Markdown

from vqlab.figures import per_cent, seeds_apart, spread, table
from vqlab.labs.lab03 import readings
from vqlab.sweeps import StoredSweep

HELD, PARTLY, FAILED = "reproduced", "partly", "**not reproduced**"
_CHANCE = 0.1  # of naming one of ten classes
_COLLAPSED = 0.5  # share of what lies above chance whose loss is called a collapse


def claims_table(sweep: StoredSweep, variants: StoredSweep) -> Markdown:
    """A row for each claim: the claim, what was measured over the seeds, the verdict.

    sweep, variants: the stored `images_collapse` and `images_variants`.
    """
    rows = [
        ("K-means on an untrained encoder's outputs collapses the codebook", *_cause(sweep)),
        ("Training without quantization first, then k-means, cures it", *_cure(sweep)),
        ("The gain grows with the codebook", *_gain(sweep)),
        ("With few codes, pre-training is slightly worse", *_few_codes(sweep)),
        ("A small encoder collapses the embeddings", *_embeddings(sweep, variants)),
    ]
    return table(["arXiv 2411.16550", "measured here", "verdict"], rows)


def _at(sweep: StoredSweep, key: str, warmup: int, codebook_size: int, width: int | None = None) -> np.ndarray:
    width = readings.START["width"] if width is None else width
    return sweep.final(key, warmup=warmup, codebook_size=codebook_size, width=width)


def _sizes_and_longest(sweep: StoredSweep) -> tuple[tuple[int, ...], int]:
    return sweep.axes["codebook_size"].values, sweep.axes["warmup"].values[-1]


def _cause(sweep: StoredSweep) -> tuple[str, str]:
    sizes, _ = _sizes_and_longest(sweep)
    used = {k: _at(sweep, "active", 0, k) for k in sizes}
    measured = ", ".join(f"{spread(used[k])} of {k:,}" for k in sizes)
    collapsed = [used[k].max() < 0.5 * k for k in sizes]
    return f"cold, codes in use: {measured}", HELD if all(collapsed) else PARTLY if any(collapsed) else FAILED


def _cure(sweep: StoredSweep) -> tuple[str, str]:
    sizes, longest = _sizes_and_longest(sweep)
    used = {k: _at(sweep, "active", longest, k) for k in sizes[-2:]}
    lower = [_at(sweep, "mse", longest, k).max() < _at(sweep, "mse", 0, k).min() for k in used]
    measured = ", ".join(f"{spread(used[k])} of {k:,}" for k in used)
    cured = [used[k].mean() > 0.9 * k and fell for k, fell in zip(used, lower, strict=True)]
    error = "lower in every seed" if all(lower) else "not lower in every seed"
    verdict = HELD if all(cured) else PARTLY if any(cured) else FAILED
    return f"warm-up {longest:,}: {measured}; error {error}", verdict


def _gain(sweep: StoredSweep) -> tuple[str, str]:
    sizes, longest = _sizes_and_longest(sweep)
    gains = [readings.saved(sweep, longest, codebook_size=k, width=readings.START["width"]) for k in sizes]
    measured = ", ".join(f"{gain:+.0f} % at {k:,}" for k, gain in zip(sizes, gains, strict=True))
    return f"error saved: {measured}", HELD if np.all(np.diff(gains) > 0) else PARTLY if gains[-1] > gains[
        0
    ] else FAILED


def _few_codes(sweep: StoredSweep) -> tuple[str, str]:
    sizes, longest = _sizes_and_longest(sweep)
    worse, measured = [], []
    for width in sweep.axes["width"].values:
        cold, warm = (_at(sweep, "mse", warmup, sizes[0], width) for warmup in (0, longest))
        turn = readings.crossing(sweep, longest, width)
        where = f"the lines cross between K = {turn[0]:,} and {turn[1]:,}" if turn else "the lines do not cross"
        measured.append(f"width {width}: {spread(1000 * cold)} cold, {spread(1000 * warm)} warm, {where}")
        worse.append(warm.min() > cold.max())
    verdict = HELD if all(worse) else PARTLY if any(worse) else FAILED
    return f"error (thousandths) at K = {sizes[0]}, {'; '.join(measured)}", verdict


def _embeddings(sweep: StoredSweep, variants: StoredSweep) -> tuple[str, str]:
    """Their test is merged classes; ours is what a linear probe loses, of both starts, from the narrowest encoder."""
    widths = ("width 4", "width 8", "width 32")
    measured, collapsed = [], []
    for start in (0, _sizes_and_longest(sweep)[1]):
        read = [readings.trained(sweep, variants, start, width)["probe_latents"] for width in widths]
        narrow, wide = read[0], read[-1]
        lost = (wide.mean() - narrow.mean()) / (wide.mean() - _CHANCE)
        probed = ", ".join(f"{per_cent(one, 1)} at {width}" for width, one in zip(widths, read, strict=True))
        name = f"warm-up {start:,}" if start else "cold"
        measured.append(f"{name}: {probed}; lost at width 4, of what is above chance: {lost:.0%}")
        alive = narrow[narrow > (narrow.mean() + _CHANCE) / 2]
        if len(alive) < len(narrow):
            left = (wide.mean() - alive.mean()) / (wide.mean() - _CHANCE)
            measured[-1] += f" ({left:.0%} without {len(narrow) - len(alive)} of {len(narrow)} seeds)"
        collapsed.append(lost > _COLLAPSED and seeds_apart(narrow, wide))
    verdict = HELD if all(collapsed) else PARTLY if any(collapsed) else FAILED
    return f"class read from the embeddings by a linear probe. {'. '.join(measured)}", verdict
