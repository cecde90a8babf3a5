"""Files that are written whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from vqlab import LabError
from vqlab.inputs import shown


def as_path(value: object, what: str) -> Path:
    """A path given as text or as a Path.   Raises: LabError for anything else, or an empty one."""
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise LabError(f"{what} must be a path, got {shown(value)}")
    return Path(value).expanduser()


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Make `path` what write(file) writes, in one step: until it has finished the old file stays.

    Whoever is killed half-way leaves the old file, and a NAME.partial that the next write replaces.
    Raises: what `write` raises, and OSError if the folder cannot be written.
    """
    unfinished = path.with_name(path.name + ".partial")
    try:
        with open(unfinished, "wb") as file:
            write(file)
        os.replace(unfinished, path)
    finally:
        if unfinished.is_file():
            unfinished.unlink()
