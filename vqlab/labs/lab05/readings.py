"""Numbers read off the sweeps of Lab 05: what a warm-up saves, what water-filling foretells, what the rule costs."""

from collections.abc import Sequence

import numpy as np

from vqlab import measures, theory
from vqlab.labs.lab05.experiments import WIDTH
from vqlab.sweeps import Arrays, StoredSweep

TOKENS = {"8×8 tokens": 64}  # of an image; of all others 16
START = {"warmup": 0, "width": WIDTH}
JUDGES = {  # what a reconstruction is judged by: name, unit it is shown in
    "mse": ("error (thousandths)", 1000),
    "l1": ("L1 (thousandths)", 1000),
    "perceptual": ("perceptual distance (hundredths)", 100),
    "frechet": ("Fréchet distance", 1),
}


def frames(sweep: StoredSweep) -> list[int]:
    """The steps at which everything is stored."""
    return sweep.settings["frames"]


def held_out_tokens(sweep: StoredSweep, variant: str = "") -> int:
    """N, the number of held-out tokens that perplexity and codes in use are counted on."""
    return sweep.settings["held_out"] * TOKENS.get(variant, 16)


def codebook_size(sweep: StoredSweep, position: dict) -> int:
    """K at a position."""
    return position.get("codebook_size", sweep.settings.get("codebook_size"))


def saved(sweep: StoredSweep, key: str, warmup: int, **where: object) -> float:
    """Per cent of a cold number (a key of `JUDGES`), mean over seeds, that a warm-up saves; negative if it costs."""
    cold, warm = (sweep.final(key, warmup=steps, **where).mean() for steps in (0, warmup))
    return float(100 * (1 - warm / cold))


def dimensions_over_training(sweep: StoredSweep, **position: object) -> np.ndarray:
    """Effective dimension of some training latents every 25 steps: (seeds, 1 + steps / 25)."""
    return measures.spectrum_dimension(sweep.at(**position)["watched"])


def checked_steps(sweep: StoredSweep) -> np.ndarray:
    """The steps of `dimensions_over_training`."""
    every, steps = sweep.settings["every"], sweep.settings["steps"]
    return np.arange(0, steps + 1, every)


def predicted_count(sweep: StoredSweep, bits: float | None = None, **position: object) -> np.ndarray:
    """Modes that log2 K bits can serve by water-filling the held-out latents at the switch: (seeds,).

    The upper bound of the trained dimension in arXiv 2605.06870.   bits: other than those of the sweep's K.
    """
    cell, switch = sweep.at(**position), position["warmup"]
    bits = np.log2(codebook_size(sweep, position)) if bits is None else bits
    return theory.water_fill(cell["spectrum"][:, frames(sweep).index(switch)], bits).active


def placed(sweep: StoredSweep, key: str, **position: object) -> np.ndarray:
    """A number right at the switch, (seeds,): the autoencoder and k-means, no quantized step yet."""
    return sweep.at(**position)[key][:, frames(sweep).index(position["warmup"])]


def regrets(sweep: StoredSweep, adaptive: StoredSweep, key: str = "mse") -> dict[str, np.ndarray]:
    """Shares by which three ways to choose a warm-up end above the best fixed length, at each width: (widths, seeds).

    The best length is that of the lowest mean error at that width: chosen in hindsight, so this is hard on the rule.
    sweep, adaptive: the stored `vqgan_warmup` and `vqgan_adaptive`.
    """
    widths = sweep.axes["width"].values
    errors = sweep.final(key)  # (widths, warm-ups, seeds)
    best = errors.mean(2).min(1)  # (widths,)
    rule = np.stack([adaptive.final(key, width=width) for width in widths])
    one_length = int((errors.mean(2) / best[:, None]).mean(0).argmin())
    ways = {"cold start": errors[:, 0], "the rule": rule, f"always {_length(sweep, one_length)}": errors[:, one_length]}
    return {name: way / best[:, None] - 1 for name, way in ways.items()}


def _length(sweep: StoredSweep, index: int) -> str:
    return f"{sweep.axes['warmup'].values[index]:,} steps"


def trained(sweep: StoredSweep, changed: Sequence[StoredSweep], warmup: int, variant: str | None = None) -> Arrays:
    """The arrays at K = 1,024 and width 8 with one thing changed, or with none.

    sweep: the stored `vqgan_warmup`.   changed: stored sweeps with an axis of variants, one of which has this one.
    """
    if variant is None:
        return sweep.at(warmup=warmup, width=WIDTH)
    (holder,) = (one for one in changed if variant in one.axes["variant"].values)
    return holder.at(variant=variant, warmup=warmup)
