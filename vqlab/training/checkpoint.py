"""Checkpoint files: written whole or not at all, and read only if nothing in them is damaged or another training's."""

import zipfile
from pathlib import Path

import torch

from vqlab import LabError
from vqlab.files import write_atomically
from vqlab.inputs import as_path


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


def read(path: str | Path, like: dict) -> dict:
    """The state that `write` wrote, of a training with the settings, seeds, data and shapes of weights that `like` has.

    Raises: LabError if the file is missing, a folder, damaged, no checkpoint of ours, or from another training.
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
    if not isinstance(state, dict) or not state.keys() >= like.keys():
        raise LabError(f"the checkpoint {path} is damaged or not one of ours: delete it to start over")
    if _identity(state) != _identity(like):
        raise LabError(
            f"the checkpoint {path} is from other settings, other seeds, other data or another model: "
            "choose another file or delete it"
        )
    return state


def _identity(state: dict) -> tuple:
    shapes = {name: tensor.shape for name, tensor in state["model"].items()}
    return state["settings"], tuple(state["seeds"]), state["data"], shapes
