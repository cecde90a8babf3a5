"""Lab 05's moving picture: dimensions of the latents, from a cold start and after a warm-up, while they train."""

import numpy as np

from vqlab import figures
from vqlab.figures import View
from vqlab.figures.side_by_side import draw_side_by_side
from vqlab.widgets.side_by_side import Moment

_TICKS = (1, 2, 4, 8, 16, 32, 64)


@figures.styled
def live_view(originals: np.ndarray, moments: list[Moment], steps: int, warmup: int, codebook_size: int) -> View:
    """Originals (n, 3, 32, 32), the newest reconstructions from a cold and a warm start, and dimensions so far.

    moments: with the numbers dimension, active, NaN before there are codes, and psnr in dB.
    """
    title, status = _words(moments, steps, warmup, codebook_size)
    figure, curve = draw_side_by_side(
        title,
        originals,
        moments[-1].reconstructions if moments else None,
        ("cold", f"warm-up {warmup}"),
        [moment.step for moment in moments],
        np.reshape([moment.numbers["dimension"] for moment in moments], (-1, 2)).T,
        steps,
        "Dimensions of the latents",
    )
    curve.set_yscale("log", base=2)
    curve.set(ylim=(0.9, 72), ylabel="effective dimension")
    curve.set_yticks(_TICKS, [str(tick) for tick in _TICKS])
    curve.minorticks_off()
    return View(figure, f"{title}. {status}", status)


def _words(moments: list[Moment], steps: int, warmup: int, codebook_size: int) -> tuple[str, str]:
    plan = f"K = {codebook_size}, {steps:,} steps, the same batches for both"
    if not moments:
        return f"A cold start and a warm-up of {warmup} steps, not trained yet", f"Nothing is trained yet: {plan}."
    step, _, now = moments[-1]
    cold, warm = (f"{dimension:.0f} dimensions" for dimension in now["dimension"])
    title = f"Step {step:,} of {steps:,}: {cold} cold, {warm} with a warm-up"
    codes = ["no codes yet" if np.isnan(active) else f"{active:.0f} codes in use" for active in now["active"]]
    status = (
        f"Cold: PSNR {now['psnr'][0]:.1f} dB, {codes[0]}. Warm-up {warmup}: PSNR {now['psnr'][1]:.1f} dB, {codes[1]}. "
        f"{plan[0].upper()}{plan[1:]}."
    )
    return title, status
