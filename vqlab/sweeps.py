"""Experiments on a grid, and their stored results: NAME.npz (arrays, no pickles) and NAME.json (axes,
settings, provenance). Loading needs numpy only; `runner` computes what is stored here."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from vqlab import LabError

FOLDER = Path(__file__).resolve().parents[1] / "data" / "sweeps"
FORMAT = 1

Cell = dict[str, np.ndarray]


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
    run: Callable[..., Cell]
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


_NOTHING = -128


def pack(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (..., n, d) for a picture in a byte each, and their scale (..., 1, 1): about a pixel of error.

    NaN is kept. The scale is that of each picture, so that a small heap keeps its shape.
    """
    largest = np.nan_to_num(np.abs(points)).max((-2, -1), keepdims=True).astype(np.float32)
    scale = np.where(largest > 0, largest, 1) / 127
    return np.where(np.isnan(points), _NOTHING, np.round(np.nan_to_num(points) / scale)).astype(np.int8), scale


def unpack(bytes_: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The positions that `pack` was given, to the precision of a byte."""
    return np.where(bytes_ == _NOTHING, np.nan, bytes_ * scale)


class Stored:
    """A stored sweep. `axes`, `seeds`, `settings` and `provenance` say what it is; `at` reads a cell."""

    def __init__(self, name: str, description: dict, arrays: dict[str, np.ndarray]) -> None:
        self.name, self.arrays = name, arrays
        self.title, self.settings, self.provenance = (description[k] for k in ("title", "settings", "provenance"))
        self.seeds = tuple(description["seeds"])
        self.axes = {a["name"]: Axis(a["name"], a["label"], tuple(a["values"]), a["unit"]) for a in description["axes"]}

    def at(self, **position: object) -> Cell:
        """Arrays at a stored position; an axis left out stays, in the order of `axes`.

        Packed pictures (`KEY` with `KEY_scale`) come back as positions.

        Raises: LabError if an axis or a value is not stored.
        """
        index: list[object] = []
        for name, axis in self.axes.items():
            if name not in position:
                index.append(slice(None))
                continue
            value = position.pop(name)
            if value not in axis.values:
                raise LabError(f"{name} = {value} is not stored in {self.name}: choose from {list(axis.values)}")
            index.append(axis.values.index(value))
        if position:
            raise LabError(f"{self.name} has no axis {', '.join(position)}: it has {', '.join(self.axes)}")
        cell = {key: array[tuple(index)] for key, array in self.arrays.items()}
        scaled = [key for key in cell if f"{key}_scale" in cell]
        return cell | {key: unpack(cell[key], cell[f"{key}_scale"]) for key in scaled}


def load(name: str, folder: Path | None = None) -> Stored:
    """Load the stored sweep `name` (default folder: data/sweeps). Needs numpy only.

    Raises: LabError if a file is missing, damaged or from another version; the message says how to remake it.
    """
    folder = folder or FOLDER
    npz, description_file = folder / f"{name}.npz", folder / f"{name}.json"
    remake = f"remake it with `python -m vqlab sweep {name}`, or restore it from the repository"
    try:
        description = json.loads(description_file.read_text())
        raw = npz.read_bytes()
    except FileNotFoundError as error:
        raise LabError(f"the stored sweep {name} is missing ({error.filename}): {remake}") from None
    except ValueError:
        raise LabError(f"the stored sweep {name} is damaged ({description_file} is not JSON): {remake}") from None
    if description.get("format") != FORMAT:
        raise LabError(
            f"the stored sweep {name} has format {description.get('format')}, this vqlab reads {FORMAT}: {remake}"
        )
    if hashlib.sha256(raw).hexdigest() != description["sha256"]:
        raise LabError(f"the stored sweep {name} is damaged ({npz.name} is truncated or was edited): {remake}")
    with np.load(npz, allow_pickle=False) as arrays:
        return Stored(name, description, dict(arrays))


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
