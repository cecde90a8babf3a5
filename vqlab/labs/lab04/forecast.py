"""What the training flow predicts for a real training of the linear quantizer, from its settings alone. Pure numpy.

One SGD step of rate η on the squared error averaged over d dimensions is 2η/d units of the flow's time (the flow
descends half the summed error). Weights that start independent normal with deviation s give every data mode an encoder
and a decoder vector of length s√d in random directions; the half of them that points the same way grows, so the start
is, to first order, that of aligned modes with a = b = ε = s√(d/2). Our derivation.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from vqlab import LabError, theory
from vqlab.data import power_law_spectrum
from vqlab.theory import DiagonalFlow, diagonal_flow

_INTEGRATION_STEPS = 300


class Forecast(NamedTuple):
    """Predictions for K codebook sizes and W warm-up lengths, (K, W), or (K, W, d) for `lost`.

    active: modes above water at the end.   dimension: effective dimension (99 %) of the channel's output, which a
    codebook's is compared with.   error: squared error summed over the dimensions.   lost: share of each mode's
    variance that is lost.   at_switch: active modes that the latents' spectrum promises at the switch, the quick
    prediction (vacuous for a short warm-up).
    """

    active: np.ndarray
    dimension: np.ndarray
    error: np.ndarray
    lost: np.ndarray
    at_switch: np.ndarray


def forecast(
    settings: Mapping, slope: float, codebook_sizes: Sequence[int], warmups: Sequence[int], steps: int | None = None
) -> Forecast:
    """Predict trainings that differ in codebook size and warm-up (steps), read after `steps` steps (default: all).

    settings: those of a stored sweep of Lab 04, with the commitment weight β.   slope: of the data's spectrum.
    With a warm-up of `steps` or more the numbers are those of a training that is not quantized yet.
    Raises: LabError if `steps` or a warm-up lies outside the training.
    """
    steps = settings["steps"] if steps is None else steps
    if not 0 <= steps <= settings["steps"]:
        raise LabError(f"the training has {settings['steps']} steps, so it cannot be read after {steps}")
    unit, eps = step_time(settings), start_gain(settings)
    training = (settings["dim"], settings["commitment_weight"], unit * settings["steps"], eps)
    times = tuple(unit * warmup for warmup in warmups)
    flow = _flow(*training, slope, tuple(codebook_sizes), times)
    now = np.abs(flow.times - unit * steps).argmin(-1)[..., None]  # (K, W, T) -> (K, W, 1)
    active, level, error = (np.take_along_axis(x, now, -1)[..., 0] for x in (flow.active, flow.level, flow.loss))
    a, b, latent = (np.take_along_axis(x, now[..., None], -2)[..., 0, :] for x in (flow.a, flow.b, flow.latent))
    passed = np.maximum(latent - level[..., None], 0)  # (K, W, d): variances after the channel
    lost = 1 + passed / latent * a * b * (a * b - 2)
    at_switch = theory.predicted_active(
        power_law_spectrum(settings["dim"], slope), times, np.log2(codebook_sizes)[:, None], eps
    )
    return Forecast(active, theory.passed_dimension(latent, level), error, lost, at_switch)


def step_time(settings: Mapping) -> float:
    """Units of the flow's time that one optimiser step takes."""
    return 2 * settings["learning_rate"] / settings["dim"]


def start_gain(settings: Mapping) -> float:
    """ε, the gain that the random start gives every mode, to first order."""
    return settings["start_scale"] * np.sqrt(settings["dim"] / 2)


@lru_cache(maxsize=16)
def _flow(
    dim: int,
    beta: float,
    total: float,
    eps: float,
    slope: float,
    codebook_sizes: tuple[int, ...],
    times: tuple[float, ...],
) -> DiagonalFlow:
    bits = np.log2(codebook_sizes)[:, None]  # (K, 1)
    variances = power_law_spectrum(dim, slope)
    return diagonal_flow(variances, bits, times, total, beta=beta, start=eps, steps=_INTEGRATION_STEPS)
