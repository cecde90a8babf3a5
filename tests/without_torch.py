"""Run labs' sources where PyTorch cannot be imported, and move each slider of their explorers to an end.

    python tests/without_torch.py vqlab/labs/lab01/01_tokens_collapse.py ...

A cell about PyTorch fails there, and so does a cell that uses what one of those defines: both are skipped, any other
error ends the run. Prints as JSON, for every lab by its name, how many explorers were made, their moves, and the first
lines of what was skipped.
"""

import ast
import io
import json
import sys
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import explorers
import jupytext

from vqlab.widgets import Explorer

if "torch" in sys.modules:
    raise SystemExit("PyTorch is imported as soon as vqlab.controls is")


class _NotInstalled:
    """A finder that knows no PyTorch. (None in sys.modules would do for us, but SciPy looks what lies there.)"""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name="torch")


sys.meta_path.insert(0, _NotInstalled)


class Remembered(Explorer):
    """An explorer that is found again: cells show theirs without a name."""

    made: ClassVar[list[Explorer]] = []

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.made.append(self)


def run(source: str) -> dict[str, int | list[str]]:
    cells = [cell.source for cell in jupytext.read(source).cells if cell.cell_type == "code"]
    names: dict[str, object] = {"__name__": "__main__"}
    missing: set[str] = set()
    skipped: list[str] = []
    Remembered.made.clear()
    with chdir(explorers.LABS), redirect_stdout(io.StringIO()), patch("vqlab.widgets.Explorer", Remembered):
        for cell in cells:
            try:
                exec(compile(cell, source, "exec"), names)
            except (ModuleNotFoundError, NameError) as error:
                if error.name != "torch" and error.name not in missing:
                    raise
                missing |= _defined(cell)
                for name in _defined(cell):
                    names.pop(name, None)  # what an earlier cell has called so is not what is meant from here on
                skipped.append(cell.splitlines()[0])
    moves = 0
    for explorer in Remembered.made:
        for name, slider in explorer.sliders.items():
            at_last = slider.start == slider.values[-1]
            explorer.set(**{name: slider.values[0 if at_last else -1]})
            moves += 1
    return {"explorers": len(Remembered.made), "moves": moves, "skipped": skipped}


def _defined(cell: str) -> set[str]:
    """The names that a cell would have bound."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(cell)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names.update(alias.asname or alias.name for alias in aliases)
    return names


if __name__ == "__main__":
    print(json.dumps({Path(source).stem: run(source) for source in sys.argv[1:]}))
