"""What arXiv 2605.06870 claims, what we expected of it at our scale before the sweep was run, and what came.

The falsifier, written before: after the longest warm-up the dimension is not above the cold one's, or the error is not
below the cold one's, in both seeds of a cell. Verdicts are computed.
"""

from collections.abc import Callable

import numpy as np
from IPython.display import Markdown

from vqlab.figures import spread, table
from vqlab.labs.lab05 import readings
from vqlab.sweeps import StoredSweep

HELD, PARTLY, FAILED = "reproduced", "partly", "**not reproduced**"


def claims_table(sweep: StoredSweep) -> Markdown:
    """A row for each claim: the claim, what we expected, what was measured over the cells and seeds, the verdict.

    sweep: the stored `vqgan_warmup`.
    """
    rows = [(claim, expected, *judge(sweep)) for claim, expected, judge in _CLAIMS]
    return table(["arXiv 2605.06870", "what we expected", "measured here", "verdict"], rows)


def _pairs(sweep: StoredSweep, key: str) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """For each K and width: its name, and the numbers (seeds,) of the cold start and of the longest warm-up."""
    longest = sweep.axes["warmup"].values[-1]
    return [
        (
            f"K = {k:,}, width {width}",
            *(sweep.final(key, warmup=w, codebook_size=k, width=width) for w in (0, longest)),
        )
        for width in sweep.axes["width"].values
        for k in sweep.axes["codebook_size"].values
    ]


def _verdict(held: list[bool]) -> str:
    return HELD if all(held) else PARTLY if any(held) else FAILED


def _dimension(sweep: StoredSweep) -> tuple[str, str]:
    held, parts = [], []
    codes = _pairs(sweep, "centroid_dim")
    for (where, cold, warm), (_, cold_codes, warm_codes) in zip(_pairs(sweep, "latent_dim"), codes, strict=True):
        shown = [readings.range_of(values) for values in (cold, cold_codes, warm, warm_codes)]
        parts.append(f"{where}: {shown[0]} / {shown[1]} cold, {shown[2]} / {shown[3]} warm")
        held.append(warm.min() > cold.max() and warm_codes.min() > cold_codes.max())
    return "encoder output / codebook, " + "; ".join(parts), _verdict(held)


def _lower(key: str, unit: float = 1) -> Callable[[StoredSweep], tuple[str, str]]:
    def judge(sweep: StoredSweep) -> tuple[str, str]:
        pairs = _pairs(sweep, key)
        parts = [f"{where}: {spread(unit * cold)} cold, {spread(unit * warm)} warm" for where, cold, warm in pairs]
        return "; ".join(parts), _verdict([bool(warm.max() < cold.min()) for _, cold, warm in pairs])

    return judge


def _floor(sweep: StoredSweep) -> tuple[str, str]:
    small, large = sweep.axes["codebook_size"].values[0], sweep.axes["codebook_size"].values[-1]
    longest, held, parts = sweep.axes["warmup"].values[-1], [], []
    for width in sweep.axes["width"].values:
        cold = 1000 * sweep.final("mse", warmup=0, codebook_size=large, width=width)
        warm = 1000 * sweep.final("mse", warmup=longest, codebook_size=small, width=width)
        parts.append(f"width {width}: cold at K = {large:,} {spread(cold)}, warm at K = {small} {spread(warm)}")
        held.append(bool(cold.min() > warm.max()))
    return "in thousandths, " + "; ".join(parts), _verdict(held)


def _bound(sweep: StoredSweep) -> tuple[str, str]:
    held, gaps = [], []
    for width in sweep.axes["width"].values:
        for k in sweep.axes["codebook_size"].values:
            for warmup in sweep.axes["warmup"].values[1:]:
                where = {"warmup": warmup, "codebook_size": k, "width": width}
                gap = readings.predicted_count(sweep, **where) - sweep.final("centroid_dim", **where)
                held.append(bool((gap >= 0).all()))
                gaps.append(gap)
    kept = f"{sum(held)} of {len(held)} cells"
    return f"bound kept in {kept}; predicted less trained: {readings.range_of(np.stack(gaps))}", _verdict(held)


_CLAIMS = (
    (
        "After a warm-up the latents and the codebook keep more dimensions",
        "yes, at every K and width: it did with other networks in Labs 03 and 04",
        _dimension,
    ),
    (
        "At equal total steps the error (in thousandths) ends lower",
        "at K = 1,024 yes, by a few per cent; at K = 256 a tie: so short a training pays dearly for its warm-up",
        _lower("mse", 1000),
    ),
    (
        "So does the perceptual distance (there LPIPS)",
        "as the error, but closer to a tie",
        _lower("perceptual"),
    ),
    (
        "So does the distance of distributions (there rFID)",
        "as the perceptual distance, with more noise",
        _lower("frechet"),
    ),
    (
        "Many more codes do not lift the cold floor",
        "no: cold at 1,024 codes ends below warm at 256, for Adam and a default start leave no hard floor",
        _floor,
    ),
    (
        "Water-filling the autoencoder's spectrum bounds the trained dimension from above",
        "yes, for codes re-estimated as means of their latents",
        _bound,
    ),
)
