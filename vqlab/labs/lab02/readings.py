"""What Lab 02 reads off its stored sweeps, and lays beside it: predicted widths, what each number sees of merging."""

from functools import cache

import numpy as np

from vqlab import LabError, measures
from vqlab.data import class_centres, separate_classes
from vqlab.labs.lab02 import dead_units
from vqlab.sweeps import StoredSweep

_DRAWS, _REDRAWN, _POINTS = 2000, 1000, 100
_APART = 0.95  # the share of classes that a boundary asks for


def shares_apart(sweep: StoredSweep, activation: str, classes: int, layout: str) -> np.ndarray:
    """Distinct regions over classes at the end of training, of the stored `embeddings_activation`: (widths, seeds)."""
    return sweep.final("regions", activation=activation, classes=classes, layout=layout) / classes


def merge_width(sweep: StoredSweep, activation: str, classes: int, layout: str) -> int | None:
    """The stored width from which on 95 % of the classes stay apart, on average over seeds; None if there is none."""
    shares = shares_apart(sweep, activation, classes, layout).mean(axis=1)
    return measures.boundary(sweep.axes["width"].values, shares, _APART)


def redrawn_merge_width(
    sweep: StoredSweep, activation: str, classes: int, layout: str
) -> tuple[int | None, int | None]:
    """Where `merge_width` lies when the seeds are drawn again with replacement: the ends of its central 90 %."""
    widths, shares = sweep.axes["width"].values, shares_apart(sweep, activation, classes, layout)  # (W,), (W, seeds)
    seeds = np.random.default_rng(0).integers(shares.shape[1], size=(_REDRAWN, shares.shape[1]))
    kept = shares[:, seeds].mean(axis=-1).T >= _APART  # (W, seeds) -> (W, draws, seeds) -> (draws, W)
    outcomes, times = np.unique(kept, axis=0, return_counts=True)  # a few, each of them many times
    ends = [measures.boundary(widths, outcome, _APART) or np.inf for outcome in outcomes]  # none: beyond the last
    ordered = np.sort(np.repeat(ends, times))
    low, high = (ordered[round(share * (_REDRAWN - 1))] for share in (0.05, 0.95))
    return tuple(None if width == np.inf else int(width) for width in (low, high))


@cache
def predicted_share(widths: tuple[int, ...], classes: int, layout: str) -> np.ndarray:
    """Share of the class centres that untrained ReLU encoders keep apart, at each width: (W,)."""
    centres = class_centres(layout, classes)
    return np.array([dead_units.classes_kept_apart(centres, int(h), draws=_DRAWS).mean() for h in widths]) / classes


@cache
def share_with_two_living(widths: tuple[int, ...], classes: int, layout: str) -> np.ndarray:
    """Share of untrained ReLU encoders with at least two living units in every layer, at each width: (W,)."""
    points = separate_classes(layout, classes, n=_POINTS).x
    return np.array([(dead_units.living_units(points, int(h)) >= 2).mean() for h in widths])


def predictions(widths: tuple[int, ...], classes: int, layout: str) -> dict[str, int | None]:
    """The width that ReLU needs for so many classes, by what one counts before training: see `dead_units`."""
    return {
        "linear regions": next(h for h in range(1, classes + 1) if dead_units.max_linear_regions(h) >= classes),
        "dead points": measures.boundary(widths, predicted_share(widths, classes, layout)),
        "living units": measures.boundary(widths, share_with_two_living(widths, classes, layout)),
    }


def seen_by(number: np.ndarray, merged: np.ndarray) -> tuple[float, int]:
    """What a number that falls when classes merge tells of runs of which we know it: number and merged of one shape.

    Returns: the lowest number among the runs that kept all classes apart, and how many merged runs read lower than
    that, so that the number alone gives them away.
    Raises: LabError if all runs have merged: then nothing is healthy to compare with.
    """
    number, merged = np.asarray(number, float), np.asarray(merged, bool)
    if merged.all():
        raise LabError("every run has merged classes, so no healthy one is left to compare with: add wider encoders")
    lowest = float(number[~merged].min())
    return lowest, int((number[merged] < lowest).sum())


def fates(before: np.ndarray, regions: np.ndarray, classes: int) -> dict[str, tuple[int, ...]]:
    """What became of runs by their living units before training: before and regions, at the end, of one shape.

    Returns: for "0", "1" and "2 or more" living units: runs, of these all classes merged, some merged, all apart.
    """
    groups = {"0": before == 0, "1": before == 1, "2 or more": before >= 2}
    ends = (regions == 1, (regions > 1) & (regions < classes), regions == classes)
    return {name: (int(here.sum()), *(int((end & here).sum()) for end in ends)) for name, here in groups.items()}


def shared_loss(mortal: np.ndarray, immortal: np.ndarray) -> float:
    """Of what units that can die lose of the classes, the share that units which cannot die lose as well.

    mortal, immortal: shares kept at the same positions and seeds, of one shape. Near 0 the loss is for dead units;
    near 1 it is there without them, so that capacity is what lacks; 0 where nothing is lost.
    """
    lost = float((1 - mortal).sum())
    return float((1 - immortal).sum()) / lost if lost else 0.0
