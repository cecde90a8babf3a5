"""The rate–distortion training flow (RD-AE): why a quantized autoencoder collapses and why warm-up cures it.

A linear autoencoder on Gaussian modes, its quantizer replaced by the optimal Gaussian test channel at R bits, trained
by gradient flow with a straight-through gradient and the channel held fixed when differentiating. The idea is that of
arXiv 2605.06870 (on top of Saxe et al. 2014); **the equations are our derivation** from its description. Pure numpy.

Mode j has data variance σ_j², encoder gain a_j, decoder gain b_j, latent variance λ_j = a_j² σ_j². Water-filling the λ
gives the level D*; the channel passes mode j with gain c_j = max(0, 1 − D*/λ_j), so a mode under water is dead. Then
    ȧ_j = σ_j² [b_j (1 − c_j a_j b_j) − β (1 − c_j) a_j],   ḃ_j = c_j σ_j² a_j (1 − a_j b_j),
    loss = Σ_j σ_j² (1 − 2 c_j a_j b_j + c_j a_j² b_j²);   the autoencoder phase (warm-up) has c = 1.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import floats, number, whole
from vqlab.theory.water_filling import broadcast, check_bits, check_variances, water_fill, water_level

_WARMUP_POINTS = 200
# Up to max σ² · total = 20 steps the whole path is right to 2 %, and the end to many digits.
_STIFFEST = 20
MOST_STEPS = 1_000_000
_LARGEST_GAIN = 1e10


class DiagonalFlow(NamedTuple):
    """Trajectories of `diagonal_flow`; (...) is the broadcast shape of bits and warm-ups, T the number of times.

    times (..., T); encoder gains a, decoder gains b and latent variances λ (..., T, d).
    level D* (..., T), active modes (..., T), int, and loss (..., T). During the warm-up, level and active say what
    quantization at R bits *would* find; the loss there is the autoencoder's.
    """

    times: np.ndarray
    a: np.ndarray
    b: np.ndarray
    latent: np.ndarray
    level: np.ndarray
    active: np.ndarray
    loss: np.ndarray


def diagonal_flow(
    variances: ArrayLike,
    bits: ArrayLike,
    warmup: ArrayLike,
    total: float,
    *,
    beta: float = 1.0,
    start: float | tuple[ArrayLike, ArrayLike] = 0.1,
    steps: int = 600,
) -> DiagonalFlow:
    """Train from aligned modes: `warmup` time units as an autoencoder (exact), then quantized until `total`.

    Args:
        variances: σ_j² (d,); time is in units of 1/σ².
        bits: R per token, ≥ 0.   warmup: T_wu in 0…total. Both broadcast to (...), all run at once.
        beta: commitment weight β ≥ 0.   start: ε for the balanced a = b = ε, or the gains (a, b), each (d,) or scalar.
        steps: integration steps of the quantized phase, short after the switch and longer towards the end. 600 take
            some 40 ms and keep the loss within 0.1 % of the exact flow while max σ² · total ≤ 400, and within 2 % of
            it up to 12,000; raise it beyond.
    Raises: LabError for bad variances or bits, a warm-up outside 0…total, β < 0, a start that is not finite, or fewer
        steps than max σ² · total / 20.
    """
    variances, bits, warmup, total, beta = check_run(variances, bits, warmup, total, beta)
    steps = whole(steps, "the number of integration steps", most=MOST_STEPS)
    if variances.ndim != 1:
        raise LabError(f"the flow needs one spectrum (d,), got shape {variances.shape}: take one at a time")
    a, b = _start_gains(start, variances)
    broadcast(bits, warmup)
    if (stiffness := variances.max() * (total - warmup.min())) > _STIFFEST * steps:
        raise LabError(
            f"{steps} integration steps are too few for max σ² · total = {stiffness:.3g}: "
            f"pass steps={int(min(1e15, stiffness / _STIFFEST)) + 1} or a shorter total"
        )
    bits, warmup = np.broadcast_arrays(bits, warmup)

    before = warmup[..., None] * np.arange(_WARMUP_POINTS) / _WARMUP_POINTS  # (..., P)
    after = warmup[..., None] + (total - warmup[..., None]) * (np.arange(steps + 1) / steps) ** 2  # (..., S + 1)
    warm = _autoencoder_phase(variances, a, b, before)  # (2, ..., P, d)
    switch = _autoencoder_phase(variances, a, b, warmup)  # (2, ..., d)
    quantized = _quantized_phase(variances, bits, switch, np.diff(after), beta)  # (2, ..., S + 1, d)

    a, b = np.concatenate([warm, quantized], -2)
    times = np.concatenate([before, after], -1)
    latent = a**2 * variances
    level, active, *_ = water_fill(latent, bits[..., None])
    c = np.where((times < warmup[..., None])[..., None], 1, channel_gain(latent, level))
    loss = (variances * (1 - 2 * c * a * b + c * (a * b) ** 2)).sum(-1)
    return DiagonalFlow(times, a, b, latent, level, active, loss)


def _start_gains(start: float | tuple[ArrayLike, ArrayLike], variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Encoder and decoder gains, each (d,), from one ε or a pair of them."""
    pair = start if isinstance(start, tuple) else (start, start)
    if len(pair) != 2:
        raise LabError(f"the start is one ε or the pair of gains (a, b), got {len(pair)} values")
    gains = [floats(gain, "gains at the start") for gain in pair]
    for gain in gains:
        if gain.shape not in ((), (1,), variances.shape):
            raise LabError(f"gains at the start must be one number or {variances.shape}, got shape {gain.shape}")
        if np.abs(gain).max() > _LARGEST_GAIN:
            raise LabError(f"gains at the start must be at most {_LARGEST_GAIN:.0e}, got {np.abs(gain).max():.3g}")
    a, b = (np.broadcast_to(gain, variances.shape) for gain in gains)
    return a, b


def _autoencoder_phase(variances: np.ndarray, a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Exact gains (2, ..., d) of the plain autoencoder at times t (...), from any gains a, b (d,).

    a² − b² = δ is conserved, and u = (a ± b)² obeys u̇ = −½σ² (u − r₁)(u − r₂), where r₁,₂ = ±2 ± √(4 + δ²).
    """
    delta = (a - b) * (a + b)
    root = np.sqrt(4 + delta**2)
    fade = np.exp(-variances * root * t[..., None])  # (..., d)

    def solve(gain: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
        square = gain**2
        top = upper * (square - lower) - lower * (square - upper) * fade
        bottom = (square - lower) - (square - upper) * fade
        # An exactly missing sum or difference stays missing: 0/0 once the fade has underflowed.
        return np.sign(gain) * np.sqrt(np.divide(top, bottom, out=np.zeros_like(fade), where=bottom > 0))

    large, small = 2 + root, delta**2 / (2 + root)  # `small` is √(4 + δ²) − 2 without the cancellation
    plus, minus = solve(a + b, large, -small), solve(a - b, small, -large)
    return np.stack([(plus + minus) / 2, (plus - minus) / 2])


def _quantized_phase(
    variances: np.ndarray, bits: np.ndarray, state: np.ndarray, step: np.ndarray, beta: float
) -> np.ndarray:
    """Gains (2, ..., S + 1, d) of the quantized flow from `state` (2, ..., d) with steps (..., S).

    Each equation is linear in its own gain, ẋ = source − rate·x. Exponential Heun: solve that exactly over a step with
    source and rate first at the start, then averaged over both ends. Stable for steps of any length, which plain
    Runge–Kutta is not: with β = 0 the gains and so the rates keep growing.
    """
    path = np.empty((step.shape[-1] + 1, *state.shape))
    path[0] = state
    for i in range(step.shape[-1]):
        h = step[..., i, None]
        rate, source = _linear_form(variances, bits, state, beta)
        rate_end, source_end = _linear_form(variances, bits, _relax(state, rate, source, h), beta)
        state = _relax(state, (rate + rate_end) / 2, (source + source_end) / 2, h)
        path[i + 1] = state
    return np.moveaxis(path, 0, -2)  # (S + 1, 2, ..., d) -> (2, ..., S + 1, d)


def _linear_form(variances: np.ndarray, bits: np.ndarray, state: np.ndarray, beta: float) -> tuple:
    a, b = state
    latent = a * a * variances
    passed = variances * channel_gain(latent, water_level(latent, bits))  # c σ²
    rate = np.array([passed * b * b + beta * (variances - passed), passed * a * a])
    return rate, np.array([variances * b, passed * a])


def _relax(x: np.ndarray, rate: np.ndarray, source: np.ndarray, h: np.ndarray) -> np.ndarray:
    decay = np.maximum(rate * h, 1e-12)  # where nothing decays, the factor below is 1
    return x + h * (source - rate * x) * (-np.expm1(-decay) / decay)


def channel_gain(latent: np.ndarray, level: np.ndarray) -> np.ndarray:
    """c = max(0, 1 − D*/λ): latent (..., d), level (...) -> (..., d); a mode without variance is dead."""
    level = np.minimum(level[..., None], latent)  # the part of λ that is under water
    return 1 - np.divide(level, latent, out=np.ones_like(latent), where=latent > 0)


def check_run(variances: ArrayLike, bits: ArrayLike, warmup: ArrayLike, total: float, beta: float) -> tuple:
    total = number(total, "the total time", above=0)
    beta = number(beta, "the commitment weight β", least=0, most=1e6)
    warmup = floats(warmup, "warm-ups")
    if not ((warmup >= 0).all() and (warmup <= total).all()):
        raise LabError(f"the warm-up is part of the total time {total:g} (> 0), so it must lie in 0…{total:g}")
    return check_variances(variances), check_bits(bits), warmup, total, beta
