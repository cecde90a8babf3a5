"""The training flow of `flow` without its assumption that every mode keeps to itself: dense weights, a random start."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from vqlab import LabError
from vqlab.inputs import number
from vqlab.inputs import seed as checked_seed
from vqlab.measures import spectrum_dimension
from vqlab.theory.flow import MOST_STEPS, channel_gain, check_run
from vqlab.theory.water_filling import water_fill, water_level


class DenseFlow(NamedTuple):
    """Trajectories of `dense_flow` at T times (T,).

    latent: spectrum of the latents, descending (T, d).   effective_dimension: modes that hold 99 % of it (T,).
    level, active, loss (T,): as in `DiagonalFlow`.
    """

    times: np.ndarray
    latent: np.ndarray
    effective_dimension: np.ndarray
    level: np.ndarray
    active: np.ndarray
    loss: np.ndarray


@contextmanager
def _on_one_thread() -> Iterator[None]:
    # On a busy machine two threads take ten times as long as one. Not `threadpool_limits.wrap`: in threadpoolctl 3.5
    # it knows only the libraries that are loaded where it stands.
    with threadpool_limits(1, user_api="blas"):
        yield


@_on_one_thread()
def dense_flow(
    variances: ArrayLike,
    bits: float,
    warmup: float,
    total: float,
    *,
    beta: float = 1.0,
    scale: float = 0.01,
    seed: int = 0,
) -> DenseFlow:
    """Train dense weights from a random start: W₁ and W₂ (d, d) iid N(0, scale² / 4d), as arXiv 2605.06870, figure 4.

    With S = W₁ΣW₁ᵀ = U diag(λ) Uᵀ and C = U diag(c) Uᵀ:
        Ẇ₁ = W₂ᵀ(I − W₂CW₁)Σ − β(I − C)W₁Σ,   Ẇ₂ = (I − W₂W₁)ΣW₁ᵀC.
    Euler steps short enough for the sharpest direction; 64 modes to T = 400 take a second or two.

    Args: as `diagonal_flow`, for one run; seed decides the start.   Raises: LabError as there, or for scale ≤ 0.
    """
    variances, bits, warmup, total, beta = check_run(variances, bits, warmup, total, beta)
    if variances.ndim != 1 or bits.ndim or warmup.ndim:
        raise LabError("the dense flow trains one run: one spectrum (d,), one R and one warm-up at a time")
    scale = number(scale, "the scale of the random start", above=0, most=1e3)
    if (needed := total * (2 + beta) * variances.max() / 0.4) > MOST_STEPS:
        raise LabError(f"this flow would take {needed:.3g} steps: shorten the total, or scale the variances down")
    d, eye = len(variances), np.eye(len(variances))
    w1, w2 = np.random.default_rng(checked_seed(seed)).normal(0, scale / np.sqrt(4 * d), (2, d, d))
    t, records = 0.0, []
    while True:
        w1_sigma = w1 * variances
        spectrum, basis = np.linalg.eigh(w1_sigma @ w1.T)
        latent = np.maximum(spectrum, 0)
        level = water_level(latent, bits)
        c = np.ones(d) if t < warmup else channel_gain(latent, level)
        channel = (basis * c) @ basis.T
        through = w2 @ channel
        signal = np.sum(through * w1_sigma.T)  # tr(W₂ C W₁ Σ)
        noise_and_signal = np.sum((w2 @ basis) ** 2 * (c * latent))  # the channel's output has variance c·λ
        records.append((t, latent[::-1], variances.sum() - 2 * signal + noise_and_signal))
        if t >= total:
            break
        end = warmup if t < warmup else total
        h = min(0.4 / (latent[-1] + (1 + beta) * variances.max() + 1e-12), end - t)
        # Σ = diag(variances) scales columns; both slopes are taken at the old weights.
        slope1 = w2.T @ ((eye - through @ w1) * variances) - beta * (w1_sigma - channel @ w1_sigma)
        slope2 = (w1_sigma.T - w2 @ (w1_sigma @ w1.T)) @ channel
        w1, w2 = w1 + h * slope1, w2 + h * slope2
        t = end if h == end - t else t + h
    times, latent, loss = (np.array(x) for x in zip(*records, strict=True))
    level, active, *_ = water_fill(latent, bits)
    return DenseFlow(times, latent, spectrum_dimension(latent), level, active, loss)
