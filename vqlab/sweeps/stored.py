"""Stored results of an experiment: NAME.npz (arrays, no pickles) and NAME.json (axes, settings, provenance)."""

import hashlib
import json
import os
from importlib import import_module
from pathlib import Path

import numpy as np

from vqlab import LabError
from vqlab.sweeps.experiment import FORMAT, Arrays, Axis, Experiment
from vqlab.sweeps.packing import unpack


def home() -> Path:
    """Where sweeps are stored: the environment variable VQLAB_SWEEPS, or data/sweeps of the repository."""
    return Path(os.environ.get("VQLAB_SWEEPS") or Path(__file__).resolve().parents[2] / "data" / "sweeps")


class StoredSweep:
    """A stored sweep. `axes`, `seeds`, `settings` and `provenance` say what it is; `at` reads a cell."""

    def __init__(self, name: str, description: dict, arrays: dict[str, np.ndarray]) -> None:
        self.name, self.arrays = name, arrays
        self.title, self.settings, self.provenance = (description[k] for k in ("title", "settings", "provenance"))
        self.seeds = tuple(description["seeds"])
        self._defined_in = description["defined_in"]
        self.axes = {a["name"]: Axis(a["name"], a["label"], tuple(a["values"]), a["unit"]) for a in description["axes"]}

    def experiment(self) -> Experiment:
        """The experiment that these are the results of, from the module that defines it."""
        return next(one for one in import_module(self._defined_in).EXPERIMENTS if one.name == self.name)

    def at(self, **position: object) -> Arrays:
        """Arrays at a stored position; an axis left out stays, in the order of `axes`.

        Packed pictures (`KEY` with `KEY_scale`) come back as positions.

        Raises: LabError if an axis or a value is not stored.
        """
        index = self._index(position)
        cell = {key: array[index] for key, array in self.arrays.items()}
        scaled = [key for key in cell if f"{key}_scale" in cell]
        return cell | {key: unpack(cell[key], cell[f"{key}_scale"]) for key in scaled}

    def final(self, key: str, **position: object) -> np.ndarray:
        """A number that is stored for every frame, at the last of them: (…, seeds), axes left out first.

        Raises: LabError if an axis or a value is not stored.
        """
        return self.arrays[key][self._index(position)][..., -1]

    def _index(self, position: dict[str, object]) -> tuple:
        if unknown := [name for name in position if name not in self.axes]:
            raise LabError(f"{self.name} has no axis {', '.join(unknown)}: it has {', '.join(self.axes)}")
        for name, value in position.items():
            if value not in self.axes[name].values:
                stored = list(self.axes[name].values)
                raise LabError(f"{name} = {value} is not stored in {self.name}: choose from {stored}")
        return tuple(
            axis.values.index(position[name]) if name in position else slice(None) for name, axis in self.axes.items()
        )


def load(name: str, folder: Path | None = None) -> StoredSweep:
    """Load the stored sweep `name` (default folder: `home()`). Needs numpy only.

    Raises: LabError if a file is missing, damaged or from another version; the message says how to remake it.
    """
    folder = folder or home()
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
        return StoredSweep(name, description, dict(arrays))
