"""The notebooks people open: fresh, clean, free of solutions, and working both blank and solved."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import jupytext
import nbformat
import pytest

from vqlab.notebooks import build

ROOT = Path(__file__).parents[1]
LABS = build.sources([])
NAMES = [path.stem for path in LABS]
# Running a notebook may take a minute and a gigabyte on two quiet cores.
SECONDS, MEGABYTES = 60, 1000


@pytest.fixture(scope="module")
def solved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("solved")
    build.main(["--solved", str(folder)])
    return folder


@pytest.mark.parametrize("source", LABS, ids=NAMES)
def test_the_committed_notebook_is_what_its_source_gives(source):
    assert not build.is_stale(source), "run `make labs` and commit the result"


@pytest.mark.parametrize("name", NAMES)
def test_no_widget_state_and_every_output_counted(name):
    notebook = json.loads((ROOT / "labs" / f"{name}.ipynb").read_text())
    assert "widgets" not in notebook["metadata"]
    assert "widget-view" not in json.dumps(notebook)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))
    for cell in notebook["cells"]:
        if cell.get("outputs"):
            assert cell["execution_count"] is not None
        for output in cell.get("outputs", []):
            assert output["output_type"] != "error"


@pytest.mark.parametrize("source", LABS, ids=NAMES)
def test_no_solution_is_left_in_the_student_notebook(source):
    student = (ROOT / "labs" / f"{source.stem}.ipynb").read_text()
    cells = [cell.source for cell in nbformat.reads(student, 4).cells]
    for cell in jupytext.read(source).cells:
        name = cell.metadata.get("exercise") or cell.metadata.get("open")
        if name:
            lines = cell.source.splitlines()
            first, last = (next(i for i, line in enumerate(lines) if mark in line) for mark in (build.BEGIN, build.END))
            assert last > first + 1
            exercise = next(c for c in nbformat.reads(student, 4).cells if _grade_id(c) == name)
            for line in lines[first + 1 : last]:
                assert line.strip() not in exercise.source
    assert not any(mark in cell for cell in cells for mark in (build.BEGIN, build.END, "| points | for |"))


@pytest.mark.parametrize("source", LABS, ids=NAMES)
def test_the_model_answer_is_folded_into_the_open_lab_and_left_out_of_an_assignment(source):
    (question,) = (cell for cell in jupytext.read(source).cells if "open" in cell.metadata)
    answer = question.source.partition(build.BEGIN)[2].partition(build.END)[0].strip()
    folded = [cell for cell in build.build(source).cells if answer in cell.source]
    assert len(folded) == 1
    assert "Write yours first" in folded[0].source.partition("<details>")[0]
    assert answer in folded[0].source.partition("<details>")[2]
    assert _grade_id(folded[0]) is None
    marked = [cell for cell in build.build(source, build.MARKED).cells if answer in cell.source]
    assert [_grade_id(cell) for cell in marked] == [question.metadata["open"]]  # between the marks that releasing cuts


def _grade_id(cell) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


@pytest.mark.parametrize("source", LABS, ids=NAMES)
def test_every_exercise_has_a_check_right_under_it_and_hints_above(source):
    cells = build.build(source).cells
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


@pytest.mark.parametrize("source", LABS, ids=NAMES)
def test_pictures_have_alt_text_and_explorers_a_static_picture(source):
    notebook = nbformat.read(ROOT / "labs" / f"{source.stem}.ipynb", 4)
    for cell in notebook.cells:
        pictures = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        for picture in pictures:
            assert re.search(r"\d", picture.metadata["image/png"]["alt"])
        if re.search(r"^(explorer\s*=\s*)?Explorer(\.of)?\(", cell.source, re.M):
            assert pictures, "an explorer left no picture for readers without a kernel"


def test_build_refuses_a_solution_outside_an_exercise_cell(tmp_path):
    bad = tmp_path / "99_bad.py"
    bad.write_text("# %%\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n")
    with pytest.raises(SystemExit, match="outside an exercise cell"):
        build.build(bad)
    bad.write_text('# %% exercise="x"\n### BEGIN SOLUTION\nx = 1\n')
    with pytest.raises(SystemExit, match="needs one ### BEGIN SOLUTION"):
        build.build(bad)
    bad.write_text('# %% [markdown] model="unasked"\n# An answer\n')
    with pytest.raises(SystemExit, match='needs an open question open="unasked"'):
        build.build(bad)


def test_an_edited_source_makes_its_notebook_stale(tmp_path, monkeypatch):
    source = LABS[0]
    edited = tmp_path / source.name
    edited.write_text(source.read_text() + "\n# %%\n1 + 1\n")
    assert build.is_stale(edited)


@pytest.mark.parametrize("name", NAMES)
def test_untouched_every_check_says_not_yet(name):
    notebook = nbformat.read(ROOT / "labs" / f"{name}.ipynb", 4)
    for cell in notebook.cells:
        if (_grade_id(cell) or "").startswith("check-"):
            assert "not yet" in cell.outputs[-1]["data"]["text/markdown"]


@pytest.mark.parametrize("name", NAMES)
def test_solved_it_runs_within_its_budget_and_every_check_passes(name, solved):
    start = time.perf_counter()
    script = (
        "import resource, sys, nbformat; from nbclient import NotebookClient\n"
        "nb = nbformat.read(sys.argv[1], 4)\n"
        "NotebookClient(nb, timeout=120, resources={'metadata': {'path': sys.argv[2]}}).execute()\n"
        "nbformat.write(nb, sys.argv[1])\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"  # of the kernel, its only child
    )
    command = [sys.executable, "-c", script, str(solved / f"{name}.ipynb"), str(ROOT / "labs")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    assert run.returncode == 0, run.stderr[-2000:]
    megabytes = float(run.stdout.split()[-1])
    print(f"{name}: {seconds:.1f} s, {megabytes:.0f} MB at most")
    assert seconds < SECONDS
    assert megabytes < MEGABYTES
    notebook = nbformat.read(solved / f"{name}.ipynb", 4)
    checks = [cell for cell in notebook.cells if (_grade_id(cell) or "").startswith("check-")]
    for cell in checks:
        assert "passed" in cell.outputs[-1]["data"]["text/markdown"]


def test_solved_notebooks_run_under_nbval(solved):
    flags = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=60", "-q", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *flags, "--rootdir", str(solved), "-c", "/dev/null", str(solved)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=solved)
    assert run.returncode == 0, run.stdout[-3000:]
    assert re.search(r"\d+ passed", run.stdout)
    assert "failed" not in run.stdout
