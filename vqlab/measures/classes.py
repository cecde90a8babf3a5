"""Can classes still be told apart? In the latents, and by their tokens alone. Numpy, and scikit-learn for the probe.

Latents are (..., N, d) and tokens (..., N), with any axes for runs in front; y (N,) holds the class of each sample,
whole numbers from 0 to C − 1. A classifier is fitted on the first half of the samples and judged on the second.
"""

from collections.abc import Sequence

import numpy as np

from vqlab import LabError
from vqlab.measures.codes import code_usage

# float32 latents that differ by less than this share of their size are the same latent.
_SAME = 1e-6


def class_means(latents: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean latent of each class: (..., N, d) -> (..., C, d).

    Raises: LabError if y does not fit the latents or leaves a class empty.
    """
    latents, shares = np.asarray(latents, float), _class_shares(latents, y)
    return shares @ latents  # (C, N) @ (..., N, d) -> (..., C, d)


def class_covariances(latents: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Covariance of each class around its mean: (..., N, d) -> (..., C, d, d).   Raises: as `class_means`."""
    latents, shares = np.asarray(latents, float), _class_shares(latents, y)
    offsets = latents - class_means(latents, y)[..., y, :]
    products = offsets[..., :, None] * offsets[..., None, :]  # (..., N, d, d)
    n, d = latents.shape[-2:]
    summed = shares @ products.reshape(*latents.shape[:-2], n, d * d)  # (C, N) @ (..., N, d²) -> (..., C, d²)
    return summed.reshape(*summed.shape[:-1], d, d)


def scatter_ratio(latents: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Between- over within-class scatter, tr S_B / tr S_W: (..., N, d) -> (...). 0 if all latents are one point.

    S_B is the spread of the class means around the mean of all, weighted by class size; S_W that of the latents around
    their class means (Fukunaga 1990, §10.2). Above 1 the classes stand out; far apart clusters read 100 and more.
    Raises: as `class_means`.
    """
    latents, means = np.asarray(latents, float), class_means(latents, y)
    centred = means[..., y, :] - latents.mean(-2, keepdims=True)
    between = np.square(centred).mean((-2, -1))
    within = np.square(latents - means[..., y, :]).mean((-2, -1))
    floor = (_SAME * _size(latents)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(between > floor, between / within, 0.0)


def discriminability(latents: np.ndarray, y: np.ndarray) -> np.ndarray:
    """d′ of every pair of classes along the line that joins their means: (..., N, d) -> (..., C, C), 0 on the diagonal.

    d′ = ‖m₁ − m₂‖ / √((s₁² + s₂²) / 2), with s the standard deviations along that line (Green & Swets 1966). At d′ = 2
    the midpoint misjudges 16 % of the samples of two normal classes. Coinciding means read 0.
    Raises: as `class_means`.
    """
    means, covariances = class_means(latents, y), class_covariances(latents, y)
    lines = means[..., :, None, :] - means[..., None, :, :]  # (..., C, 1, d) − (..., 1, C, d) -> (..., C, C, d)
    distances = np.linalg.norm(lines, axis=-1)
    units = lines / np.where(distances > 0, distances, 1)[..., None]
    variances = np.einsum("...ijk,...ikl,...ijl->...ij", units, covariances, units)
    variances = (variances + np.swapaxes(variances, -1, -2)) / 2
    apart = distances > _SAME * _size(latents)[..., None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(apart, distances / np.sqrt(variances), 0.0)


def region_labels(latents: np.ndarray, y: np.ndarray, threshold: float = 2.0) -> np.ndarray:
    """Which classes have merged: (..., N, d) -> (..., C), for each class the lowest class in the same region.

    Two classes with d′ below the threshold share a region, and so do classes linked by a chain of such pairs.
    Raises: as `class_means`.
    """
    linked = discriminability(latents, y) < threshold
    classes = linked.shape[-1]
    for _ in range(int(np.ceil(np.log2(max(2, classes))))):  # each product doubles the length of the chains followed
        linked = (linked.astype(np.float32) @ linked.astype(np.float32)) > 0
    return linked.argmax(-1)


def distinct_regions(latents: np.ndarray, y: np.ndarray, threshold: float = 2.0) -> np.ndarray:
    """How many regions the classes occupy, merged classes counted once: (..., N, d) -> (...), 1…C.

    Raises: as `class_means`.
    """
    labels = region_labels(latents, y, threshold)
    return (labels == np.arange(labels.shape[-1])).sum(-1)


def boundary(widths: Sequence[int], shares: np.ndarray, level: float = 0.95) -> int | None:
    """The width from which on at least `level` of the classes stay apart: the first with no lower share at or above it.

    widths: rising, (W,).   shares: distinct regions over classes, mean over seeds, (W,).   None if the last is too low.
    """
    low = np.flatnonzero(np.asarray(shares) < level)
    first = low[-1] + 1 if low.size else 0
    return widths[first] if first < len(widths) else None


def classify_by_mean(latents: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The class whose mean (over the first half) is nearest, for the second half: (..., N, d) -> (..., N − N//2).

    Raises: as `class_means`.
    """
    latents, half = np.asarray(latents, float), len(y) // 2
    means = class_means(latents[..., :half, :], y[:half])
    # ‖z − m‖² = ‖z‖² − 2 z·m + ‖m‖², and ‖z‖² is the same for all classes.
    scores = latents[..., half:, :] @ np.swapaxes(means, -1, -2)  # (..., n, d) @ (..., d, C)
    return (scores - np.square(means).sum(-1)[..., None, :] / 2).argmax(-1)


def linear_probe_accuracy(latents: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Accuracy of scikit-learn's logistic regression on standardised latents: (..., N, d) -> (...), 0…1.

    Raises: as `class_means`.
    """
    from sklearn.linear_model import LogisticRegression

    latents, half = np.asarray(latents, float), len(y) // 2
    _class_shares(latents, y)
    spread = latents.std(-2, keepdims=True)
    # A constant coordinate stays one: dividing by its rounding error would make a signal of it.
    spread = np.where(spread > _SAME * _size(latents)[..., None, None], spread, np.inf)
    standardised = (latents - latents.mean(-2, keepdims=True)) / spread
    scores = [
        LogisticRegression(C=100, max_iter=200, tol=1e-3).fit(run[:half], y[:half]).score(run[half:], y[half:])
        for run in standardised.reshape(-1, *latents.shape[-2:])  # (..., N, d) -> (runs, N, d)
    ]
    return np.reshape(scores, latents.shape[:-2])


def token_table(tokens: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """How often each code was chosen by each class: tokens (..., N) -> counts (..., K, C), int64.

    Raises: LabError if y does not fit the tokens, or a token is outside 0…K−1.
    """
    tokens = np.asarray(tokens)
    _check_labels(tokens.shape[-1], y)
    classes = int(y.max()) + 1
    code_usage(tokens, k)  # refuses tokens outside 0…K−1, which would land on another code's classes
    return code_usage(tokens * classes + y, k * classes).reshape(*tokens.shape[:-1], k, classes)


def token_purity(table: np.ndarray) -> np.ndarray:
    """Share of samples that belong to the majority class of their token: counts (..., K, C) -> (...), 1/C…1."""
    return table.max(-1).sum(-1) / table.sum((-2, -1))


def token_information(table: np.ndarray) -> np.ndarray:
    """Mutual information between token and class in bits: counts (..., K, C) -> (...), 0…log2 C for equal classes."""
    joint = table / table.sum((-2, -1), keepdims=True)
    independent = joint.sum(-1, keepdims=True) * joint.sum(-2, keepdims=True)
    logs = np.log2(np.where(joint > 0, joint, 1) / np.where(joint > 0, independent, 1))
    return (joint * logs).sum((-2, -1))


def classify_by_token(tokens: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """The majority class (over the first half) of the token, for the second half: (..., N) -> (..., N − N//2).

    A token not seen in the first half names no class: −1. Raises: as `token_table`.
    """
    tokens, half = np.asarray(tokens), len(y) // 2
    _check_labels(tokens.shape[-1], y)
    table = token_table(tokens[..., :half], y[:half], k)
    majority = np.where(table.sum(-1) > 0, table.argmax(-1), -1)  # (..., K)
    return np.take_along_axis(majority, tokens[..., half:], -1)


def accuracy(predicted: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of right answers: classes predicted for the last samples (..., n) -> (...), 0…1."""
    return (predicted == y[-predicted.shape[-1] :]).mean(-1)


def confusion(predicted: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of each class (row), the share predicted as each class (column), for the last samples: (..., n) -> (..., C, C).

    A row sums to 1, less the share that no class was named for.
    """
    classes = int(y.max()) + 1
    columns = predicted[..., None] == np.arange(classes)  # (..., n, C)
    return _class_shares(columns, y[-predicted.shape[-1] :]) @ columns.astype(float)


def class_error(x: np.ndarray, reconstruction: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean squared error of each class: x (N, d), reconstruction (..., N, d) -> (..., C).

    Raises: as `class_means`.
    """
    error = np.square(np.asarray(reconstruction, float) - x).mean(-1)  # (..., N)
    return error @ _class_shares(reconstruction, y).T  # (..., N) @ (N, C) -> (..., C)


def _class_shares(points: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(C, N): row c averages over the samples of class c."""
    _check_labels(np.shape(points)[-2], y)
    member = y == np.arange(int(y.max()) + 1)[:, None]
    sizes = member.sum(1, keepdims=True)
    if (sizes == 0).any():
        raise LabError(
            f"class {int(sizes.argmin())} has no samples here: number the classes 0…C−1 and give more samples"
        )
    return member / sizes


def _check_labels(n: int, y: np.ndarray) -> None:
    if np.shape(y) != (n,) or n < 2 or np.asarray(y).dtype.kind not in "iu" or y.min() < 0:
        raise LabError(
            f"y must hold one whole number from 0 for each of the {n} samples (at least 2), got {np.shape(y)}"
        )


def _size(latents: np.ndarray) -> np.ndarray:
    """Root mean square of the latents of each run, as a unit for rounding errors: (...)."""
    return np.sqrt(np.square(np.asarray(latents, float)).mean((-2, -1)))
