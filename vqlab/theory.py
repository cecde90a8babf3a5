"""What rate–distortion theory and plain chance predict, in closed form. Pure numpy.

Reverse water-filling says how many modes R = log2 K bits can serve, and with the growth of a linear autoencoder how
many survive a warm-up; occupancy says what a healthy codebook reads when N tokens fall on K codes at random.
Modes are independent and Gaussian; σ_j² is the variance of data mode j, λ_j that of its latent. Where a docstring
says *our derivation*, the formula follows the description in arXiv 2605.06870, not its own equations.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError

# A mode this close to the water level (relative) sits at the water line: rounding must not count it as active.
_WATER_LINE = 1e-9


class WaterFilling(NamedTuple):
    """The cheapest way to spend R bits on independent Gaussian modes.

    level: water level D* (...).   active: number of modes above it (...), int.   distortion: D(R) = Σ_j D_j (...).
    mode_distortions: D_j = min(v_j, D*) (..., d), in the order of the variances.
    """

    level: np.ndarray
    active: np.ndarray
    distortion: np.ndarray
    mode_distortions: np.ndarray


def water_fill(variances: ArrayLike, bits: ArrayLike) -> WaterFilling:
    """Reverse water-filling: the D* that solves Σ_j max(0, ½ log2(v_j / D*)) = R (Cover & Thomas 2006, §10.3).

    Args:
        variances: v_j ≥ 0 (..., d), in any order; zeros are modes that cost nothing.
        bits: R = log2 K per token, ≥ 0, broadcast against the leading axes of `variances`.
    With R = 0 the level is the largest variance and no mode is active; without any variance the level is 0.
    Example: water_fill([4.0, 1.0], bits=1) has level 1, one active mode and distortion 2.
    Raises: LabError for negative or non-finite variances, no modes, or negative bits.
    """
    variances, bits = check_variances(variances), check_bits(bits)
    level = water_level(variances, bits)
    modes = np.minimum(variances, level[..., None])
    active = (variances > level[..., None] * (1 + _WATER_LINE)).sum(-1)
    return WaterFilling(level, active, modes.sum(-1), modes)


def water_level(variances: np.ndarray, bits: np.ndarray | float) -> np.ndarray:
    """The level D* alone, without checks, for inner loops: variances (..., d), bits broadcast to (...) -> (...).

    If the n largest modes are active, log2 D* = (Σ_{j≤n} log2 v_j − 2R) / n. Adding mode n + 1 averages its log2 v
    into that value, hence raises it exactly as long as the mode is above the water: the right n has the largest value.
    """
    with np.errstate(divide="ignore"):
        logs = np.log2(np.sort(variances, -1)[..., ::-1])
    count = np.arange(1, logs.shape[-1] + 1)
    candidates = (np.cumsum(logs, -1) - 2 * np.asarray(bits)[..., None]) / count  # (..., d)
    return np.exp2(candidates.max(-1))


def loss_floor(variances: ArrayLike, bits: ArrayLike, active: ArrayLike) -> np.ndarray:
    """The least squared error (summed over modes) with only `active` modes alive: Σ_dead σ_j² + D_R(active modes).

    Dead modes cost their full variance, whatever the codebook does. The largest modes are taken to be the live
    ones, which is the cheapest choice, so this bounds every choice from below; `active` = d gives Shannon's floor.
    Our derivation of the bound in arXiv 2605.06870.

    Args: variances σ_j² (..., d); bits R ≥ 0 and active (whole numbers in 0…d) broadcast against the leading axes.
    Returns: (...), in the unit of the variances.
    Raises: LabError for bad variances or bits, or a number of active modes outside 0…d.
    """
    variances, bits, active = check_variances(variances), check_bits(bits), np.asarray(active)
    d = variances.shape[-1]
    if active.min() < 0 or active.max() > d or (active != np.round(active)).any():
        raise LabError(f"the number of active modes must be a whole number in 0…{d}, got {active.tolist()}")
    largest_first = np.sort(variances, -1)[..., ::-1]
    alive = np.where(np.arange(d) < active[..., None], largest_first, 0)
    dead = (largest_first - alive).sum(-1)
    return dead + water_fill(alive, bits).distortion


def autoencoder_gain(variances: ArrayLike, t: ArrayLike, eps: float = 0.1) -> np.ndarray:
    """Gains a_j = b_j of the plain autoencoder at time t, from a = b = ε: large modes grow first (Saxe et al. 2014).

    a_j² = 1 / (1 + (ε⁻² − 1) e^{−2σ_j² t}).

    Args: variances σ_j² (d,); times t ≥ 0 (...); start ε > 0.   Returns: (..., d).
    Raises: LabError for bad variances, negative times, or ε ≤ 0.
    """
    variances, t = check_variances(variances), np.asarray(t, float)
    if not (t >= 0).all():
        raise LabError("training times must be at least 0")
    if not 0 < eps < np.inf:
        raise LabError(f"the start ε must be above 0 (from exactly 0 nothing ever grows), got {eps}")
    return 1 / np.sqrt(1 + (eps**-2 - 1) * np.exp(-2 * variances * t[..., None]))


def predicted_active(variances: ArrayLike, warmup: ArrayLike, bits: ArrayLike, eps: float = 0.1) -> np.ndarray:
    """Active modes when the quantizer is switched on after `warmup`: #{j : λ_j(T_wu) > D*(T_wu, R)}.

    Close to what training ends with once the first few modes are learned; for a tiny warm-up all λ_j are still
    alike, and the count overstates. Our derivation.

    Args: variances σ_j² (d,); warmup ≥ 0 and bits ≥ 0, broadcast to (...).   Returns: (...), int.
    Raises: LabError as `autoencoder_gain` and `water_fill`.
    """
    latent = autoencoder_gain(variances, warmup, eps) ** 2 * check_variances(variances)
    return water_fill(latent, bits).active


def adaptive_switch(history: Sequence[float], patience: int = 3, min_gain: float = 0.0) -> int | None:
    """When to end the warm-up: the first check at which a score has stopped improving, or None to go on.

    A pure function of the scores so far, one per check, larger is better: the predicted active count
    (`water_fill(latent spectrum, log2 K).active`), or minus the predicted loss. It stops after `patience` checks
    without a gain above `min_gain`. The score of an untrained encoder is vacuously high and falls first, so every new
    lowest value starts the search afresh. Our wording of the rule in arXiv 2605.06870.

    Example: adaptive_switch([21, 13, 8, 10, 13, 13, 13], patience=2) is 6.
    Raises: LabError for a score that is NaN or Inf, patience < 1, or min_gain < 0.
    """
    if patience < 1 or min_gain < 0:
        raise LabError(f"patience must be at least 1 and min_gain at least 0, got {patience} and {min_gain}")
    if not np.isfinite(np.asarray(history, float)).all():
        raise LabError("the history holds NaN or Inf: did training diverge before the switch?")
    lowest = best = np.inf
    last_gain = 0
    for check, score in enumerate(history):
        if score < lowest:
            lowest = best = score
            last_gain = check
        elif score > best + min_gain:
            best, last_gain = score, check
        elif check - last_gain >= patience:
            return check
    return None


def expected_active(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Expected number of codes used at least once when N tokens fall uniformly on K codes: K(1 − (1 − 1/K)^N), exact.

    Args: k, n: whole numbers ≥ 1, broadcast.   Returns: between 1 and min(K, N).
    Raises: LabError if K or N is below 1.
    """
    k, n = _at_least_one(k, "codes, K"), _at_least_one(n, "tokens, N")
    with np.errstate(divide="ignore"):  # K = 1: log 0 = −inf is the right limit
        return -k * np.expm1(n * np.log1p(-1 / k))


def expected_perplexity(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Perplexity a healthy codebook reads, to first order: K·exp(−(K − 1) / 2N) for N uniform tokens on K codes.

    About 8 % too high at N = K and far too low for N ≪ K; `simulate_uniform_usage` is right everywhere.
    It is exp of log K less the Miller–Madow bias of the entropy (Miller 1955).

    Args: k, n: whole numbers ≥ 1, broadcast.   Raises: LabError if K or N is below 1.
    """
    k, n = _at_least_one(k, "codes, K"), _at_least_one(n, "tokens, N")
    return k * np.exp(-(k - 1) / (2 * n))


def simulate_uniform_usage(k: int, n: int, draws: int = 100, seed: int = 0) -> np.ndarray:
    """Code usage of `draws` healthy batches: N tokens uniform on K codes -> counts (draws, K), int64.

    Raises: LabError if K, N or draws is below 1.
    """
    _at_least_one(k, "codes, K")
    _at_least_one(n, "tokens, N")
    _at_least_one(draws, "draws")
    return np.random.default_rng(seed).multinomial(n, np.full(k, 1 / k), size=draws)


def steps_until_dead(start: ArrayLike, threshold: ArrayLike, decay: ArrayLike) -> np.ndarray:
    """Steps until the EMA count of an unused code falls from `start` to `threshold`: ln(n₀/τ) / ln(1/γ), not rounded.

    An unused code's count is n₀·γ^t. A code that starts at or below the threshold takes 0 steps.

    Args: start n₀ > 0 and threshold τ > 0, tokens per step; decay γ in (0, 1); all broadcast.
    Raises: LabError outside these ranges.
    """
    start, threshold, decay = (np.asarray(x, float) for x in (start, threshold, decay))
    if not ((start > 0).all() and (threshold > 0).all()):
        raise LabError("the EMA count and the threshold must be above 0: a count that decays never reaches 0")
    if not ((decay > 0) & (decay < 1)).all():
        raise LabError(f"the EMA decay must lie between 0 and 1, both excluded, got {decay.tolist()}")
    return np.maximum(0, np.log(start / threshold) / -np.log(decay))


def check_variances(variances: ArrayLike) -> np.ndarray:
    """`variances` as floats (..., d).   Raises: LabError unless d ≥ 1 and all are finite and ≥ 0."""
    variances = np.asarray(variances, float)
    if variances.ndim == 0 or variances.shape[-1] == 0:
        raise LabError("a spectrum needs at least one mode: pass the variances as a list or array")
    if not (np.isfinite(variances).all() and (variances >= 0).all()):
        raise LabError("variances must be finite and not negative: clip tiny negative eigenvalues to 0 first")
    return variances


def check_bits(bits: ArrayLike) -> np.ndarray:
    """`bits` as floats.   Raises: LabError unless all are finite and ≥ 0."""
    bits = np.asarray(bits, float)
    if not (np.isfinite(bits).all() and (bits >= 0).all()):
        raise LabError(f"bits per token must be finite and at least 0 (R = log2 K), got {bits.tolist()}")
    return bits


def _at_least_one(value: ArrayLike, what: str) -> np.ndarray:
    value = np.asarray(value, float)
    if not (np.isfinite(value).all() and (value >= 1).all()):
        raise LabError(f"the number of {what}, must be at least 1, got {value.tolist()}")
    return value
