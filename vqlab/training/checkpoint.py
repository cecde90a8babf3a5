"""Checkpoint files: written whole or not at all, and read only if nothing in them is damaged."""

import zipfile
from pathlib import Path

import torch

from vqlab import LabError
from vqlab.files import write_atomically
from vqlab.inputs import as_path

_NEEDED = {"settings", "seeds", "data", "step", "quantizing", "losses", "model", "quantizer", "optimizer", "generators"}


def write(path: str | Path, state: dict) -> None:
    """Write a training's state. Atomic: an interrupted write leaves the old file.

    Raises: LabError if the disk is full, or the folder cannot be written, or `path` is a folder.
    """
    path = as_path(path, "a checkpoint")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: torch.save(state, file))
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split()).replace(". ", " ")
        raise LabError(
            f"could not write the checkpoint {path} ({reason[:150]}): make room or choose another file, and save again"
        ) from error


def read(path: str | Path) -> dict:
    """The state that `write` wrote.

    Raises: LabError if the file is missing, a folder, damaged, or no checkpoint of ours.
    """
    path = as_path(path, "a checkpoint")
    if path.is_dir():
        raise LabError(f"{path} is a folder, not a checkpoint: name a file in it")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch.load itself ignores the checksums
        state = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise LabError(f"there is no checkpoint at {path}: train first, or mend the path") from None
    except Exception as error:  # a damaged file can break its readers in any way
        raise LabError(f"the checkpoint {path} cannot be read: delete it to start over") from error
    if not isinstance(state, dict) or not state.keys() >= _NEEDED:
        raise LabError(f"the checkpoint {path} is damaged or not one of ours: delete it to start over")
    return state
