"""Experiments on a grid: what is swept, at which settings."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vqlab import LabError
from vqlab.inputs import seeds as checked_seeds
from vqlab.inputs import shown

FORMAT = 2
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Axis:
    """One slider: the stored positions of a setting. values: numbers or words; unit: may be empty.

    Raises: LabError for a name that is no identifier, or values that are none, repeated or not finite.
    """

    name: str
    label: str
    values: tuple
    unit: str = ""

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise LabError(f"the name of an axis must be an identifier, as in codebook_size, got {shown(self.name)}")
        if not (isinstance(self.label, str) and isinstance(self.unit, str)):
            raise LabError(f"label and unit of the axis {self.name} must be text, got {shown((self.label, self.unit))}")
        if not isinstance(self.values, tuple) or not self.values or not all(map(_storable, self.values)):
            raise LabError(f"the axis {self.name} needs a tuple of finite numbers or words, got {shown(self.values)}")
        if len(set(self.values)) < len(self.values):
            raise LabError(f"the axis {self.name} holds a position twice: {shown(self.values)}")

    @classmethod
    def warmup(cls, *steps: int) -> "Axis":
        """The axis of warm-up lengths, as every lab has it."""
        return cls("warmup", "warm-up length", steps, "steps")

    @classmethod
    def codebook_size(cls, *sizes: int) -> "Axis":
        """The axis of codebook sizes K, as every lab has it."""
        return cls("codebook_size", "codebook size K", sizes, "codes")


@dataclass(frozen=True)
class Experiment:
    """A grid of trainings.

    run(position, seeds, *callbacks) trains one cell, all seeds at once, and returns arrays with the seeds
    first; position maps axis names to values and callbacks go to `train.Trainer.run`. Arrays that differ
    in shape between cells (more codes, say) are padded with NaN or zeros when stored.
    settings: everything else that decides the result, for the record and for resuming.
    headline: arrays (seeds, …) whose last entry `check` and the live button compare.
    Raises: LabError for a part of the wrong kind.
    """

    name: str
    title: str
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    settings: Mapping[str, object]
    run: Callable[..., Arrays]
    headline: tuple[str, ...]
    cells: tuple[dict, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise LabError(f"the name of an experiment must be an identifier, got {shown(self.name)}")
        if not isinstance(self.title, str):
            raise LabError(f"the title of {self.name} must be text, got {shown(self.title)}")
        if not isinstance(self.axes, tuple) or not self.axes or not all(isinstance(axis, Axis) for axis in self.axes):
            raise LabError(f"the experiment {self.name} needs a tuple of at least one Axis, got {shown(self.axes)}")
        if not callable(self.run):
            raise LabError(f"the experiment {self.name} needs a function that trains a cell, got {shown(self.run)}")
        if not isinstance(self.headline, tuple) or not all(isinstance(key, str) for key in self.headline):
            raise LabError(f"headline must be a tuple of names of arrays, got {shown(self.headline)}")
        object.__setattr__(self, "seeds", checked_seeds(self.seeds))
        try:
            json.dumps(dict(self.settings), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise LabError(
                f"the settings of {self.name} must be a mapping of names to finite numbers, words and lists, got "
                f"{shown(self.settings)}"
            ) from error
        shape = tuple(len(axis.values) for axis in self.axes)
        cells = tuple(
            {axis.name: axis.values[i] for axis, i in zip(self.axes, index, strict=True)} for index in np.ndindex(shape)
        )
        object.__setattr__(self, "cells", cells)

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever stored results would no longer answer the same question."""
        return hashlib.sha256(json.dumps(describe(self), sort_keys=True).encode()).hexdigest()[:12]


def _storable(value: object) -> bool:
    """Whether a value comes back from a .json as it was."""
    if isinstance(value, str):
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def describe(experiment: Experiment) -> dict:
    """What an experiment is, as JSON-ready values: format, name, title, axes, seeds, settings."""
    axes = [{"name": a.name, "label": a.label, "values": list(a.values), "unit": a.unit} for a in experiment.axes]
    return {
        "format": FORMAT,
        "name": experiment.name,
        "title": experiment.title,
        "axes": axes,
        "seeds": list(experiment.seeds),
        "settings": dict(experiment.settings),
    }
