"""Numbers read off the sweeps of Lab 03: rates, errors at the end of training, what a warm-up and packing save."""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import measures
from vqlab.sweeps import Arrays, StoredSweep

PIXELS, TOKENS = 32 * 32, 8 * 8  # of one image
CODEBOOK_SIZE, WIDTH = 1024, 32  # what is varied elsewhere has these
START = {"warmup": 0, "codebook_size": CODEBOOK_SIZE, "width": WIDTH}


def held_out_tokens(sweep: StoredSweep) -> int:
    """N, the number of held-out tokens that perplexity and active codes are counted on."""
    return sweep.settings["held_out"] * TOKENS


def rate(codebook_size: ArrayLike) -> np.ndarray:
    """Bits per pixel when each token takes log2 K bits; for packed tokens give the perplexity instead of K."""
    return TOKENS * np.log2(codebook_size) / PIXELS


def saved(sweep: StoredSweep, warmup: int, **position: object) -> float:
    """Per cent of the cold error, as a mean over seeds, that the warm-up saves; negative if the error rises.

    position: of both trainings, on the other axes of the sweep.
    """
    cold, warm = (sweep.final("mse", warmup=steps, **position).mean() for steps in (0, warmup))
    return float(100 * (1 - warm / cold))


def spared(sweep: StoredSweep, **position: object) -> float:
    """Per cent of the log2 K bits of a token that an ideal entropy coder spares, as a mean over seeds.

    position: of one training, on all axes of the sweep.
    """
    bits = np.log2(sweep.final("perplexity", **position))
    return float(100 * (1 - bits / np.log2(position["codebook_size"])).mean())


def trained(sweep: StoredSweep, variants: StoredSweep, warmup: int, variant: str | None = None) -> Arrays:
    """The arrays of a training at K = `CODEBOOK_SIZE` with one setting changed, or with none.

    sweep, variants: the stored `images_collapse` and `images_variants`.   variant: as there, or "width N" of either.
    """
    known = sweep.axes["width"].values
    width = WIDTH if variant is None else {f"width {value}": value for value in known}.get(variant)
    if width:
        return sweep.at(warmup=warmup, codebook_size=CODEBOOK_SIZE, width=width)
    return variants.at(variant=variant, warmup=warmup)


def crossing(sweep: StoredSweep, warmup: int, width: int) -> tuple[int, int] | None:
    """The neighbouring K between which the warm-up turns from costing error to saving it; None if nowhere."""
    sizes = sweep.axes["codebook_size"].values
    helps = [saved(sweep, warmup, codebook_size=k, width=width) > 0 for k in sizes]
    turns = [i for i in range(1, len(sizes)) if helps[i] and not helps[i - 1]]
    return (sizes[turns[0] - 1], sizes[turns[0]]) if turns else None


def behind_warm(sweep: StoredSweep, width: int) -> np.ndarray:
    """dB by which each cold training lies below the line of the warm ones at its own packed rate: (K, seeds).

    The line joins the means over seeds, with the longest warm-up, in the plane of `rate` (perplexity) and PSNR.
    """
    longest = sweep.axes["warmup"].values[-1]
    rates, psnr = zip(*(_packed(sweep, warmup, width) for warmup in (0, longest)), strict=True)
    line = np.interp(rates[0].ravel(), rates[1].mean(1), psnr[1].mean(1)).reshape(rates[0].shape)
    return line - psnr[0]


def _packed(sweep: StoredSweep, warmup: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    position = {"warmup": warmup, "width": width}
    return rate(sweep.final("perplexity", **position)), measures.psnr(sweep.final("mse", **position))


def at_rate(bits: float, rates: np.ndarray, psnr: np.ndarray) -> float:
    """The PSNR of a codec at so many bits per pixel, between its two nearest settings."""
    return float(np.interp(bits, rates, psnr))
