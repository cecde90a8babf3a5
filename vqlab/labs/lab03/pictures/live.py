"""Lab 03's moving picture: two trainings side by side while they run."""

from typing import NamedTuple

import numpy as np

from vqlab import figures
from vqlab.figures import View


class Moment(NamedTuple):
    """Both trainings at one step: reconstructions (2, n, 3, 32, 32) uint8, active codes (2,), NaN before there are
    codes, and PSNR in dB (2,); the cold one first."""

    step: int
    reconstructions: np.ndarray
    active: np.ndarray
    psnr: np.ndarray


@figures.styled
def live_view(originals: np.ndarray, moments: list[Moment], steps: int, warmup: int, codebook_size: int) -> View:
    """Originals (n, 3, 32, 32), the newest reconstructions from a cold and a warm start, and codes in use so far."""
    figure, (patches, curve) = figures.canvas(2, "")
    rows = [originals, *(moments[-1].reconstructions if moments else np.full((2, *originals.shape), 235, np.uint8))]
    figures.place(patches, 0.1, 0.63, labels=1.05)
    figures.place(curve, 0.715, 0.985)
    figures.image_grid(patches, np.stack(rows), rows=("original", "cold", f"warm-up {warmup}"))
    at = [moment.step for moment in moments]
    for i, (name, color, marker, line) in enumerate(
        (("cold", figures.COLD, "s", "--"), (f"warm-up {warmup}", figures.WARM, "o", "-"))
    ):
        active = [moment.active[i] for moment in moments]
        curve.plot(at, active, color=color, marker=marker, linestyle=line, markersize=4, label=name)
    curve.set_yscale("log", base=2)
    ticks = 4 ** np.arange(1, np.log2(codebook_size) / 2 + 0.1).astype(int)
    curve.set(xlabel="training step", xlim=(-0.02 * steps, 1.02 * steps), ylim=(2, 1.4 * codebook_size))
    curve.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    curve.minorticks_off()
    curve.set(ylabel="codes in use")
    figures.caption(curve, f"Codes in use, of {codebook_size}")
    title, status = _words(moments, steps, warmup, codebook_size)
    figure.suptitle(title, x=0.012, y=0.985, ha="left", fontsize=15, fontweight="bold")
    return View(figure, f"{title}. {status}", status)


def _words(moments: list[Moment], steps: int, warmup: int, codebook_size: int) -> tuple[str, str]:
    plan = f"K = {codebook_size}, {steps:,} steps, the same batches for both"
    if not moments:
        return f"A cold start and a warm-up of {warmup} steps, not trained yet", f"Nothing is trained yet: {plan}."
    now = moments[-1]
    cold, warm = ("no codes yet" if np.isnan(active) else f"{active:.0f} codes in use" for active in now.active)
    title = f"Step {now.step:,} of {steps:,}: cold {cold}, with a warm-up {warm}"
    psnr = f"PSNR {now.psnr[0]:.1f} dB cold, {now.psnr[1]:.1f} dB with a warm-up of {warmup} steps"
    return title, f"{psnr}; {plan}."
