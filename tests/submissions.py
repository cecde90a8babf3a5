"""Made-up hand-ins: right, wrong, and whatever else a student may do.

python tests/submissions.py FOLDER [--lab 01] [--students 30]   fills FOLDER for a trial of `make grade`
"""

import argparse
import ast
import copy
import shutil
import symtable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vqlab import labs
from vqlab.classroom.repair import grade_id
from vqlab.labs import Lab
from vqlab.notebooks.build import SOLVED, build

# What a cell of the student's own does, and what the teacher must be told of it.
HOSTILE = {
    "endless cell": ("while True: pass", "ran too long and was stopped"),
    "exit": ("import sys; sys.exit()", "SystemExit"),
    "memory": ("hoard = bytearray(10**10); hoard[::4096] = b'x' * len(hoard[::4096])", "MemoryError"),
    "kernel killer": ("import os; os._exit(1)", "ended the kernel"),
    "Zoë 李雷": ("", None),
}
_ENDLESS = """
class Endless(float):
    def __call__(self, *_):
        while True: pass
    __array__ = __sub__ = __rsub__ = __call__
{name} = Endless(1)
"""


def solved(lab: Lab) -> NotebookNode:
    """The notebook with every answer right."""
    return build(lab.source, SOLVED)


def bare(notebook: NotebookNode) -> NotebookNode:
    """Of the code cells only the graded ones, and those that bind what they use: without pictures it runs fast."""
    notebook = copy.deepcopy(notebook)
    kept, wanted = [], set()
    for cell in reversed(notebook.cells):
        if cell.cell_type == "code":
            if not grade_id(cell) and not wanted & bound(cell.source, imports=False):
                imports = [
                    node for node in ast.parse(cell.source).body if isinstance(node, ast.Import | ast.ImportFrom)
                ]
                lines = [line for line in map(ast.unparse, imports) if wanted & bound(line)]
                if not lines:
                    continue
                cell.source = "\n".join(lines)
            binds = bound(cell.source)
            wanted = wanted - binds | used(symtable.symtable(cell.source, "cell", "exec")) - binds
        kept.append(cell)
    notebook.cells = kept[::-1]
    return notebook


def used(names: symtable.SymbolTable) -> set[str]:
    """The names of the notebook that a cell, its functions and its comprehensions use."""
    whole = names.get_type() == "module"
    found = {name.get_name() for name in names.get_symbols() if name.is_referenced() and (whole or name.is_global())}
    return found.union(*map(used, names.get_children()))


def bound(source: str, imports: bool = True) -> set[str]:
    """The names that a cell binds in the notebook, not those within its functions and comprehensions."""
    names, todo = set(), list(ast.parse(source).body)
    while todo:
        node = todo.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
                continue
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                continue
            case ast.alias(name=name, asname=asname) if imports:
                names.add(asname or name.split(".")[0])
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
        todo += ast.iter_child_nodes(node)
    return names


def exercises(notebook: NotebookNode) -> list[str]:
    """The names of the exercises that a machine grades, in order."""
    names = (grade_id(cell) or "" for cell in notebook.cells)
    return [name.removeprefix("check-") for name in names if name.startswith("check-")]


def with_wrong(right: NotebookNode, lab: Lab, wrong: list[str]) -> NotebookNode:
    """The solved notebook with a known wrong answer in each of the exercises `wrong`."""
    notebook = copy.deepcopy(right)
    answers = lab.source.parent / "answers.py"
    for cell in notebook.cells:
        if (name := grade_id(cell)) in wrong:
            # Read outside the student's folder: the answers are those to the lab without a variant.
            cell.source += f"\nimport contextlib, runpy\nwith contextlib.chdir({str(answers.parent)!r}):\n"
            cell.source += f"    wrong = runpy.run_path({str(answers)!r})['WRONG']['{name}']\n"
            # The last wrong value is wrong in every variant, the first wrong function is a named mistake.
            cell.source += f"{name} = wrong[0 if callable(wrong[0][0]) else -1][0]\n"
    return notebook


def hand_in(folder: Path, student: str, notebook: NotebookNode, name: str) -> None:
    """Write a notebook as a student's submission."""
    (folder / student).mkdir(parents=True)
    nbformat.write(notebook, folder / student / name)


def hand_in_hostile(folder: Path, right: NotebookNode, lab: Lab) -> None:
    """One submission for everything that may go wrong; the first exercise is the one that suffers."""
    name, first = f"{lab.notebook}.ipynb", exercises(right)[0]
    for student, (code, _) in HOSTILE.items():
        notebook = copy.deepcopy(right)
        notebook.cells.insert(1, nbformat.v4.new_code_cell(code))
        hand_in(folder, student, notebook, name)
    endless = copy.deepcopy(right)
    next(cell for cell in endless.cells if grade_id(cell) == first).source += _ENDLESS.format(name=first)
    hand_in(folder, "endless answer", endless, name)
    cut = copy.deepcopy(right)
    cut.cells = [cell for cell in cut.cells if grade_id(cell) != f"check-{first}"]
    hand_in(folder, "deleted cell", cut, name)
    hand_in(folder, "renamed", right, "my lab (1).ipynb")
    hand_in(folder, "other notebook", nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")]), name)
    (folder / "empty").mkdir()
    shutil.copytree(folder / "renamed", folder / "broken")
    broken = next((folder / "broken").iterdir())
    broken.write_bytes(broken.read_bytes()[:900])
    (folder / "not utf-8.ipynb").write_bytes(b"\xff\xfe\x00{")


def main() -> None:
    """Twelve hostile submissions; of the other students every third has answers wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lab", default="01")
    parser.add_argument("--students", type=int, default=30)
    options = parser.parse_args()
    lab = labs.find(options.lab)
    right = solved(lab)
    hand_in_hostile(options.folder, right, lab)
    names = exercises(right)
    for i in range(options.students - len(list(options.folder.iterdir()))):
        wrong = names[: 1 + i // 3 % len(names)] if i % 3 == 2 else []
        hand_in(options.folder, f"student {i + 1:02d}", with_wrong(right, lab, wrong), f"{lab.notebook}.ipynb")


if __name__ == "__main__":
    main()
