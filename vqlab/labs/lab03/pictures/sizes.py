"""Lab 03's pictures over the codebook size: error and use, three diseases, and rate against distortion."""

import numpy as np
from matplotlib.axes import Axes

from vqlab import figures, measures
from vqlab.figures import View
from vqlab.labs.lab03 import readings
from vqlab.labs.lab03.pictures.training import PROVENANCE
from vqlab.sweeps import StoredSweep

SHORT = "#E69F00"  # a short warm-up: between the colours of cold and warm
_LOOKS = ((figures.COLD, "s", "--"), (SHORT, "^", "-."), (figures.WARM, "o", "-"))
_CODECS = {"JPEG": "v", "downsampling": "X"}


@figures.styled
def crossing_view(sweep: StoredSweep, state: dict) -> View:
    """Error and perplexity against K for every warm-up, at one encoder width.

    sweep: the stored `images_collapse`.   state: width, a stored one.
    """
    width, sizes = state["width"], _sizes(sweep)
    longest = sweep.axes["warmup"].values[-1]
    gains = [readings.saved(sweep, longest, codebook_size=k, width=width) for k in sizes]
    ends = [f"K = {sizes[i]:,}: the warm-up {_saves(gains[i])}" for i in (0, -1)]
    figure, (left, right) = figures.canvas(2, "; ".join(ends))
    for axis, key in ((left, "mse"), (right, "perplexity")):
        for warmup, color, marker, line in _warmups(sweep):
            values = sweep.final(key, warmup=warmup, width=width).T  # (K, seeds) -> (seeds, K)
            figures.band(axis, sizes, values, color, _name(warmup), marker=marker, linestyle=line)
        _size_axis(axis, sizes)
        axis.set_yscale("log")
    errors = sweep.arrays["mse"][..., -1]
    low, high = errors.min() / 1.08, errors.max() * 1.08
    ticks = [tick for tick in (2, 3, 4, 5, 6, 8, 10, 15, 20) if low < tick / 1000 < high]
    left.set(ylabel="reconstruction error (thousandths)", ylim=(low, high))
    left.set_yticks([tick / 1000 for tick in ticks], ticks)
    right.plot(sizes, sizes, ":", color=figures.THEORY, label="= K")
    left.minorticks_off()
    figures.log2_axes(right, y=sizes)
    right.set(ylabel="perplexity", ylim=(16, sizes[-1] * 1.4))
    figures.caption(left, f"Held-out error, {len(sweep.seeds)} seeds: mean, range")
    figures.caption(right, f"Perplexity at N = {readings.held_out_tokens(sweep):,}")
    details = ", ".join(f"{gain:+.0f} % at K = {k:,}" for k, gain in zip(sizes, gains, strict=True))
    turn = readings.crossing(sweep, longest, width)
    where = f"The lines cross between K = {turn[0]:,} and {turn[1]:,}" if turn else "The lines do not cross"
    status = (
        f"Width {width}: the warm-up of {longest:,} steps lowers the mean error by {details}. {where}. {PROVENANCE}, "
        f"{len(sweep.seeds)} seeds."
    )
    return View(figure, f"{'; '.join(ends)}. {status}", status)


@figures.styled
def diseases_view(sweep: StoredSweep, state: dict) -> View:
    """Tokens, embeddings and dimensions on the same trainings: share of codes in use, class probes, dimensions.

    sweep: the stored `images_collapse`.   state: width, a stored one.
    """
    width, sizes, n = state["width"], _sizes(sweep), len(sweep.seeds)
    longest = sweep.axes["warmup"].values[-1]
    starts = [look for look in _warmups(sweep) if look[0] in (0, longest)]

    def of(key: str, warmup: int) -> np.ndarray:
        return sweep.final(key, warmup=warmup, width=width).T  # (K, seeds) -> (seeds, K)

    def probe(key: str, warmup: int) -> np.ndarray:
        return 100 * sweep.at(warmup=warmup, width=width)[key].T  # (K, seeds) -> (seeds, K)

    cold, warm = (100 * of("active", start) / sizes for start in (0, longest))
    title = (
        f"K = {sizes[-1]:,}, cold: {cold[:, -1].mean():.0f} % of the codes, "
        f"{probe('probe_tokens', 0)[:, -1].mean():.0f} % of the classes, "
        f"{of('latent_dim', 0)[:, -1].mean():.0f} of {sweep.settings['latent_dim']} dimensions"
    )
    figure, (tokens, embeddings, dimensions) = figures.canvas(3, title)
    for warmup, color, marker, line in starts:
        figures.band(
            tokens, sizes, 100 * of("active", warmup) / sizes, color, _name(warmup), marker=marker, linestyle=line
        )
        figures.band(dimensions, sizes, of("latent_dim", warmup), color, None, marker=marker, linestyle=line)
        figures.band(
            dimensions, sizes, of("used_dim", warmup), color, None, marker=marker, linestyle=line, fillstyle="none"
        )
        figures.band(embeddings, sizes, probe("probe_latents", warmup), color, None, marker=marker, linestyle=line)
        figures.band(
            embeddings,
            sizes,
            probe("probe_tokens", warmup),
            color,
            None,
            marker=marker,
            linestyle=line,
            fillstyle="none",
        )
    rows = of("code_dim", 0)
    figures.band(dimensions, sizes, rows, figures.DEAD, "all rows, cold", marker="x", linestyle=":")
    embeddings.plot([], [], "o", color=figures.THEORY, label="latents")
    embeddings.plot([], [], "o", color=figures.THEORY, fillstyle="none", label="tokens")
    dimensions.plot([], [], "o", color=figures.THEORY, label="out")
    dimensions.plot([], [], "o", color=figures.THEORY, fillstyle="none", label="used")
    embeddings.plot(sizes[[0, -1]], [10, 10], ":", color=figures.THEORY, label="chance")
    for axis in (tokens, embeddings, dimensions):
        _size_axis(axis, sizes)
    tokens.set(ylabel="codes in use (%)", ylim=(0, 106))
    embeddings.set(ylabel="right by linear probe (%)", ylim=(0, 50))
    highest = max(float(np.nanmax(sweep.arrays[key][..., -1])) for key in ("latent_dim", "code_dim"))
    dimensions.set(ylabel="effective dimension", ylim=(0, 1.1 * highest))
    figures.caption(tokens, "Tokens")
    figures.caption(embeddings, "Embeddings")
    figures.caption(dimensions, "Dimensions")
    words = [
        f"{_name(start)}: codes in use {figures.spread(used[:, -1])} %, classes right "
        f"{figures.spread(probe('probe_latents', start)[:, -1])} % from embeddings and "
        f"{figures.spread(probe('probe_tokens', start)[:, -1])} % from tokens, dimensions "
        f"{figures.range_of(of('latent_dim', start)[:, -1])} (encoder output) / "
        f"{figures.range_of(of('used_dim', start)[:, -1])} (codes in use)"
        for start, used in ((0, cold), (longest, warm))
    ]
    status = f"Width {width}, K = {sizes[-1]:,}. {'. '.join(words)}. {PROVENANCE}, {n} seeds."
    return View(figure, f"{title}. {status}", status)


@figures.styled
def rates_view(codecs: StoredSweep, sweep: StoredSweep, state: dict) -> View:
    """Rate against distortion: at the rate that K codes cost, and at the rate that the tokens are worth.

    codecs, sweep: the stored `images_codecs` and `images_collapse`.   state: width, a stored one.
    """
    width, sizes = state["width"], _sizes(sweep)
    longest, largest = sweep.axes["warmup"].values[-1], sizes[-1]
    ends = [
        measures.psnr(sweep.final("mse", warmup=w, codebook_size=largest, width=width)).mean() for w in (0, longest)
    ]
    jpeg = _codec(codecs, "JPEG")
    bits = float(readings.rate(largest))
    at_same = readings.at_rate(bits, *jpeg)
    title = f"At {bits:.2g} bits a pixel: cold {ends[0]:.1f} dB, warm {ends[1]:.1f} dB, JPEG {at_same:.1f} dB"
    figure, axes = figures.canvas(2, title)
    for packed, axis in enumerate(axes):
        for warmup, color, marker, line in _warmups(sweep):
            psnr = measures.psnr(sweep.final("mse", warmup=warmup, width=width)).T  # (seeds, K)
            codes = sweep.final("perplexity", warmup=warmup, width=width).T if packed else sizes
            rates = readings.rate(codes)
            if packed:
                axis.plot(rates.ravel(), psnr.ravel(), marker, color=color, markersize=6)
            else:
                figures.band(axis, rates, psnr, color, _name(warmup), marker=marker, linestyle=line)
        for name in codecs.axes["codec"].values:
            look = {"color": figures.THEORY, "marker": _CODECS[name], "label": name if packed else None}
            axis.plot(*_codec(codecs, name), ":", **look)
        axis.set(xlim=(0.28, 0.8), ylim=(16.5, 26.5), ylabel="PSNR (dB)", xlabel="bits per pixel")
    figures.caption(axes[0], "Tokens of log₂ K bits each")
    figures.caption(axes[1], "Packed: tokens of log₂ (perplexity) bits")
    status = (
        f"Width {width}. K = {largest:,}, {bits:.3g} bits a pixel: {ends[0]:.2f} dB cold, "
        f"{ends[1]:.2f} dB with a warm-up of {longest:,}; JPEG at this rate {at_same:.2f} dB, one mosaic of "
        f"{codecs.settings['held_out']:,} held-out images. {PROVENANCE.split(';')[0]}, {len(sweep.seeds)} seeds."
    )
    return View(figure, f"{title}. {status}", status)


def _codec(codecs: StoredSweep, name: str) -> tuple[np.ndarray, np.ndarray]:
    cell = codecs.at(codec=name)
    return cell["rate"][0], measures.psnr(cell["mse"][0])


def _warmups(sweep: StoredSweep) -> list[tuple[int, str, str, str]]:
    return [(warmup, *look) for warmup, look in zip(sweep.axes["warmup"].values, _LOOKS, strict=True)]


def _name(warmup: int) -> str:
    return f"warm-up {warmup:,}" if warmup else "cold"


def _saves(gain: float) -> str:
    return f"costs {-gain:.0f} %" if gain < 0 else f"saves {gain:.0f} %"


def _sizes(sweep: StoredSweep) -> np.ndarray:
    return np.array(sweep.axes["codebook_size"].values)


def _size_axis(axis: Axes, sizes: np.ndarray) -> None:
    figures.log2_axes(axis, x=sizes)
    axis.set(xlabel="codebook size K (codes)", xlim=(sizes[0] / 1.3, sizes[-1] * 1.3))
