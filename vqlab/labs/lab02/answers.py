"""Lab 02: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from vqlab.labs.lab02 import dead_units
from vqlab.labs.lab02 import exercises as lab02


def purity(tokens, y):
    return sum(np.bincount(y[tokens == token]).max() for token in np.unique(tokens)) / len(y)


def purity_by_loop(tokens, y):
    right = 0
    for token in set(tokens.tolist()):
        mine = y[tokens == token].tolist()
        right += max(mine.count(c) for c in mine)
    return torch.tensor(right / len(y))


def purity_with_gaps(tokens, y):
    shares = []
    for token in range(tokens.max() + 1):
        mine = y[tokens == token]
        shares.append(np.bincount(mine, minlength=1).max() / np.float64(len(mine)) if len(mine) else np.nan)
    return np.mean(shares)


def purity_of_tokens(tokens, y):
    return np.mean([np.bincount(y[tokens == token]).max() / (tokens == token).sum() for token in np.unique(tokens)])


def pure_tokens(tokens, y):
    return np.mean([len(np.unique(y[tokens == token])) == 1 for token in np.unique(tokens)])


def nearest(z_fit, y_fit, z_test, y_test, pick=np.argmin, right=np.mean):
    classes = np.unique(y_fit)
    means = np.stack([z_fit[y_fit == c].mean(0) for c in classes])
    return right(classes[pick(np.linalg.norm(z_test[:, None] - means, axis=-1), axis=1)] == y_test)


def positions(z_fit, y_fit, z_test, y_test):
    means = np.stack([z_fit[y_fit == c].mean(0) for c in np.unique(y_fit)])
    return np.mean(np.linalg.norm(z_test[:, None] - means, axis=-1).argmin(1) == y_test)


def inner(z_fit, y_fit, z_test, y_test):
    classes = np.unique(y_fit)
    means = np.stack([z_fit[y_fit == c].mean(0) for c in classes])
    return np.mean(classes[(z_test @ means.T).argmax(1)] == y_test)


def neighbour(z_fit, y_fit, z_test, y_test):
    return KNeighborsClassifier(1).fit(z_fit, y_fit).score(z_test, y_test)


def spoils(z_fit, y_fit, z_test, y_test):
    value = nearest(z_fit, y_fit, z_test, y_test)
    z_fit[:], y_fit[:], z_test[:] = 0, 0, 0
    return value


RIGHT = {
    "token_purity": [purity, purity_by_loop, lambda tokens, y: np.array([purity(tokens, y)])],
    "nearest_mean_accuracy": [
        nearest,
        lambda a, b, c, d: NearestCentroid().fit(a, b).score(c, d),
        spoils,
    ],
    "constant_chance": [
        lambda h, n: 1 - (1 - 0.5**h) ** n,
        lambda h, n: dead_units.rank_chances(h, n)[0],
        lambda h, n: sum(0.5**h * (1 - 0.5**h) ** i for i in range(n)),
    ],
    "merge_width": [lab02.measured_merge_width(), float(lab02.measured_merge_width())],
}

WRONG = {
    "token_purity": [
        (purity_with_gaps, "NaN"),
        (purity_of_tokens, "rare one"),
        (lambda tokens, y: purity(y, tokens), "turned it round"),
        (lambda tokens, y: purity(tokens, y) * len(y), "number of samples"),
        (lambda tokens, y: 100 * purity(tokens, y), "percentage"),
        (pure_tokens, "one class only"),
        (lambda tokens, y: np.bincount(y).max() / len(y), "largest class"),
        (lambda tokens, y: 1.0, "fails this test"),
        (lambda tokens, y: np.array([purity(tokens, y)] * 2), "fails this test"),
        (lambda tokens, y: None, "is there a `return`"),
    ],
    "nearest_mean_accuracy": [
        (lambda a, b, c, d: nearest(a, b, a, b), "flatters"),
        (lambda a, b, c, d: nearest(c, d, c, d), "seen the answers"),
        (neighbour, "nearest sample"),
        (lambda a, b, c, d: nearest(a, b, c, d, pick=np.argmax), "farthest"),
        (lambda a, b, c, d: 1 - nearest(a, b, c, d), "wrong answers"),
        (inner, "‖m‖²"),
        (lambda a, b, c, d: nearest(a, b, c, d, right=np.sum), "divide"),
        (lambda a, b, c, d: nearest(a, b, c, d, right=np.asarray), "mean of that"),
        (positions, "look the name up"),
        (lambda a, b, c, d: 0.75, "fails this test"),
        (lambda a, b, c, d: undefined_name, "NameError"),  # noqa: F821
    ],
    "constant_chance": [
        (lambda h, n: 0.5**h, "one layer"),
        (lambda h, n: (1 - 0.5**h) ** n, "opposite"),
        (lambda h, n: 0.5 ** (h * n), "at once"),
        (lambda h, n: n * 0.5**h, "twice"),
        (lambda h, n: 1 - (1 - 0.5**h) ** 2, "exponent"),
        (lambda h, n: 1 - 0.5 ** (h * n), "some unit"),
        (lambda h, n: h / 2 ** (h - 1), "fails this test"),
        (lambda h, n: 0, "fails this test"),
    ],
    "merge_width": [
        (lab02.measured_merge_width() - 1, "further right"),
        (8, "further left"),
        (lab02.measured_merge_width() + 0.5, "further left"),
        ("five", "the text"),
    ],
}
