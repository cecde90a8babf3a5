"""Exercises of Lab 02: two numbers that see merged classes, the chance of a dead point, and where classes merge."""

from collections.abc import Callable

import numpy as np

from vqlab import measures, sweeps
from vqlab.exercises import Exercise, Mistake, Test, fresh, near, too_far, variants
from vqlab.labs.lab02 import dead_units

# --- token_purity(tokens, y) -> float ----------------------------------------------------------------------

_RNG = np.random.default_rng(0)
_HAND = (np.array([0, 0, 0, 1, 1, 1, 3, 3]), np.array([0, 0, 1, 1, 1, 1, 0, 1]))
_Y = _RNG.choice(5, size=300, p=[0.4, 0.3, 0.1, 0.1, 0.1])
_TOKENS = np.where(_RNG.random(300) < 0.5, _Y, _RNG.integers(12, size=300) ** 2 % 17)
_TABLE = measures.token_table(_TOKENS, _Y, 17)[np.unique(_TOKENS)]  # (codes in use, 5)


def _purity(f: Callable) -> float:
    return fresh(f, _TOKENS, _Y)


token_purity = Exercise(
    "token_purity",
    tests=(
        Test(
            "tokens 0 0 0 1 1 1 3 3 of classes 0 0 1 1 1 1 0 1 have purity 6/8", lambda f: near(fresh(f, *_HAND), 6 / 8)
        ),
        Test("one token for each class has purity 1", lambda f: near(fresh(f, _Y + 3, _Y), 1.0)),
        Test("300 tokens of five unequal classes", lambda f: near(_purity(f), float(measures.token_purity(_TABLE)))),
    ),
    mistakes=(
        Mistake(
            "You return NaN: some token of 0…max is never used, so its mean is empty. Loop over np.unique(tokens). "
            "Open hint 2.",
            lambda f: bool(np.isnan(_purity(f))),
        ),
        Mistake(
            "You average over tokens, so a rare one counts as much as a frequent one: average over samples. "
            "Open hint 1.",
            lambda f: near(_purity(f), float((_TABLE.max(1) / _TABLE.sum(1)).mean())),
        ),
        Mistake(
            "You turned it round: the commonest token of each class. We need the commonest class of each token. "
            "Open hint 2.",
            lambda f: near(_purity(f), _TABLE.max(0).sum() / 300),
        ),
        Mistake(
            "This is a number of samples; purity is a share of them. Open hint 1.",
            lambda f: near(float(_purity(f)), float(_TABLE.max(1).sum())),
        ),
        Mistake(
            "This is a percentage; return a share between 0 and 1. Open hint 1.",
            lambda f: near(_purity(f), 100 * float(measures.token_purity(_TABLE))),
        ),
        Mistake(
            "You count the tokens that hold one class only; purity counts samples of the majority class. Open hint 1.",
            lambda f: near(_purity(f), float(((_TABLE > 0).sum(1) == 1).mean())),
        ),
        Mistake(
            "This is the share of the largest class, whatever the tokens: look at each token by itself. Open hint 2.",
            lambda f: near(_purity(f), float(_TABLE.sum(0).max() / 300)),
        ),
    ),
)

# --- nearest_mean_accuracy(z_fit, y_fit, z_test, y_test) -> float ------------------------------------------

_LINE = (
    np.array([[0.0], [2.0], [10.0], [14.0]]),
    np.array([0, 0, 1, 1]),
    np.array([[1.0], [5.0], [7.0], [20.0]]),
    np.array([0, 0, 0, 1]),
)
_CENTRES = _RNG.normal(size=(4, 3)) * 1.2 + 2
_LABELS = _RNG.integers(4, size=24), _RNG.integers(4, size=77)
_FIT, _TEST = (_CENTRES[labels] + 1.1 * _RNG.normal(size=(len(labels), 3)) for labels in _LABELS)
_NAMES = np.array([3, 7, 11, 40])
_BLOBS = (_FIT, _LABELS[0], _TEST, _LABELS[1])
_MEANS = measures.class_means(_FIT, _LABELS[0])  # (4, 3)
_TEST_MEANS = measures.class_means(_TEST, _LABELS[1])


def _blobs(f: Callable) -> float:
    return fresh(f, *_BLOBS)


def _share(points: np.ndarray, means: np.ndarray, labels: np.ndarray) -> float:
    return float((_distances(points, means).argmin(1) == labels).mean())


def _distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - others, axis=-1)


_RIGHT = _share(_TEST, _MEANS, _LABELS[1])

nearest_mean_accuracy = Exercise(
    "nearest_mean_accuracy",
    tests=(
        Test(
            "on a line: means 1 and 12, so 7 is taken for class 1, and 3 of 4 are right",
            lambda f: near(fresh(f, *_LINE), 0.75),
        ),
        Test("77 samples of four classes in 3-D", lambda f: near(_blobs(f), _RIGHT)),
        Test(
            "the same classes, named 3, 7, 11 and 40",
            lambda f: near(fresh(f, _FIT, _NAMES[_LABELS[0]], _TEST, _NAMES[_LABELS[1]]), _RIGHT),
        ),
    ),
    mistakes=(
        Mistake(
            "You judge on the samples that made the means, which flatters: use z_test and y_test. Open hint 3.",
            lambda f: near(_blobs(f), _share(_FIT, _MEANS, _LABELS[0])),
        ),
        Mistake(
            "Your means come from z_test: they have seen the answers. Take them from z_fit. Open hint 3.",
            lambda f: near(_blobs(f), _share(_TEST, _TEST_MEANS, _LABELS[1])),
        ),
        Mistake(
            "You look for the nearest sample; compare with the mean of each class. Open hint 1.",
            lambda f: near(_blobs(f), float((_LABELS[0][_distances(_TEST, _FIT).argmin(1)] == _LABELS[1]).mean())),
        ),
        Mistake(
            "This is the farthest mean: you take the largest distance. Open hint 2.",
            lambda f: near(_blobs(f), float((_distances(_TEST, _MEANS).argmax(1) == _LABELS[1]).mean())),
        ),
        Mistake(
            "This is the share of wrong answers; we want the right ones. Open hint 3.",
            lambda f: near(_blobs(f), 1 - _RIGHT),
        ),
        Mistake(
            "You compare inner products z·m only, which favours long means: ‖m‖² is missing. Open hint 2.",
            lambda f: near(_blobs(f), float(((_TEST @ _MEANS.T).argmax(1) == _LABELS[1]).mean())),
        ),
        Mistake(
            "You count right answers; divide by their number. Open hint 3.",
            lambda f: near(float(_blobs(f)), 77 * _RIGHT),
        ),
        Mistake(
            "You return right or wrong for every sample: take the mean of that. Open hint 3.",
            lambda f: np.array_equal(_blobs(f), _distances(_TEST, _MEANS).argmin(1) == _LABELS[1]),
        ),
        Mistake(
            "argmin gives the position of a mean, not the name of its class: look the name up. Open hint 2.",
            lambda f: near(_blobs(f), _RIGHT),
        ),
    ),
)

# --- constant_chance(width, layers) -> float ---------------------------------------------------------------


def _rank_zero(width: int, layers: int) -> float:
    return float(dead_units.rank_chances(width, layers)[0])


def _agrees(f: Callable, other: Callable[[int, int], float]) -> bool:
    return all(near(float(f(h, layers)), other(h, layers)) for h, layers in ((2, 2), (3, 2), (4, 3)))


constant_chance = Exercise(
    "constant_chance",
    tests=(
        Test("one unit in one layer is dead at half of all points", lambda f: near(float(f(1, 1)), 0.5)),
        Test("three units in one layer: 1/8", lambda f: near(float(f(3, 1)), 1 / 8)),
        Test("two layers of two units: 7/16", lambda f: near(float(f(2, 2)), 7 / 16)),
        Test("three layers of six units", lambda f: near(float(f(6, 3)), _rank_zero(6, 3))),
    ),
    mistakes=(
        Mistake(
            "This is the chance for one layer; every further layer can be dead, too. Open hint 2.",
            lambda f: _agrees(f, lambda h, layers: 2.0**-h),
        ),
        Mistake(
            "This is the chance that no layer is dead: you want the opposite. Open hint 3.",
            lambda f: _agrees(f, lambda h, layers: 1 - _rank_zero(h, layers)),
        ),
        Mistake(
            "This is the chance that all layers are dead at once; a single dead layer is enough. Open hint 2.",
            lambda f: _agrees(f, lambda h, layers: 2.0 ** (-h * layers)),
        ),
        Mistake(
            "You add the chances of the layers, which counts points where two layers are dead twice. Open hint 3.",
            lambda f: _agrees(f, lambda h, layers: layers * 2.0**-h),
        ),
        Mistake(
            "This is right for two layers only: the exponent must be their number. Open hint 3.",
            lambda f: _agrees(f, lambda h, layers: _rank_zero(h, 2)),
        ),
        Mistake(
            "This is the chance that some unit is dead; a point is lost only if all units of a layer are. Open hint 1.",
            lambda f: _agrees(f, lambda h, layers: 1 - 2.0 ** (-h * layers)),
        ),
    ),
)

# --- merge_width: read off the stored sweep ----------------------------------------------------------------

_CASES = tuple(
    (activation, classes, layout)
    for classes in (16, 8, 32)
    for layout in ("ring", "grid")
    for activation in ("relu", "leaky relu", "tanh")
)


def activation_and_classes() -> tuple[str, int, str]:
    """This student's activation, number of classes and layout."""
    return variants.drawn("merge_width", _CASES)


def measured_merge_width() -> int:
    """The stored width from which on 95 % of the classes of this student's case stay apart, on average over seeds."""
    activation, classes, layout = activation_and_classes()
    sweep = sweeps.load("embeddings_activation")
    regions = sweep.at(activation=activation, classes=classes, layout=layout)["regions"]  # (W, seeds, frames)
    return measures.boundary(sweep.axes["width"].values, regions[..., -1].mean(1) / classes)


merge_width = Exercise(
    "merge_width",
    tests=(
        Test(
            "the smallest width from which on 95 % of your classes stay apart (mean over seeds)",
            lambda width: int(width) == width == measured_merge_width(),
        ),
    ),
    mistakes=too_far(
        measured_merge_width,
        "There the mean over the seeds is still below 95 %: look further right. (A lucky seed is no boundary.)",
        "Already at a smaller width the mean has reached 95 % for good: look further left.",
    ),
)

# What differs from student to student: what is asked, and its answer.
VARIANTS = {"merge_width": (activation_and_classes, measured_merge_width)}
