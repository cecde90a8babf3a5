"""Where files are, and writing them whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO


def repository() -> Path | None:
    """The folder of the repository that this vqlab is part of, None if it was installed from it."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() and (root / "labs").is_dir() else None


def kept(name: str, module: str) -> Path:
    """Where stored files are: data/`name` of the repository, or `shipped` beside the module that reads them."""
    root = repository()
    return root / "data" / name if root else Path(module).with_name("shipped")


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
