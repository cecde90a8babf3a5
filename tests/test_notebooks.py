"""The notebooks people open: fresh, clean, free of solutions, and working both blank and solved."""

import json
import re

import jupytext
import nbformat
import pytest
from nbgrader.utils import determine_grade

from vqlab import LabError, labs
from vqlab.labs import Lab
from vqlab.notebooks import build

EVERY = labs.every()
every_lab = pytest.mark.parametrize("lab", EVERY, ids=[lab.name for lab in EVERY])


def student_notebook(lab: Lab) -> nbformat.NotebookNode:
    """The committed notebook, with its outputs."""
    return nbformat.read(build.LABS / f"{lab.notebook}.ipynb", 4)


@every_lab
def test_the_committed_notebook_is_what_its_source_gives(lab):
    assert not build.is_stale(lab.source), "run `make labs` and commit the result"


@every_lab
def test_no_widget_state_and_every_output_counted(lab):
    notebook = json.loads((build.LABS / f"{lab.notebook}.ipynb").read_text())
    assert "widgets" not in notebook["metadata"]
    assert "widget-view" not in json.dumps(notebook)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))
    for cell in notebook["cells"]:
        if cell.get("outputs"):
            assert cell["execution_count"] is not None
        for output in cell.get("outputs", []):
            assert output["output_type"] != "error"


@every_lab
def test_no_solution_is_left_in_the_student_notebook(lab):
    student = student_notebook(lab)
    cells = [cell.source for cell in student.cells]
    for cell in jupytext.read(lab.source).cells:
        name = cell.metadata.get("exercise") or cell.metadata.get("open")
        if name:
            lines = cell.source.splitlines()
            first, last = (next(i for i, line in enumerate(lines) if mark in line) for mark in (build.BEGIN, build.END))
            assert last > first + 1
            exercise = next(c for c in student.cells if _grade_id(c) == name)
            for line in lines[first + 1 : last]:
                assert line.strip() not in exercise.source
    assert not any(mark in cell for cell in cells for mark in (build.BEGIN, build.END, "| points | for |"))


@every_lab
def test_the_model_answer_is_folded_into_the_open_lab_and_left_out_of_an_assignment(lab):
    source = lab.source
    (question,) = (cell for cell in jupytext.read(source).cells if "open" in cell.metadata)
    answer = question.source.partition(build.BEGIN)[2].partition(build.END)[0].strip()
    folded = [cell for cell in build.build(source).cells if answer in cell.source]
    assert len(folded) == 1
    assert "Write yours first" in folded[0].source.partition("<details>")[0]
    assert answer in folded[0].source.partition("<details>")[2]
    assert _grade_id(folded[0]) is None
    assert not [cell for cell in build.build(source, assignment=True).cells if answer in cell.source]


def _grade_id(cell) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


@every_lab
def test_every_exercise_has_a_check_right_under_it_and_hints_above(lab):
    cells = build.build(lab.source).cells
    for i, cell in enumerate(cells):
        name = _grade_id(cell)
        if not name or not cell.metadata.nbgrader.solution:
            continue
        assert re.search(r"minutes?, \d+ points?\)", cells[i - 1].source)
        if cell.cell_type == "code":
            assert _grade_id(cells[i + 1]) == f"check-{name}"
            assert cells[i + 1].metadata.nbgrader.points >= 1
            assert "<details>" in cells[i - 1].source
            assert "★" in cells[i - 1].source
        else:
            assert cell.source == build.OPEN_STUB


@every_lab
def test_small_models_are_trained_on_one_thread(lab):
    """Two threads wait for each other, busily: beside other programs Lab 01 took four minutes instead of a quarter."""
    told = False
    for cell in (cell.source for cell in build.build(lab.source).cells if cell.cell_type == "code"):
        told |= "torch.set_num_threads(1)" in cell
        assert told or not re.search(r"\bTrainer\(|\blloyd\(", cell), cell


@every_lab
def test_pictures_have_alt_text_and_explorers_a_static_picture(lab):
    for cell in student_notebook(lab).cells:
        pictures = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        for picture in pictures:
            assert re.search(r"\d", picture.metadata["image/png"]["alt"])
        if re.search(r"^(explorer\s*=\s*)?Explorer(\.of)?\(", cell.source, re.M):
            assert pictures, "an explorer left no picture for readers without a kernel"


def test_build_refuses_a_solution_outside_an_exercise_cell(tmp_path):
    bad = tmp_path / "99_bad.py"
    bad.write_text("# %%\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n")
    with pytest.raises(LabError, match="outside an exercise cell"):
        build.build(bad)
    bad.write_text('# %% exercise="x"\n### BEGIN SOLUTION\nx = 1\n')
    with pytest.raises(LabError, match="needs one ### BEGIN SOLUTION"):
        build.build(bad)
    bad.write_text('# %% [markdown] model="unasked"\n# An answer\n')
    with pytest.raises(LabError, match='needs an open question open="unasked"'):
        build.build(bad)


def test_an_edited_source_makes_its_notebook_stale(tmp_path):
    source = EVERY[0].source
    edited = tmp_path / source.name
    edited.write_text(source.read_text() + "\n# %%\n1 + 1\n")
    assert build.is_stale(edited)


@every_lab
def test_untouched_every_check_says_not_yet_and_gives_nothing(lab):
    for cell in student_notebook(lab).cells:
        if (_grade_id(cell) or "").startswith("check-"):
            assert "not yet" in cell.outputs[-1]["data"]["text/markdown"]
            assert determine_grade(cell) == (0, cell.metadata.nbgrader.points)


@every_lab
def test_solved_no_cell_fails_and_every_check_gives_full_marks(lab, run_solved):
    """What nbval would assert of it, and what nbgrader would give for it."""
    for cell in run_solved(lab).notebook.cells:
        if cell.cell_type == "code":
            assert cell.execution_count
            assert not [output for output in cell.outputs if output.output_type == "error"]
        if (_grade_id(cell) or "").startswith("check-"):
            assert "passed" in cell.outputs[-1]["data"]["text/markdown"]
            assert determine_grade(cell) == (cell.metadata.nbgrader.points,) * 2
