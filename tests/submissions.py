"""Made-up hand-ins: right, wrong, odd, and whatever else a student may do.

python tests/submissions.py FOLDER [--lab 01] [--students 30]   fills FOLDER for a trial of `make grade`
"""

import argparse
import ast
import copy
import inspect
import json
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vqlab import labs
from vqlab.classroom.reading import grade_id
from vqlab.classroom.slicing import Cell, needed
from vqlab.labs import Lab
from vqlab.notebooks.build import SOLVED, build

WRONG_VALUE = -12345.0


def solved(lab: Lab) -> NotebookNode:
    """The notebook with every answer right."""
    return build(lab.source, SOLVED)


def exercises(notebook: NotebookNode) -> list[str]:
    """The names of the exercises that a machine grades, in order."""
    names = (grade_id(cell) or "" for cell in notebook.cells)
    return [name.removeprefix("check-") for name in names if name.startswith("check-")]


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    """The cell with this name."""
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def wrong_answer(lab: Lab, name: str) -> object:
    """A known wrong answer: the first function of the table, or a value that is far off."""
    return WRONG_VALUE if lab.exercises()[name].is_value else lab.module("answers").WRONG[name][0][0]


def with_wrong(right: NotebookNode, lab: Lab, wrong: list[str]) -> NotebookNode:
    """The solved notebook with `wrong_answer` in each of the exercises `wrong`, and what it is made of."""
    source = inspect.getsource(lab.module("answers"))
    notebook, tree = copy.deepcopy(right), ast.parse(source)
    (table,) = (n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "WRONG")
    known = {
        key.value: ast.unparse(entries.elts[0].elts[0]) for key, entries in zip(table.keys, table.values, strict=True)
    }
    for name in wrong:
        answer = WRONG_VALUE if lab.exercises()[name].is_value else known[name]
        cells = needed(name, [Cell("", source), Cell("", f"{name} = {answer}", solves=name)])
        cell_of(notebook, name).source = "\n".join(cell.source for cell in cells)
    return notebook


def hand_in(folder: Path, student: str, notebook: NotebookNode, name: str) -> None:
    """Write a notebook as a student's submission."""
    (folder / student).mkdir(parents=True)
    nbformat.write(notebook, folder / student / name)


def before(code: str) -> Callable[[NotebookNode, str], None]:
    """A cell of the student's own at the top."""
    return lambda notebook, name: notebook.cells.insert(1, nbformat.v4.new_code_cell(code))


def _added(code: str) -> Callable[[NotebookNode, str], None]:
    def change(notebook: NotebookNode, name: str) -> None:
        cell_of(notebook, name).source += "\n" + code

    return change


def _without(wanted: Callable[[str, str], bool]) -> Callable[[NotebookNode, str], None]:
    def change(notebook: NotebookNode, name: str) -> None:
        notebook.cells = [cell for cell in notebook.cells if not wanted(grade_id(cell) or "", name)]

    return change


def _in_every_cell(change: Callable[[NotebookNode], object]) -> Callable[[NotebookNode, str], None]:
    def changed(notebook: NotebookNode, name: str) -> None:
        for cell in notebook.cells:
            change(cell)

    return changed


def _copied(below: bool, blank: bool) -> Callable[[NotebookNode, str], None]:
    """The solution cell twice; one of the two is blank if asked for."""

    def change(notebook: NotebookNode, name: str) -> None:
        cell = cell_of(notebook, name)
        other = copy.deepcopy(cell)
        if blank:
            other.source = "def token_purity(tokens, y):\n    raise NotImplementedError"
        notebook.cells.insert(notebook.cells.index(cell) + below, other)

    return change


def _moved(to: int) -> Callable[[NotebookNode, str], None]:
    def change(notebook: NotebookNode, name: str) -> None:
        cell = cell_of(notebook, name)
        notebook.cells.remove(cell)
        notebook.cells.insert(to % (len(notebook.cells) + 1), cell)

    return change


def _helper_elsewhere(to: int) -> Callable[[NotebookNode, str], None]:
    """What the answer is made of stands in a cell of the student's own."""

    def change(notebook: NotebookNode, name: str) -> None:
        cell = cell_of(notebook, name)
        notebook.cells.insert(
            to % (len(notebook.cells) + 1), nbformat.v4.new_code_cell(cell.source.replace(name, "mine"))
        )
        cell.source = f"{name} = mine"

    return change


def _imported(notebook: NotebookNode, name: str) -> None:
    cell = cell_of(notebook, name)
    source = "import numpy as np\n" + cell.source
    cell.source = f"%%writefile own_helper.py\n{source}"
    del cell.metadata["nbgrader"]
    cell.id = "a-new-one"
    notebook.cells.insert(notebook.cells.index(cell) + 1, nbformat.v4.new_code_cell(f"from own_helper import {name}"))


def _colab(notebook: NotebookNode, name: str) -> None:
    notebook.metadata = {"colab": {"provenance": []}, "widgets": {"application/json": {"state": 7}}}
    for i, cell in enumerate(notebook.cells):
        cell.metadata["id"] = cell.metadata["outputId"] = f"x{i}"
        cell.pop("id")
    notebook.nbformat_minor = 0


def _vscode(notebook: NotebookNode, name: str) -> None:
    notebook.metadata = {"language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {"vscode": {"languageId": "python"}}
        cell.pop("id")
    notebook.nbformat_minor = 2


# What honest students do, in the exercise `token_purity` of Lab 02: all of it must get full marks.
ODD = {
    "nothing odd": lambda notebook, name: None,
    "logging": _added("import logging; logging.basicConfig(level=0); logging.error('here')"),
    "warnings as errors": _added("import warnings; warnings.simplefilter('error')"),
    "prints in the function": _added(
        "_right = token_purity\ndef token_purity(*a):\n    print('x' * 999)\n    return _right(*a)"
    ),
    "a failing line below": _added("assert False, 'later'"),
    "an endless loop below": _added("while True: pass"),
    "an exit below": _added("import sys; sys.exit()"),
    "magics": _added("%matplotlib inline\n!echo here\n%time token_purity(np.array([1]), np.array([2]))"),
    "a timed cell": lambda notebook, name: setattr(
        cell_of(notebook, name), "source", "%%time\n" + cell_of(notebook, name).source
    ),
    "await at the top": _added("import asyncio\nawait asyncio.sleep(0)"),
    "its own check called": _added("from vqlab.labs.lab02 import exercises as e\ne.token_purity(token_purity)"),
    "a type of its own": _added(
        "import decimal\n_f = token_purity\ntoken_purity = lambda *a: decimal.Decimal(str(_f(*a)))"
    ),
    "an object that is called": _added(
        "_g = token_purity\nclass Mine:\n    def __call__(self, tokens, y): return _g(tokens, y)\ntoken_purity = Mine()"
    ),
    "helper cell above": _helper_elsewhere(3),
    "helper cell at the end": _helper_elsewhere(-1),
    "the cell copied": _copied(True, False),
    "a blank copy below": _copied(True, True),
    "a blank copy above": _copied(False, True),
    "the cell at the top": _moved(0),
    "the cell at the end": _moved(-1),
    "no checks": _without(lambda cell, name: cell.startswith("check-")),
    "none of our cells": lambda notebook, name: setattr(notebook, "cells", [cell_of(notebook, name)]),
    "the cell turned into text": lambda notebook, name: cell_of(notebook, name).update(cell_type="raw"),
    "no names at all": _in_every_cell(lambda cell: cell.metadata.clear()),
    "line ends of Windows": _in_every_cell(lambda cell: cell.update(source=cell.source.replace("\n", "\r\n"))),
    "half of an emoji": _in_every_cell(lambda cell: cell.update(source=cell.source + "\n# \ud83d")),
    "a broken cell above": before("def ("),
    "a shell cell above": before("%%bash\nexit 1"),
    "an endless cell above": before("while True: pass"),
    "the end of the kernel above": before("import os; os._exit(1)"),
    "a name of ours used above": before("np = sweeps = 7"),
    "a seed of its own": before("import numpy as np; np.random.seed(3)"),
    "a file of its own": _imported,
    "Colab": _colab,
    "VS Code": _vscode,
}


def odd(lab: Lab, name: str) -> dict[str, str]:
    """Text of a notebook for every way of `ODD` to hand in a right answer to one exercise."""
    made = {}
    for student, change in ODD.items():
        notebook = solved(lab)
        change(notebook, name)
        made[student] = json.dumps(notebook)
    return made


def broken(folder: Path, lab: Lab) -> dict[str, str]:
    """Hand in what cannot be graded. Returns: what must be said of each."""
    name = f"{lab.notebook}.ipynb"
    hand_in(folder, "other notebook", nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")]), name)
    (folder / "empty").mkdir()
    hand_in(folder, "broken", solved(lab), name)
    path = folder / "broken" / name
    path.write_bytes(path.read_bytes()[:900])
    (folder / "not utf-8.ipynb").write_bytes(b"\xff\xfe\x00{")
    return {
        "other notebook": "another notebook",
        "empty": "none called",
        "broken": "valid notebook",
        "not utf-8": "valid notebook",
    }


def fill(folder: Path, lab: Lab, students: int) -> None:
    """Hand in for so many students: some cannot be graded, of the others every third has answers wrong."""
    broken(folder, lab)
    right = solved(lab)
    names = exercises(right)
    for i in range(students - len(list(folder.iterdir()))):
        wrong = names[: 1 + i // 3 % len(names)] if i % 3 == 2 else []
        hand_in(folder, f"student {i + 1:02d}", with_wrong(right, lab, wrong), f"{lab.notebook}.ipynb")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lab", default="01")
    parser.add_argument("--students", type=int, default=30)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    fill(options.folder, labs.find(options.lab), options.students)


if __name__ == "__main__":
    main()
