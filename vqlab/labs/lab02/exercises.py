"""Exercises of Lab 02: two numbers that see merged classes, the chance of a dead point, and where classes merge."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from vqlab import measures, sweeps
from vqlab.exercises import Exercise, Mistake, Test, too_far, variants

_INTEGERS = (np.int64, np.int32)

# --- token_purity(tokens, y) -> float ----------------------------------------------------------------------


def _table(tokens: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How often each token in use comes with each class: (T, C)."""
    return (tokens[:, None] == np.unique(tokens)).T.astype(float) @ (y[:, None] == np.unique(y))


def _purity(tokens: np.ndarray, y: np.ndarray) -> float:
    return _table(tokens, y).max(1).sum() / len(y)


def _samples(n: int, tokens: int, classes: int) -> Callable:
    """Draws tokens and classes with gaps in their numbers; half of the samples follow their class."""

    def draw(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray]:
        many, dtype = n * (1 + i), _INTEGERS[i % 2]
        y = rng.choice(classes, size=many, p=rng.dirichlet(np.full(classes, 2.0)))
        chosen = np.where(rng.random(many) < 0.5, y % tokens, rng.integers(tokens, size=many))
        numbers = [np.sort(rng.permutation(2 * size + 1)[:size]) for size in (tokens, classes)]
        return numbers[0][chosen].astype(dtype), numbers[1][y].astype(dtype)

    return draw


def _one_class_each(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Each token holds one class only, and several tokens hold the same."""
    tokens = rng.integers(5 + i, size=8 + 7 * i)
    return tokens, rng.integers(3 + i, size=5 + i)[tokens]


token_purity = Exercise(
    "token_purity",
    _purity,
    tests=(
        Test("a few samples, with tokens that are never used", _samples(6, 3, 2), times=12),
        Test("tokens that hold one class each have purity 1", _one_class_each, times=6),
        Test("many samples of unequal classes", _samples(40, 12, 5)),
    ),
    mistakes=(
        Mistake(
            "You return NaN: some token of 0…max is never used, so its mean is empty. Loop over np.unique(tokens). "
            "Open hint 2.",
            seen=lambda _, outcome: any(np.isnan(part).any() for part in outcome.parts),
        ),
        Mistake(
            "You average over tokens, so a rare one counts as much as a frequent one: average over samples. "
            "Open hint 1.",
            lambda tokens, y: (_table(tokens, y).max(1) / _table(tokens, y).sum(1)).mean(),
        ),
        Mistake(
            "You turned it round: the commonest token of each class. We need the commonest class of each token. "
            "Open hint 2.",
            lambda tokens, y: _purity(y, tokens),
        ),
        Mistake(
            "This is a number of samples; purity is a share of them. Open hint 1.",
            lambda tokens, y: _purity(tokens, y) * len(y),
        ),
        Mistake(
            "This is a percentage; return a share between 0 and 1. Open hint 1.",
            lambda tokens, y: 100 * _purity(tokens, y),
        ),
        Mistake(
            "You count the tokens that hold one class only; purity counts samples of the majority class. Open hint 1.",
            lambda tokens, y: ((_table(tokens, y) > 0).sum(1) == 1).mean(),
        ),
        Mistake(
            "This is the share of the largest class, whatever the tokens: look at each token by itself. Open hint 2.",
            lambda tokens, y: _table(tokens, y).sum(0).max() / len(y),
        ),
    ),
)

# --- nearest_mean_accuracy(z_fit, y_fit, z_test, y_test) -> float ------------------------------------------


def _distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None].astype(float) - others, axis=-1)  # (N, 1, d) − (C, d) -> (N, C)


def _judged(z_fit, y_fit, z_test, y_test, distances=_distances, classes=None, named=True) -> np.ndarray:
    """Right or wrong for each sample of the test half."""
    classes = np.unique(y_fit if classes is None else classes)
    means = np.stack([z_fit[y_fit == c].mean(0, dtype=float) for c in classes])
    position = distances(z_test, means).argmin(1)
    return (classes[position] if named else position) == y_test


def _accuracy(z_fit, y_fit, z_test, y_test) -> float:
    return _judged(z_fit, y_fit, z_test, y_test).mean()


def _neighbour(z_fit, y_fit, z_test, y_test) -> float:
    return (y_fit[_distances(z_test, z_fit).argmin(1)] == y_test).mean()


def _halves(d: int, classes: int, numbers: Callable[[Generator, int], np.ndarray], missing: bool = False) -> Callable:
    """Draws overlapping, skewed classes, first few samples, then many.

    missing: whether the test half lacks some classes.
    """

    def draw(rng: Generator, i: int) -> tuple[np.ndarray, ...]:
        count = classes if i < 4 else int(rng.integers(classes, classes + 4))
        names, centres, skew = numbers(rng, count), 1.5 * rng.normal(size=(count, d)) + 1, rng.uniform(0.3, 2, size=d)

        def samples(y: np.ndarray) -> np.ndarray:
            return np.round(centres[y] + (rng.exponential(size=(len(y), d)) - 0.5) * skew, 2).astype(np.float32)

        y_fit = np.concatenate([np.arange(count), rng.integers(count, size=count * (1 + i // 2))])
        z_fit, y_test = samples(y_fit), rng.integers(count - missing, size=5 if i < 4 else 60 + 10 * i)
        z_test = samples(y_test)
        means = np.stack([z_fit[y_fit == c].mean(0, dtype=float) for c in range(count)])
        clear = _is_clear(z_test, means) & _is_clear(z_test, z_fit)
        if not (clear.any() and _is_clear(z_fit, means).all()):
            return draw(rng, i)
        return z_fit, names[y_fit], z_test[clear], names[y_test[clear]]

    return draw


def _is_clear(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether one of the others is nearest to a point by more than rounding could change."""
    first, second = np.sort(_distances(points, others), 1).T[:2]
    return second - first > 1e-4


nearest_mean_accuracy = Exercise(
    "nearest_mean_accuracy",
    _accuracy,
    tests=(
        Test("a few samples on a line", _halves(1, 2, lambda rng, count: np.arange(count))),
        Test("many samples in several dimensions", _halves(3, 4, lambda rng, count: np.arange(count))),
        Test(
            "classes named by any numbers, of which the test half may lack some",
            _halves(2, 3, lambda rng, count: rng.permutation(50)[:count] + 3, missing=True),
        ),
    ),
    mistakes=(
        Mistake(
            "You judge on the samples that made the means, which flatters: use z_test and y_test. Open hint 3.",
            lambda z_fit, y_fit, *_: _accuracy(z_fit, y_fit, z_fit, y_fit),
        ),
        Mistake(
            "Your means come from z_test: they have seen the answers. Take them from z_fit. Open hint 3.",
            lambda _, __, z_test, y_test: _accuracy(z_test, y_test, z_test, y_test),
        ),
        Mistake("You look for the nearest sample; compare with the mean of each class. Open hint 1.", _neighbour),
        Mistake(
            "This is the farthest mean: you take the largest distance. Open hint 2.",
            lambda *halves: _judged(*halves, distances=lambda z, means: -_distances(z, means)).mean(),
        ),
        Mistake(
            "This is the share of wrong answers; we want the right ones. Open hint 3.",
            lambda *halves: 1 - _accuracy(*halves),
        ),
        Mistake(
            "You compare inner products z·m only, which favours long means: ‖m‖² is missing. Open hint 2.",
            lambda *halves: _judged(*halves, distances=lambda z, means: -(z @ means.T)).mean(),
        ),
        Mistake(
            "You count right answers; divide by their number. Open hint 3.",
            lambda *halves: _judged(*halves).sum(),
        ),
        Mistake("You return right or wrong for every sample: take the mean of that. Open hint 3.", _judged),
        Mistake(
            "argmin gives the position of a mean, not the name of its class: look the name up. Open hint 2.",
            lambda *halves: _judged(*halves, named=False).mean(),
        ),
        Mistake(
            "You take the classes from y_test, where some may be missing: take them from y_fit. Open hint 1.",
            lambda *halves: _judged(*halves, classes=halves[3]).mean(),
        ),
    ),
)

# --- constant_chance(width, layers) -> float ---------------------------------------------------------------

_CHANCES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.8)


def chance_to_be_dead() -> float:
    """This student's chance that a unit is dead at a point."""
    return variants.drawn("constant_chance", _CHANCES)


def _chance(width: int, layers: int, dead: float | None = None) -> float:
    return 1 - (1 - (chance_to_be_dead() if dead is None else dead) ** width) ** layers


def _of_another_chance(dead: float) -> Callable[[int, int], float]:
    return lambda width, layers: _chance(width, layers, dead)


constant_chance = Exercise(
    "constant_chance",
    lambda width, layers: _chance(width, layers),
    tests=(
        Test("one layer", lambda rng, i: (1 + i, 1), times=8),
        Test("one unit in each layer", lambda rng, i: (1, 1 + i), times=8),
        Test("two layers", lambda rng, i: (2 + i, 2), times=8),
        Test("three layers and more", lambda rng, i: tuple(int(n) for n in rng.integers((2, 3), (9, 8)))),
    ),
    mistakes=(
        Mistake(
            "This is the chance for one layer; every further layer can be dead, too. Open hint 2.",
            lambda width, layers: _chance(width, 1),
        ),
        Mistake(
            "This is the chance that no layer is dead: you want the opposite. Open hint 3.",
            lambda width, layers: 1 - _chance(width, layers),
        ),
        Mistake(
            "This is the chance that all layers are dead at once; a single dead layer is enough. Open hint 2.",
            lambda width, layers: _chance(width * layers, 1),
        ),
        Mistake(
            "You add the chances of the layers, which counts points where two layers are dead twice. Open hint 3.",
            lambda width, layers: layers * _chance(width, 1),
        ),
        Mistake(
            "This is right for two layers only: the exponent must be their number. Open hint 3.",
            lambda width, layers: _chance(width, 2),
        ),
        Mistake(
            "This is the chance that some unit is dead; a point is lost only if all units of a layer are. Open hint 1.",
            lambda width, layers: 1 - _chance(width * layers, 1),
        ),
        Mistake(
            "You swapped width and layers: units of one layer must all be dead, of layers one is enough. Open hint 2.",
            lambda width, layers: _chance(layers, width),
        ),
        Mistake(
            "This is right for units that are dead with another chance: yours is printed above. Open hint 1.",
            *map(_of_another_chance, _CHANCES),
        ),
    ),
)

# --- merge_width: read off the stored sweep ----------------------------------------------------------------

# Far from every tie, and no two with one answer.
_CASES = (
    ("relu", 16, "ring", 0.95),
    ("leaky relu", 16, "ring", 0.95),
    ("tanh", 8, "ring", 0.75),
    ("relu", 32, "grid", 0.75),
    ("tanh", 4, "ring", 0.75),
    ("relu", 16, "grid", 0.99),
)


def classes_and_share() -> tuple[str, int, str, float]:
    """This student's activation, number of classes and layout, and the share of the classes that is asked about."""
    return variants.drawn("merge_width", _CASES)


def measured_merge_width() -> int:
    """The stored width from which on this student's share of the classes stays apart, on average over seeds."""
    activation, classes, layout, share = classes_and_share()
    sweep = sweeps.load("embeddings_activation")
    regions = sweep.at(activation=activation, classes=classes, layout=layout)["regions"]  # (W, seeds, frames)
    return measures.boundary(sweep.axes["width"].values, regions[..., -1].mean(1) / classes, share)


merge_width = Exercise(
    "merge_width",
    measured_merge_width,
    tests=(Test("the smallest width from which on your share of your classes stays apart (mean over seeds)"),),
    tolerance=1e-9,
    mistakes=too_far(
        measured_merge_width,
        "There the mean over the seeds is still below your share: look further right. (A lucky seed is no boundary.)",
        "Already at a smaller width the mean has reached your share for good: look further left.",
    ),
)

# What differs from student to student: what is asked, and its answer; None for code, which reads what is asked.
VARIANTS = {
    "constant_chance": (chance_to_be_dead, None),
    "merge_width": (classes_and_share, measured_merge_width),
}

# Functions that answer such a question in one call: whoever is graded does without.
ANSWER_IN_ONE_CALL = (
    "labs.lab02.readings.merge_width",
    "labs.lab02.readings.redrawn_merge_width",
    "labs.lab02.dead_units.rank_chances",
)
