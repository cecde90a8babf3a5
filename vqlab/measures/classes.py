"""Can classes still be told apart in the latents? Numpy, and scikit-learn for the probe.

Latents are (..., N, d), with any axes for runs in front; y (N,) holds the class of each sample, whole numbers from 0 to
C − 1. Whatever is fitted on some samples is judged on others (see `held_out`), so that noise cannot look like order.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import floats, integers, number, points, resolution

_SPLIT_SEED = 0


def class_labels(y: ArrayLike, n: int, least: int = 1) -> np.ndarray:
    """y as int64 labels (n,) of classes 0…C−1 with at least `least` samples each.   Raises: LabError otherwise."""
    y = integers(y, "labels y (N,)")
    if y.shape != (n,) or n < 2 or y.min() < 0 or y.max() >= n:
        raise LabError(
            f"y must hold one whole number from 0 for each of the {n} samples (at least 2), and no class above "
            f"{n - 1}, got shape {y.shape} from {y.min()} to {y.max()}"
        )
    sizes = np.bincount(y)
    if sizes.min() == 0:
        raise LabError(f"class {sizes.argmin()} has no samples here: number the classes 0…C−1 and give more samples")
    if sizes.min() < least:
        raise LabError(
            f"class {sizes.argmin()} has {sizes.min()} samples, and {least} are needed to judge it: give more"
        )
    return y


def held_out(y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Which samples a classifier is fitted on, and which it is judged on: y (N,) -> two arrays of indices, ascending.

    Half of each class, drawn at random but always the same way, so the order of the samples does not matter: a folder
    of images sorted by class is judged as fairly as a shuffled one. Of an odd number the larger half judges.
    Raises: LabError if y is no list of classes 0…C−1 with at least 2 samples each.
    """
    y = class_labels(y, np.size(integers(y, "labels y (N,)")), least=2)
    shuffled = np.random.default_rng(_SPLIT_SEED).permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]  # by class, and at random within one
    sizes = np.bincount(y)
    rank = np.arange(len(y)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # place of a sample within its class
    fits = rank < np.repeat(sizes // 2, sizes)
    return np.sort(order[fits]), np.sort(order[~fits])


def class_means(latents: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Mean latent of each class: (..., N, d) -> (..., C, d).

    Raises: LabError if y does not fit the latents or leaves a class empty, or for NaN/Inf.
    """
    latents, y = _labelled(latents, y)
    return _class_shares(y) @ latents  # (C, N) @ (..., N, d) -> (..., C, d)


def class_covariances(latents: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Covariance of each class around its mean: (..., N, d) -> (..., C, d, d).   Raises: as `class_means`."""
    latents, y = _labelled(latents, y)
    covariances = []
    for label in range(y.max() + 1):
        members = latents[..., y == label, :]
        offsets = members - members.mean(-2, keepdims=True)
        covariances.append(np.swapaxes(offsets, -1, -2) @ offsets / members.shape[-2])  # (..., d, n) @ (..., n, d)
    return np.stack(covariances, -3)


def scatter_ratio(latents: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Between- over within-class scatter, tr S_B / tr S_W: (..., N, d) -> (...). 0 if all latents are one point.

    S_B is the spread of the class means around the mean of all, weighted by class size; S_W that of the latents around
    their class means (Fukunaga 1990, §10.2). Above 1 the classes stand out; far apart clusters read 100 and more.
    Raises: as `class_means`.
    """
    rounding = resolution(latents)
    latents, y = _labelled(latents, y)
    latents = _unit_size(latents)
    means = (_class_shares(y) @ latents)[..., y, :]
    between = np.square(means - latents.mean(-2, keepdims=True)).mean((-2, -1))
    within = np.square(latents - means).mean((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(between > (rounding * _size(latents)) ** 2, between / within, 0.0)


def discriminability(latents: ArrayLike, y: ArrayLike) -> np.ndarray:
    """d′ of every pair of classes along the line that joins their means: (..., N, d) -> (..., C, C), 0 on the diagonal.

    d′ = (m₁ − m₂)·u / √((s₁² + s₂²) / 2), with s the standard deviations along the unit vector u (Green & Swets 1966).
    At d′ = 2 the midpoint misjudges 16 % of the samples of two normal classes. The line u is drawn through the means of
    one half of each class and d′ measured on the other half, then the halves change places and the two are averaged:
    measured where it was drawn, a line through pure noise in hundreds of dimensions would part it well.
    Coinciding means read 0, and so does a line that points the other way in the other half.
    Raises: as `class_means`, or if a class has fewer than 4 samples.
    """
    rounding = resolution(latents)
    latents, y = _labelled(latents, y, least=4)
    latents = _unit_size(latents)
    halves = held_out(y)
    both = [
        _separation(*((latents[..., half, :], y[half]) for half in order), rounding) for order in (halves, halves[::-1])
    ]
    return np.maximum((both[0] + both[1]) / 2, 0)


def _separation(drawn: tuple, judged: tuple, rounding: float) -> np.ndarray:
    """d′ (..., C, C) of the samples `judged` along lines through the means of those `drawn`; each (latents, y)."""
    latents, y = judged
    lines, gaps = (_differences(_class_shares(of) @ x) for x, of in (drawn, judged))  # (..., C, C, d)
    lengths = np.linalg.norm(lines, axis=-1)
    units = lines / np.where(lengths > 0, lengths, 1)[..., None]
    variances = np.einsum("...ijk,...ikl,...ijl->...ij", units, class_covariances(latents, y), units, optimize=True)
    variances = (variances + np.swapaxes(variances, -1, -2)) / 2
    distances = (units * gaps).sum(-1)
    apart = (lengths > rounding * _size(drawn[0])[..., None, None]) & (
        np.abs(distances) > rounding * _size(latents)[..., None, None]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(apart, distances / np.sqrt(variances), 0.0)


def _differences(means: np.ndarray) -> np.ndarray:
    return means[..., :, None, :] - means[..., None, :, :]  # (..., C, 1, d) − (..., 1, C, d) -> (..., C, C, d)


def region_labels(latents: ArrayLike, y: ArrayLike, threshold: float = 2.0) -> np.ndarray:
    """Which classes have merged: (..., N, d) -> (..., C), for each class the lowest class in the same region.

    Two classes with d′ below the threshold share a region, and so do classes linked by a chain of such pairs.
    Raises: as `discriminability`, or for a threshold that is not above 0.
    """
    linked = discriminability(latents, y) < number(threshold, "the threshold on d′", above=0)
    classes = linked.shape[-1]
    for _ in range(int(np.ceil(np.log2(max(2, classes))))):  # each product doubles the length of the chains followed
        linked = (linked.astype(np.float32) @ linked.astype(np.float32)) > 0
    return linked.argmax(-1)


def distinct_regions(latents: ArrayLike, y: ArrayLike, threshold: float = 2.0) -> np.ndarray:
    """How many regions the classes occupy, merged classes counted once: (..., N, d) -> (...), 1…C.

    Raises: as `region_labels`.
    """
    labels = region_labels(latents, y, threshold)
    return (labels == np.arange(labels.shape[-1])).sum(-1)


def boundary(widths: Sequence[int], shares: ArrayLike, level: float = 0.95) -> int | None:
    """The width from which on at least `level` of the classes stay apart: the first with no lower share at or above it.

    widths: rising, (W,).   shares: distinct regions over classes, mean over seeds, (W,).   None if the last is too low.
    Raises: LabError if they differ in length, the widths do not rise, or anything is not finite.
    """
    tried, shares = floats(widths, "widths (W,)", axes=1), floats(shares, "shares (W,)", axes=1)
    if tried.ndim != 1 or shares.shape != tried.shape or (np.diff(tried) <= 0).any():
        raise LabError(f"a boundary needs rising widths and one share for each, got {tried.shape} and {shares.shape}")
    low = np.flatnonzero(shares < number(level, "the level"))
    first = low[-1] + 1 if low.size else 0
    return widths[first] if first < len(tried) else None


def classify_by_mean(latents: ArrayLike, y: ArrayLike) -> np.ndarray:
    """The class whose mean is nearest, for the samples that are held out: (..., N, d) -> (..., n), in their order.

    Raises: as `class_means`, or if a class has fewer than 2 samples.
    """
    latents, y = _labelled(latents, y, least=2)
    latents = _unit_size(latents - latents.mean(-2, keepdims=True))
    fits, judges = held_out(y)
    means = _class_shares(y[fits]) @ latents[..., fits, :]
    # ‖z − m‖² = ‖z‖² − 2 z·m + ‖m‖², and ‖z‖² is the same for all classes.
    scores = latents[..., judges, :] @ np.swapaxes(means, -1, -2)  # (..., n, d) @ (..., d, C)
    return (scores - np.square(means).sum(-1)[..., None, :] / 2).argmax(-1)


def linear_probe_accuracy(latents: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Accuracy on held-out samples of scikit-learn's logistic regression on standardised latents: (..., N, d) -> (...).

    Raises: as `classify_by_mean`, or for a single class.
    """
    from sklearn.linear_model import LogisticRegression

    rounding = resolution(latents)
    latents, y = _labelled(latents, y, least=2)
    if y.max() == 0:
        raise LabError("a probe tells classes apart, and there is only one: give samples of at least two")
    latents = _unit_size(latents)
    spread = latents.std(-2, keepdims=True)
    # A constant coordinate stays one: dividing by its rounding error would make a signal of it.
    spread = np.where(spread > rounding * _size(latents)[..., None, None], spread, np.inf)
    standardised = (latents - latents.mean(-2, keepdims=True)) / spread
    fits, judges = held_out(y)
    scores = [
        LogisticRegression(C=100, max_iter=200, tol=1e-3).fit(run[fits], y[fits]).score(run[judges], y[judges])
        for run in standardised.reshape(-1, *latents.shape[-2:])  # (..., N, d) -> (runs, N, d)
    ]
    return np.reshape(scores, latents.shape[:-2])


def class_error(x: ArrayLike, reconstruction: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Mean squared error of each class: x (N, d), reconstruction (..., N, d) -> (..., C).

    Raises: as `class_means`, or if the reconstruction has another shape.
    """
    x, (reconstruction, y) = points(x, "samples"), _labelled(reconstruction, y, what="reconstructions")
    if x.ndim != 2 or reconstruction.shape[-2:] != x.shape:
        raise LabError(
            f"reconstructions must be (..., N, d) of samples (N, d), got {reconstruction.shape} of {x.shape}"
        )
    return np.square(reconstruction - x).mean(-1) @ _class_shares(y).T  # (..., N) @ (N, C) -> (..., C)


def _labelled(latents: ArrayLike, y: ArrayLike, least: int = 1, what: str = "latents") -> tuple[np.ndarray, np.ndarray]:
    latents = points(latents, what)
    return latents, class_labels(y, latents.shape[-2], least)


def _class_shares(y: np.ndarray) -> np.ndarray:
    """(C, N): row c averages over the samples of class c."""
    member = y == np.arange(y.max() + 1)[:, None]
    return member / member.sum(1, keepdims=True)


def _unit_size(latents: np.ndarray) -> np.ndarray:
    """The latents of each run scaled to a largest coordinate of 1: squares of tiny ones would underflow."""
    largest = np.abs(latents).max((-2, -1), keepdims=True)
    return latents / np.where(largest > 0, largest, 1)


def _size(latents: np.ndarray) -> np.ndarray:
    """Root mean square of the latents of each run, as a unit for rounding errors: (...)."""
    return np.sqrt(np.square(latents).mean((-2, -1)))
