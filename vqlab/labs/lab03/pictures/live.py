"""Lab 03's moving picture: codes in use, from a cold start and after a warm-up, while they train."""

import numpy as np

from vqlab import figures
from vqlab.figures import View
from vqlab.figures.side_by_side import draw_side_by_side
from vqlab.widgets.side_by_side import Moment


@figures.styled
def live_view(originals: np.ndarray, moments: list[Moment], steps: int, warmup: int, codebook_size: int) -> View:
    """Originals (n, 3, 32, 32), the newest reconstructions from a cold and a warm start, and codes in use so far.

    moments: with the numbers active, NaN before there are codes, and psnr in dB.
    """
    title, status = _words(moments, steps, warmup, codebook_size)
    active = np.reshape([moment.numbers["active"] for moment in moments], (-1, 2)).T
    figure, curve = draw_side_by_side(
        title,
        originals,
        moments[-1].reconstructions if moments else None,
        ("cold", f"warm-up {warmup}"),
        [moment.step for moment in moments],
        active,
        steps,
        f"Codes in use, of {codebook_size}",
    )
    ticks = 4 ** np.arange(1, np.log2(codebook_size) / 2 + 0.1).astype(int)
    curve.set_yscale("log", base=2)
    curve.set(ylim=(2, 1.4 * codebook_size), ylabel="codes in use")
    curve.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    curve.minorticks_off()
    return View(figure, f"{title}. {status}", status)


def _words(moments: list[Moment], steps: int, warmup: int, codebook_size: int) -> tuple[str, str]:
    plan = f"K = {codebook_size}, {steps:,} steps, the same batches for both"
    if not moments:
        return f"A cold start and a warm-up of {warmup} steps, not trained yet", f"Nothing is trained yet: {plan}."
    step, _, now = moments[-1]
    cold, warm = ("no codes yet" if np.isnan(active) else f"{active:.0f} codes in use" for active in now["active"])
    title = f"Step {step:,} of {steps:,}: cold {cold}, with a warm-up {warm}"
    psnr = f"PSNR {now['psnr'][0]:.1f} dB cold, {now['psnr'][1]:.1f} dB with a warm-up of {warmup} steps"
    return title, f"{psnr}; {plan}."
