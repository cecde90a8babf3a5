"""How a linear autoencoder's modes grow, how many a warm-up brings above water, and when to end it. Pure numpy.

Modes are independent and Gaussian; σ_j² is the variance of data mode j, λ_j that of its latent.
"""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import floats, number, plain
from vqlab.theory.water_filling import broadcast, check_bits, check_variances, water_fill


def autoencoder_gain(variances: ArrayLike, t: ArrayLike, eps: float = 0.1) -> np.ndarray:
    """Gains a_j = b_j of the plain autoencoder at time t, from a = b = ε: large modes grow first (Saxe et al. 2014).

    a_j² = 1 / (1 + (ε⁻² − 1) e^{−2σ_j² t}).

    Args: variances σ_j² (d,); times t ≥ 0 (...); start ε > 0.   Returns: (..., d).
    Raises: LabError for bad variances, negative times, or ε ≤ 0.
    """
    variances, t = check_variances(variances), floats(t, "training times", least=0)
    if variances.ndim != 1:
        raise LabError(f"the gains are those of one spectrum (d,), got shape {variances.shape}: take one at a time")
    eps = number(eps, "the start ε (from exactly 0 nothing ever grows)", above=0)
    with np.errstate(over="ignore"):
        fade = np.exp(-variances * t[..., None])
    # a = ε / √(ε² + (1 − ε²) fade²), which overflows for no ε.
    return eps / np.hypot(eps * np.sqrt(-np.expm1(-2 * variances * t[..., None])), fade)


def predicted_active(variances: ArrayLike, warmup: ArrayLike, bits: ArrayLike, eps: float = 0.1) -> np.ndarray:
    """Active modes when the quantizer is switched on after `warmup`: #{j : λ_j(T_wu) > D*(T_wu, R)}.

    Close to what training ends with once the first few modes are learned; for a tiny warm-up all λ_j are still
    alike, and the count overstates. Our derivation.

    Args: variances σ_j² (d,); warmup ≥ 0 and bits ≥ 0, broadcast to (...).   Returns: (...), int.
    Raises: LabError as `autoencoder_gain` and `water_fill`.
    """
    latent = autoencoder_gain(variances, warmup, eps) ** 2 * check_variances(variances)
    broadcast(latent[..., 0], check_bits(bits))
    return water_fill(latent, bits).active


def adaptive_switch(
    times: ArrayLike, scores: ArrayLike, patience: float = 75, min_gain: float = 0.0
) -> float | int | None:
    """When to end the warm-up: the first time at which a score has stopped improving, or None to go on.

    A pure function of what was seen so far: the scores at the given times, in training steps, say. Larger is better:
    the predicted active count (`water_fill(latent spectrum, log2 K).active`), or minus the predicted loss. It stops
    when no gain above `min_gain` came for `patience`. Because that is a time and not a number of looks, looking more
    often decides the same, up to the time between two looks.
    The score of an untrained encoder is vacuously high and falls first. So every new lowest value starts the search
    afresh, and a score that has fallen is waited for until it rises again, however long its trough.
    Our wording of the rule in arXiv 2605.06870.

    Example: adaptive_switch([0, 10, 20, 30, 40, 50, 60], [21, 13, 8, 10, 13, 13, 13], patience=20) is 60.
    Raises: LabError unless times increase and scores are finite, one for each; for patience ≤ 0 or min_gain < 0.
    """
    patience, min_gain = number(patience, "patience", above=0), number(min_gain, "min_gain", least=0)
    when, values = (
        plain(given, f"the {what} of the history") for given, what in ((times, "times"), (scores, "scores"))
    )
    if values.ndim != 1 or when.shape != values.shape:
        raise LabError(f"the history must hold a score for each time, got shapes {when.shape} and {values.shape}")
    if not np.isfinite(values).all():
        raise LabError("the history holds NaN or Inf: did training diverge before the switch?")
    if not (np.isfinite(when).all() and (np.diff(when) > 0).all()):
        raise LabError("the times of the history must increase: one look after the other")
    lowest = best = np.inf
    last_gain, fell = 0, False
    for i, score in enumerate(values):
        if score < lowest:
            fell, lowest, best, last_gain = i > 0, score, score, i
        elif score > best + min_gain:
            fell, best, last_gain = False, score, i
        elif not fell and when[i] - when[last_gain] >= patience:
            return when[i].item()
    return None
