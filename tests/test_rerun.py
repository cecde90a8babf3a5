"""After Run All of a solved notebook any cell can be run again, and every check still holds."""

import ast
import copy

import nbformat
import pytest
from nbclient import NotebookClient

from vqlab import labs
from vqlab.notebooks import build

LABS = labs.every()
NAMES = [lab.source.stem for lab in LABS]
every_lab = pytest.mark.parametrize("lab", LABS, ids=NAMES)


def grade_id(cell) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def said(cell) -> str:
    """What a cell prints and shows in words."""
    return "".join(output.get("text") or output.get("data", {}).get("text/markdown", "") for output in cell.outputs)


@every_lab
def test_run_again_backwards_every_cell_works_and_every_check_passes(lab):
    """Backwards each cell meets the names as the whole notebook left them, so a name bound twice shows."""
    notebook = build.build(lab.source, build.SOLVED)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    once = len(code)
    notebook.cells = [copy.deepcopy(cell) for cell in [*code, *reversed(code)]]
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i}"
    nbformat.validate(notebook)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(build.LABS)}}).execute()
    for i, cell in enumerate(notebook.cells[:once]):
        assert said(notebook.cells[-1 - i]) == said(cell), f"run again it says something else:\n{cell.source}"
    checks = [i for i, cell in enumerate(notebook.cells) if grade_id(cell).startswith("check-")]
    assert len(checks) == 2 * sum(grade_id(cell).startswith("check-") for cell in code)
    for i in checks:
        says = notebook.cells[i].outputs[-1]["data"]["text/markdown"]
        assert "passed" in says, f"run {1 + i // once} of {grade_id(notebook.cells[i])}: {says}"


@every_lab
def test_nobody_else_binds_a_name_that_an_exercise_owns(lab):
    cells = [cell for cell in build.build(lab.source, build.SOLVED).cells if cell.cell_type == "code"]
    found = set()
    for own in cells:
        if own.metadata.get("nbgrader", {}).get("solution"):
            found.add(grade_id(own))
            for other in cells:
                shared = bound(own.source, imports=False) & bound(other.source) if other is not own else set()
                assert not shared, f"{', '.join(shared)} of {grade_id(own)} is bound again:\n{other.source}"
    assert found == set(lab.exercises())


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


def test_bound_names_are_those_of_the_notebook():
    source = "import a.b as c, d\nx, *y = f(z := 1, [u for u in v])\ndef g(h): k = 1\nfor i in x: pass\n"
    assert bound(source) == {"c", "d", "x", "y", "z", "g", "i"}
