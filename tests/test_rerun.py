"""After Run All of a solved notebook any cell can be run again, and every check still holds."""

import ast

import pytest

from vqlab import labs
from vqlab.notebooks import build

LABS = labs.every()
NAMES = [lab.source.stem for lab in LABS]
every_lab = pytest.mark.parametrize("lab", LABS, ids=NAMES)


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


def grade_id(cell) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def said(cell) -> str:
    """What a cell prints and shows in words."""
    return "".join(output.get("text") or output.get("data", {}).get("text/markdown", "") for output in cell.outputs)


@every_lab
def test_run_again_backwards_every_cell_works_and_every_check_passes(lab, run_solved):
    """Backwards each cell meets the names as the whole notebook left them, so a name bound twice shows."""
    run = run_solved(lab)
    first = [cell for cell in run.notebook.cells if cell.cell_type == "code"]
    checks = 0
    for cell, again in zip(first, reversed(run.again), strict=True):
        assert again.source == cell.source
        assert again.execution_count > len(first)
        assert not [output for output in again.outputs if output.output_type == "error"], again.outputs
        assert said(again) == said(cell), f"run again it says something else:\n{cell.source}"
        if grade_id(cell).startswith("check-"):
            checks += 1
            assert "passed" in again.outputs[-1]["data"]["text/markdown"]
    assert checks == len(lab.exercises())


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


@every_lab
def test_no_other_cell_needs_an_import_of_an_exercise_cell(lab):
    """Else a missing bracket in one exercise would cost the others, too."""
    cells = [cell for cell in build.build(lab.source, build.SOLVED).cells if cell.cell_type == "code"]
    solutions = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]
    assert solutions
    for own in solutions:
        imports = bound(own.source) - bound(own.source, imports=False)
        for other in cells:
            used = {node.id for node in ast.walk(ast.parse(other.source)) if isinstance(node, ast.Name)}
            before = {
                name for cell in cells[: cells.index(other) + 1] if cell is not own for name in bound(cell.source)
            }
            assert not (imports & used) - before or other is own, f"{grade_id(own)} imports for:\n{other.source}"


def test_bound_names_are_those_of_the_notebook():
    source = "import a.b as c, d\nx, *y = f(z := 1, [u for u in v])\ndef g(h): k = 1\nfor i in x: pass\n"
    assert bound(source) == {"c", "d", "x", "y", "z", "g", "i"}
