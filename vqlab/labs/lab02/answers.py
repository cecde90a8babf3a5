"""Lab 02: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import torch
from sklearn.metrics import confusion_matrix, pairwise_distances_argmin
from sklearn.metrics.cluster import contingency_matrix
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


def means_and_names(z, y):
    """One row for each class: its mean, then its name."""
    return np.array([[*z[y == c].mean(0), c] for c in np.unique(y)])


def purity_by_table(tokens, y):
    table = np.zeros((tokens.max() + 1, y.max() + 1), int)
    np.add.at(table, (tokens, y), 1)
    return table.max(axis=1).sum() / table.sum()


def purity_by_counter(tokens, y):
    largest = {}
    for (token, _), count in Counter(zip(tokens.tolist(), y.tolist(), strict=True)).items():
        largest[token] = max(count, largest.get(token, 0))
    return Fraction(sum(largest.values()), len(y))


def purity_by_majority(tokens, y):
    majority = {token: Counter(y[tokens == token].tolist()).most_common(1)[0][0] for token in tokens.tolist()}
    return np.mean([majority[token] == label for token, label in zip(tokens.tolist(), y.tolist(), strict=True)])


def purity_by_sorting(tokens, y):
    order = np.lexsort((y, tokens))
    pairs = np.stack([tokens[order], y[order]], 1)
    (numbers, _), counts = (
        np.unique(pairs, axis=0, return_counts=True)[0].T,
        np.unique(pairs, axis=0, return_counts=1)[1],
    )
    return sum(counts[numbers == token].max() for token in set(numbers)) / len(tokens)


def purity_in_torch(tokens, y):
    table = torch.zeros(int(tokens.max()) + 1, int(y.max()) + 1)
    table.index_put_((torch.from_numpy(tokens).long(), torch.from_numpy(y).long()), torch.ones(()), accumulate=True)
    return table.amax(1).sum() / len(y)


def by_dictionary(z_fit, y_fit, z_test, y_test):
    means = {c: z_fit[y_fit == c].mean(axis=0) for c in set(y_fit.tolist())}
    right = [min(means, key=lambda c: math.dist(z, means[c])) == y for z, y in zip(z_test, y_test, strict=True)]
    return sum(right) / len(right)


def by_products(z_fit, y_fit, z_test, y_test):
    classes, of = np.unique(y_fit, return_inverse=True)
    means = np.stack([np.bincount(of, column) for column in z_fit.T.astype(float)], 1) / np.bincount(of)[:, None]
    scores = z_test @ means.T - (means**2).sum(1) / 2
    return np.count_nonzero(classes[scores.argmax(1)] == y_test) / len(y_test)


def in_torch(z_fit, y_fit, z_test, y_test):
    z_fit, y_fit, z_test, y_test = map(torch.as_tensor, (z_fit, y_fit, z_test, y_test))
    classes = y_fit.unique()
    means = torch.stack([z_fit[y_fit == c].mean(0) for c in classes])
    return (classes[torch.cdist(z_test, means).argmin(1)] == y_test).float().mean()


def by_matrix(z_fit, y_fit, z_test, y_test):
    classes = np.array(sorted(set(y_fit.tolist()), reverse=True))
    member = (classes[:, None] == y_fit).astype(float)
    means = member @ z_fit / member.sum(1, keepdims=True)
    squares = np.einsum("ncd->nc", (z_test[:, None] - means) ** 2)
    return [np.mean(np.take(classes, squares.argmin(1)) == y_test, dtype=np.float32)]


def by_running_best(z_fit, y_fit, z_test, y_test):
    best, predicted = np.full(len(z_test), np.inf), np.full(len(z_test), -1)
    for c in np.unique(y_fit):
        distance = np.sqrt(np.sum((z_test - np.average(z_fit[y_fit == c], axis=0)) ** 2, axis=1))
        predicted, best = np.where(distance < best, c, predicted), np.minimum(distance, best)
    return 1 - np.mean(predicted != y_test)


def by_argmin_of_pairs(z_fit, y_fit, z_test, y_test):
    classes = list(dict.fromkeys(y_fit.tolist()))
    means = [z_fit[y_fit == c].mean(0) for c in classes]
    return np.mean([classes[i] for i in pairwise_distances_argmin(z_test, means)] == y_test)


def by_confusion(z_fit, y_fit, z_test, y_test):
    matrix = confusion_matrix(y_test, NearestCentroid().fit(z_fit, y_fit).predict(z_test))
    return matrix.trace() / matrix.sum()


def one_by_one(z_fit, y_fit, z_test, y_test):
    right = 0
    for z, y in zip(z_test.tolist(), y_test.tolist(), strict=True):
        distances = {}
        for c in y_fit.tolist():
            mean = [sum(column) / len(column) for column in z_fit[y_fit == c].T.tolist()]
            distances[c] = sum(abs(a - b) ** 2 for a, b in zip(z, mean, strict=True)) ** 0.5
        right += sorted(distances, key=distances.get)[0] == y
    return torch.tensor([[right / len(y_test)]])


def by_medians(z_fit, y_fit, z_test, y_test):
    medians = np.stack([np.median(z_fit[y_fit == c], axis=0) for c in np.unique(y_fit)])
    return np.mean(np.unique(y_fit)[np.linalg.norm(z_test[:, None] - medians, axis=-1).argmin(1)] == y_test)


def classes_of_the_test(z_fit, y_fit, z_test, y_test):
    classes = np.unique(y_test)
    means = np.stack([z_fit[y_fit == c].mean(0) for c in classes])
    return np.mean(classes[np.linalg.norm(z_test[:, None] - means, axis=-1).argmin(1)] == y_test)


def by_city_blocks(z_fit, y_fit, z_test, y_test):
    classes = np.unique(y_fit)
    means = np.stack([z_fit[y_fit == c].mean(0) for c in classes])
    return np.mean(classes[np.abs(z_test[:, None] - means).sum(-1).argmin(1)] == y_test)


def chance_by_steps(width, layers):
    alive = 1.0
    for _ in range(layers):
        alive *= 1 - 1 / 2**width
    return 1.0 - alive


def chance_by_recursion(width, layers):
    return 0 if layers == 0 else 0.5**width + (1 - 0.5**width) * chance_by_recursion(width, layers - 1)


RIGHT = {
    "token_purity": [
        purity,
        purity_by_loop,
        lambda tokens, y: np.array([purity(tokens, y)]),
        purity_by_table,
        purity_by_counter,
        purity_by_majority,
        purity_by_sorting,
        purity_in_torch,
        lambda tokens, y: contingency_matrix(y, tokens).max(axis=0).sum() / len(tokens),
        lambda tokens, y: np.float16(purity(tokens, y)),
        lambda tokens, y: [[purity(tokens, y)]],
        lambda tokens, y: 1 - sum((n := np.bincount(y[tokens == t])).sum() - n.max() for t in set(tokens)) / len(y),
    ],
    "nearest_mean_accuracy": [
        nearest,
        lambda a, b, c, d: NearestCentroid().fit(a, b).score(c, d),
        by_dictionary,
        by_products,
        in_torch,
        by_matrix,
        by_running_best,
        by_argmin_of_pairs,
        by_confusion,
        one_by_one,
        lambda a, b, c, d: nearest((m := means_and_names(a, b))[:, :-1], m[:, -1], c, d),
        lambda a, b, c, d: nearest(a.astype(float), b.astype(np.uint8), c.astype(float), d.astype(np.uint8)),
        lambda a, b, c, d: nearest(a - a.mean(0), b, c - a.mean(0), d),
    ],
    "constant_chance": [
        lambda h, n: 1 - (1 - 0.5**h) ** n,
        lambda h, n: dead_units.rank_chances(h, n)[0],
        lambda h, n: sum(0.5**h * (1 - 0.5**h) ** i for i in range(n)),
        chance_by_steps,
        chance_by_recursion,
        lambda h, n: 1 - Fraction(2**h - 1, 2**h) ** n,
        lambda h, n: -math.expm1(n * math.log1p(-(0.5**h))),
        lambda h, n: sum(-math.comb(n, i) * (-(0.5**h)) ** i for i in range(1, n + 1)),
        lambda h, n: 1 - np.prod(np.full(n, 1 - np.exp2(-h))),
        lambda h, n: 1 - torch.pow(1 - torch.tensor(0.5) ** h, n),
        lambda h, n: 1 - np.linalg.matrix_power(np.array([[1 - 0.5**h, 0.5**h], [0, 1]]), n)[0, 0],
        lambda h, n: [round((2 ** (h * n) - (2**h - 1) ** n) / 2 ** (h * n), 12)],
    ],
    "merge_width": [lab02.measured_merge_width(), torch.tensor([float(lab02.measured_merge_width())])],
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
        (lambda tokens, y: round(purity(tokens, y), 1), "rounded"),
        (lambda tokens, y: purity(tokens, y % 4), "fails this test"),
        (lambda tokens, y: purity(tokens.clip(max=9), y), "fails this test"),
        (lambda tokens, y: np.bincount(y.astype(bool)), "fails this test"),
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
        (spoils, "writes into its argument `z_fit`"),
        (by_medians, "fails this test"),
        (by_city_blocks, "fails this test"),
        (classes_of_the_test, "from y_test"),
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
        (lambda h, n: 1 - (1 - 0.5**n) ** h, "swapped width and layers"),
        (lambda h, n: 1 - (1 - 0.4**h) ** n, "another chance"),
        (lambda h, n: 1 - (1 - 0.5**h) ** min(n, 3), "fails this test"),
        (lambda h, n: round(1 - (1 - 0.5**h) ** n, 3), "rounded"),
    ],
    "merge_width": [
        (lab02.measured_merge_width() - 1, "further right"),
        (8, "further left"),
        (lab02.measured_merge_width() + 0.5, "further left"),
        ("five", "the text"),
    ],
}
