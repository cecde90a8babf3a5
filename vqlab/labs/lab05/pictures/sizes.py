"""Lab 05's third picture: error and dimensions against the codebook size, cold and after a warm-up."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from vqlab import figures
from vqlab.figures import View
from vqlab.labs.lab05 import readings
from vqlab.labs.lab05.pictures.training import PROVENANCE
from vqlab.sweeps import StoredSweep

_LOOKS = ((figures.COLD, "s", "--"), (figures.WARM, "o", "-"))


@figures.styled
def sizes_view(sweep: StoredSweep) -> View:
    """The three numbers that tell whether a larger codebook lifts the floor. sweep: the stored `vqgan_sizes`."""
    sizes, (cold, warm) = np.array(sweep.axes["codebook_size"].values), sweep.axes["warmup"].values
    gains = [readings.saved(sweep, "mse", warm, codebook_size=k) for k in sizes.tolist()]
    ends = [_verdict(sweep, sizes[i], gains[i]) for i in (0, -1)]
    title = f"The warm-up: {ends[0]}, {ends[1]}"
    figure, axes = figures.canvas(3, title)
    panels = (
        ("mse", 1000, "error (thousandths)", "Held-out error"),
        ("latent_dim", 1, "effective dimension", "Dimension of the latents"),
        ("perplexity", 1, "log₂ perplexity (bits)", f"Perplexity at N = {readings.held_out_tokens(sweep):,}"),
    )
    for axis, (key, unit, label, caption) in zip(axes, panels, strict=True):
        for warmup, (color, marker, line) in zip((cold, warm), _LOOKS, strict=True):
            values = unit * sweep.final(key, warmup=warmup).T  # (K, seeds) -> (seeds, K)
            values = np.log2(values) if key == "perplexity" else values
            name = f"warm-up {warmup:,}" if warmup else "cold"
            figures.band(axis, sizes, values, color, name, marker=marker, linestyle=line)
        figures.log2_axes(axis, x=sizes)
        axis.set(xlabel="codebook size K (codes)", ylabel=label, xlim=(sizes[0] / 1.3, sizes[-1] * 1.3))
        figures.caption(axis, caption)
    axes[1].set_ylim(0, 1.2 * float(sweep.final("latent_dim").max()))
    axes[1].yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes[2].plot(sizes, np.log2(sizes), ":", color=figures.THEORY, label="log₂ K")
    figures.caption(axes[2], panels[2][3])
    details = ", ".join(f"{gain:+.1f} % at K = {k:,}" for k, gain in zip(sizes, gains, strict=True))
    status = f"The warm-up of {warm:,} steps saves {details}. {PROVENANCE.split(';')[0]}, {len(sweep.seeds)} seeds."
    return View(figure, f"{title}. {status}", status)


def _verdict(sweep: StoredSweep, codebook_size: int, gain: float) -> str:
    cold, warm = (sweep.final("mse", codebook_size=codebook_size, warmup=w) for w in sweep.axes["warmup"].values)
    if not figures.seeds_apart(cold, warm):
        return f"a tie at K = {codebook_size:,}"
    return f"{'saves' if gain > 0 else 'costs'} {abs(gain):.1f} % at K = {codebook_size:,}"
