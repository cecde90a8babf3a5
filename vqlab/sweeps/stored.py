"""Stored results of an experiment: NAME.npz (arrays, no pickles) and NAME.json (axes, settings, provenance)."""

import hashlib
import json
import os
from importlib import import_module
from pathlib import Path

import numpy as np

from vqlab import LabError
from vqlab.files import kept
from vqlab.inputs import as_path, shown
from vqlab.sweeps.experiment import FORMAT, Arrays, Axis, Experiment
from vqlab.sweeps.packing import unpack

_KINDS = {
    "format": int,
    "name": str,
    "title": str,
    "axes": list,
    "seeds": list,
    "settings": dict,
    "defined_in": str,
    "sha256": str,
    "provenance": dict,
}


def home() -> Path:
    """Where sweeps are stored: the environment variable VQLAB_SWEEPS, data/sweeps of the repository, or the package."""
    if named := os.environ.get("VQLAB_SWEEPS"):
        return Path(named).expanduser()
    return kept("sweeps", __file__)


def digest(npz: bytes, description: dict) -> str:
    """What protects both halves of a stored sweep: a hash of the .npz and of all else that the .json says."""
    described = {key: value for key, value in description.items() if key != "sha256"}
    canonical = json.dumps(described, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(npz + canonical.encode()).hexdigest()


class StoredSweep:
    """A stored sweep. `axes`, `seeds`, `settings` and `provenance` say what it is; `at` reads a cell.

    finished (cells,): which cells are stored, in the order of `Experiment.cells`: all but of a sweep that is not done.
    """

    def __init__(self, name: str, description: dict, arrays: dict[str, np.ndarray]) -> None:
        self.name, self.arrays = name, arrays
        self.title, self.settings, self.provenance = (description[k] for k in ("title", "settings", "provenance"))
        self.seeds = tuple(description["seeds"])
        self._defined_in = description["defined_in"]
        self.axes = {a["name"]: Axis(a["name"], a["label"], tuple(a["values"]), a["unit"]) for a in description["axes"]}
        cells = int(np.prod([len(axis.values) for axis in self.axes.values()]))
        self.finished = np.array(description.get("finished", [True] * cells))

    def experiment(self) -> Experiment:
        """The experiment that these are the results of, from the module that defines it.

        Raises: LabError if that module, or the experiment in it, is no longer there.
        """
        try:
            experiments = import_module(self._defined_in).EXPERIMENTS
            return next(one for one in experiments if one.name == self.name)
        except (ImportError, AttributeError, StopIteration) as error:
            raise LabError(f"the experiment {self.name} is no longer defined in {self._defined_in}") from error

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
        """The number `key` at the end of training, for each seed: (axes left out…, seeds).

        Raises: LabError if no such number, axis or value is stored.
        """
        if not isinstance(key, str) or key not in self.arrays:
            raise LabError(f"{self.name} holds no {shown(key)}: choose from {', '.join(self._numbers())}")
        array = self.arrays[key]
        if array.ndim > len(self.axes) + 2:
            raise LabError(f"{key} of {self.name} is no number but a picture: read it with at(…)[{key!r}]")
        values = array[self._index(position)]
        return values if array.ndim == len(self.axes) + 1 else values[..., -1]  # (…, seeds) or (…, seeds, frames)

    def _numbers(self) -> list[str]:
        return [key for key, array in self.arrays.items() if array.ndim <= len(self.axes) + 2]

    def _index(self, position: dict[str, object]) -> tuple:
        if unknown := [name for name in position if name not in self.axes]:
            raise LabError(f"{self.name} has no axis {', '.join(unknown)}: it has {', '.join(self.axes)}")
        return tuple(
            self._place(axis, position[name]) if name in position else slice(None) for name, axis in self.axes.items()
        )

    def _place(self, axis: Axis, value: object) -> int:
        if getattr(value, "ndim", None) == 0:
            value = value.item()
        if isinstance(value, str | int | float) and value in axis.values:
            return axis.values.index(value)
        choices = shown(list(axis.values)) if len(axis.values) > 12 else list(axis.values)
        raise LabError(f"{axis.name} = {shown(value)} is not stored in {self.name}: choose from {choices}")


def load(name: str, folder: Path | None = None) -> StoredSweep:
    """Load the stored sweep `name` (default folder: `home()`). Needs numpy only.

    Raises: LabError if a file is missing, damaged, edited or from another version; the message says how to remake it.
    """
    if not (isinstance(name, str) and name.isidentifier()):
        raise LabError(f"a stored sweep has a name such as tokens_collapse, got {shown(name)}")
    folder = home() if folder is None else as_path(folder, "the folder of stored sweeps")
    npz, description_file = folder / f"{name}.npz", folder / f"{name}.json"
    remake = f"remake it with `python -m vqlab sweep {name}`, or restore it from the repository"
    try:
        description = json.loads(description_file.read_text("utf-8"))
        raw = npz.read_bytes()
    except FileNotFoundError as error:
        raise LabError(f"the stored sweep {name} is missing ({error.filename}): {remake}") from None
    except OSError as error:
        raise LabError(f"the stored sweep {name} cannot be read ({error.strerror}): {remake}") from None
    except ValueError:
        raise LabError(f"the stored sweep {name} is damaged ({description_file} is not JSON): {remake}") from None
    if wrong := _what_is_wrong(name, description, raw):
        raise LabError(f"the stored sweep {name} {wrong}: {remake}")
    with np.load(npz, allow_pickle=False) as arrays:
        return StoredSweep(name, description, dict(arrays))


def _what_is_wrong(name: str, description: object, npz: bytes) -> str | None:
    """Why a stored sweep cannot be used, None if it can."""
    if not isinstance(description, dict):
        return "is damaged (its .json does not describe a sweep)"
    if description.get("format") != FORMAT:
        return f"has format {shown(description.get('format'))}, this vqlab reads {FORMAT}"
    if missing := [key for key in _KINDS if key not in description]:
        return f"is damaged (its .json lacks {', '.join(missing)})"
    if wrong := [key for key, kind in _KINDS.items() if not isinstance(description[key], kind)]:
        return f"is damaged ({', '.join(wrong)} of its .json are of another kind)"
    if description["name"] != name:
        return f"is damaged (its .json is that of {shown(description['name'])})"
    if digest(npz, description) != description["sha256"]:
        return "is damaged (its .npz or .json is truncated or was edited)"
    return None
