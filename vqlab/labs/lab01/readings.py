"""What Lab 01 reads off its trainings: where codes lie, who is served, and when latents have found their size."""

import numpy as np

from vqlab.sweeps import StoredSweep

_DIRECTIONS = 3600


def spread_of(latents: np.ndarray) -> np.ndarray:
    """Standard deviation of latents, mean of their coordinates: (..., N, d) -> (...)."""
    return latents.std(axis=-2).mean(axis=-1)


def radius_of(points: np.ndarray) -> np.ndarray:
    """Root-mean-square distance of points from their mean: (..., N, d) -> (...)."""
    around = points - points.mean(axis=-2, keepdims=True)
    return np.sqrt(np.square(around).sum(-1).mean(-1))


def share_in_the_middle(latents: np.ndarray) -> np.ndarray:
    """Share of latents within half of their root-mean-square radius of their mean: (..., N, d) -> (...)."""
    distances = np.linalg.norm(latents - latents.mean(axis=-2, keepdims=True), axis=-1)
    return (distances < radius_of(latents)[..., None] / 2).mean(axis=-1)


def flatness(latents: np.ndarray) -> np.ndarray:
    """Smallest over largest principal deviation of latents, 0 on a line: (..., N, d) -> (...)."""
    around = latents - latents.mean(axis=-2, keepdims=True)
    deviations = np.linalg.svd(around, compute_uv=False)  # (..., min(N, d)), largest first
    return deviations[..., -1] / deviations[..., 0]


def size_when_placed(sweep: StoredSweep, warmup: int, codebook_size: int) -> np.ndarray:
    """Spread of the latents at the switch over their spread at the end of the training: (seeds,)."""
    latents = sweep.at(warmup=warmup, codebook_size=codebook_size)["latents"]  # (seeds, frames, N, 2)
    spread = spread_of(latents)
    return spread[:, sweep.settings["frames"].index(warmup)] / spread[:, -1]


def nearest(latents: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The codes that are nearest to at least one latent, as indices: (N, d), (K, d) -> (n,)."""
    return np.unique(((latents[:, None] - codes) ** 2).sum(-1).argmin(1))  # (N, 1, d) − (K, d) -> (N, K)


def rim(codes: np.ndarray) -> np.ndarray:
    """The codes that reach farthest in some direction of the plane, as indices: (K, 2) -> (n,)."""
    angles = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    return np.unique((codes @ np.stack([np.cos(angles), np.sin(angles)])).argmax(0))  # (K, 2) @ (2, D) -> (K, D)


def clusters_served(latents: np.ndarray, codes: np.ndarray, y: np.ndarray) -> int:
    """Clusters with a code of their own: different codes among those that most of a cluster choose.

    latents (N, d), codes (K, d), y (N,): the cluster of each latent.
    """
    tokens = ((latents[:, None] - codes) ** 2).sum(-1).argmin(1)
    return len({np.bincount(tokens[y == cluster]).argmax() for cluster in np.unique(y)})


def verdict(cold: np.ndarray, warm: np.ndarray, codebook_size: int) -> str:
    """Whether the lab's claim holds by the perplexities (seeds,) of a cold start and after a warm-up, over all seeds.

    It holds if no cold training uses half of its codebook and every warm one does.
    """
    ill, cured = (cold < codebook_size / 2).all(), (warm >= codebook_size / 2).all()
    if ill and cured:
        return "holds"
    if cured:
        return "bends: the disease is mild"
    return "bends: the cure is partial" if warm.min() > cold.max() else "fails: no cure in every seed"


def halfway(cold: np.ndarray, warm: np.ndarray) -> float:
    """The perplexity above which a codebook counts as alive: the geometric mean of those cold and warm, (seeds,)."""
    return float(np.sqrt(cold.mean() * warm.mean()))
