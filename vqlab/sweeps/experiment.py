"""Experiments on a grid: what is swept, at which settings."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

FORMAT = 1
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Axis:
    """One slider: the stored positions of a setting. values: numbers or words; unit: may be empty."""

    name: str
    label: str
    values: tuple
    unit: str = ""


@dataclass(frozen=True)
class Experiment:
    """A grid of trainings.

    run(position, seeds, *callbacks) trains one cell, all seeds at once, and returns arrays with the seeds
    first; position maps axis names to values and callbacks go to `train.Trainer.run`. Arrays that differ
    in shape between cells (more codes, say) are padded with NaN or zeros when stored.
    settings: everything else that decides the result, for the record and for resuming.
    headline: arrays (seeds, …) whose last entry `check` and the live button compare.
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
        shape = tuple(len(axis.values) for axis in self.axes)
        cells = tuple(
            {axis.name: axis.values[i] for axis, i in zip(self.axes, index, strict=True)} for index in np.ndindex(shape)
        )
        object.__setattr__(self, "cells", cells)

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever stored results would no longer answer the same question."""
        return hashlib.sha256(json.dumps(describe(self), sort_keys=True).encode()).hexdigest()[:12]


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
