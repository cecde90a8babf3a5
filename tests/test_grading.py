"""Grading for real, through nbgrader: every lab with right, blank and wrong answers, and whatever a student may do."""

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from submissions import HOSTILE, exercises, hand_in, hand_in_hostile, solved, with_wrong

from vqlab import LabError, doctor
from vqlab.classroom import grade as grading
from vqlab.classroom import marks, worker
from vqlab.classroom.course import Course, assignment, assignments
from vqlab.classroom.release import environment, nbgrader, release

EVERY = assignments()
QUICK = assignment("00")  # the lab that runs fastest stands for all where the lab does not matter


def table(report) -> dict[str, dict]:
    with report.table.open(newline="", encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def points_of(notebook) -> dict[str, int]:
    """Marks of every graded cell, by the name of its exercise."""
    graded = (cell.metadata.nbgrader for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade"))
    return {meta.grade_id.removeprefix("check-"): meta.points for meta in graded}


@pytest.fixture(scope="module", params=EVERY, ids=[one.name for one in EVERY])
def released(request, tmp_path_factory):
    """Every lab, given out to two students with a variant each: (assignment, course, handout)."""
    course = Course(tmp_path_factory.mktemp(request.param.name) / "course")
    return request.param, course, release(course, request.param, ["ada", "bob"])


def test_wrong_answers_cost_their_own_marks_and_no_others(released, tmp_path):
    """Also: solved gets full marks and blank none, which grading itself insists on."""
    (one, course, _), submissions, students = released, tmp_path / "submissions", ["ada", "bob"]
    right = solved(course, one)
    names = exercises(right)
    wrong = {"ada": names[::2], "bob": names[1::2]}
    for student in students:
        hand_in(submissions, student, with_wrong(right, one, wrong[student]), f"{one.notebook}.ipynb")
    report = grading.grade(course, one, submissions)
    assert (report.graded, report.not_graded) == (students, {})
    points = points_of(nbformat.read(course.release(one), as_version=4))
    rows = table(report)
    for student in students:
        for name in names:
            assert float(rows[student][name]) == (0 if name in wrong[student] else points[name]), (student, name)
        (to_mark,) = set(points) - set(names)
        assert rows[student][to_mark] == ""
        assert rows[student]["to mark by hand"] == to_mark
    feedback = (course.folder / "feedback" / "ada" / one.name / f"{one.notebook}.html").read_text(encoding="utf-8")
    for line in solution_lines(course, one, wrong["ada"]):
        assert line not in feedback


def solution_lines(course: Course, one, names: list[str]) -> list[str]:
    """Lines that only the solutions of these exercises have, long enough to be telling."""
    marked = nbformat.read(course.source(one), as_version=4)
    lines = [
        line.strip()
        for cell in marked.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") in names
        for line in re.search(r"BEGIN SOLUTION\n(.*)### END", cell.source, re.S)[1].splitlines()
    ]
    return [line for line in lines if len(line) > 25]


def test_nothing_given_to_students_holds_a_solution(released):
    one, course, handout = released
    marked = nbformat.read(course.source(one), as_version=4)
    solutions = [
        re.search(r"BEGIN SOLUTION\n(.*)\n.*### END", cell.source, re.S)[1].strip()
        for cell in marked.cells
        if "BEGIN SOLUTION" in cell.source
    ]
    assert len(solutions) == len(exercises(marked)) + 1
    for student in ("ada", "bob"):
        given = nbformat.read(handout / student / f"{one.notebook}.ipynb", as_version=4)
        text = "\n".join(cell.source for cell in given.cells)
        assert not any(solution in text for solution in solutions)
        assert not any(cell.get("outputs") for cell in given.cells)
        assert "SOLUTION" not in text
        assert f"under its name, `{one.notebook}.ipynb`. Keep `variant.json` beside it" in given.cells[0].source
        assert ".ipynb)" not in text, "a link leads out of the folder"
        assert "| points | for |" not in text, "a rubric is in the released notebook"
        assert {path.name for path in (handout / student).iterdir()} == {f"{one.notebook}.ipynb", "variant.json"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """One round with everything that could go wrong, on the quickest lab: (course, submissions, report)."""
    folder = tmp_path_factory.mktemp("hostile")
    course, submissions = Course(folder / "course"), folder / "submissions"
    release(course, QUICK)
    config = course.folder / "nbgrader_config.py"
    config.write_text(config.read_text().replace("Execute.timeout = 60", "Execute.timeout = 10"))
    hand_in_hostile(submissions, solved(course, QUICK), QUICK)
    return course, submissions, grading.grade(course, QUICK, submissions)


def test_a_hostile_submission_is_reported_and_stops_nobody_else(hostile):
    *_, report = hostile
    rows = table(report)
    for student, (_, said) in HOSTILE.items():
        row = rows[student]
        assert (said is None and row["remarks"] == "") or re.search(said, row["remarks"]), row
        if student != "kernel killer":
            assert (row["status"], row["healthy"]) == ("graded", "1"), row
    assert set(report.not_graded) == {"kernel killer", "other notebook", "empty", "broken", "not utf-8"}
    assert all(rows[student]["total"] == "" for student in report.not_graded), "no silent zero"
    assert "valid notebook" in rows["broken"]["remarks"]
    assert "valid notebook" in rows["not utf-8"]["remarks"]
    assert "none called" in rows["empty"]["remarks"]
    assert "another notebook" in rows["other notebook"]["remarks"]


def test_what_can_be_put_right_is_put_right_and_said(hostile):
    *_, report = hostile
    rows = table(report)
    assert rows["deleted cell"]["healthy"] == "1"
    assert "put back the deleted cells check-healthy" in rows["deleted cell"]["remarks"]
    assert rows["renamed"]["healthy"] == "1"
    assert "my lab (1).ipynb" in rows["renamed"]["remarks"]
    assert rows["endless answer"]["healthy"] == "0"


def test_nbgrader_s_own_commands_work_in_the_course(hostile):
    course, submissions, _ = hostile
    right = submissions / "renamed" / "my lab (1).ipynb"
    said = subprocess.run(
        [sys.executable, "-m", "nbgrader", "validate", right], env=environment(), capture_output=True, text=True
    )
    assert "Success! Your notebook passes all the tests." in said.stdout, said.stderr
    nbgrader(course, "autograde", QUICK.name, "--student", "renamed", "--force")
    with marks.gradebook(course) as book:
        assert marks.of_student(book, QUICK, "renamed")["healthy"] == (1, 1)


def test_an_interrupted_round_goes_on_where_it_stopped(hostile, monkeypatch):
    course, submissions, _ = hostile
    graded, run = [], worker.run

    def interrupted(course, one, student, *limits):
        if len(graded) == 1 and student not in ("solved", "blank"):
            raise KeyboardInterrupt
        if student not in ("solved", "blank"):
            graded.append(student)
        return run(course, one, student, *limits)

    for student in ("new 1", "new 2"):
        shutil.copytree(submissions / "renamed", submissions / student)
    with monkeypatch.context() as patched:
        patched.setattr(grading, "preflight", lambda *_: None)
        patched.setattr(worker, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            grading.grade(course, QUICK, submissions)
    assert graded == ["new 1"]
    with (course.folder / "marks_lab00.csv").open(encoding="utf-8") as file:
        assert "new 1" in file.read()
    graded.clear()
    monkeypatch.setattr(grading, "preflight", lambda *_: None)
    monkeypatch.setattr(worker, "run", lambda *a: graded.append(a[2]) or run(*a))
    report = grading.grade(course, QUICK, submissions)
    assert graded == ["new 2"]
    assert {"new 1", "new 2", "renamed"} <= set(report.graded)


def test_marks_by_hand_are_read_back(hostile):
    course, submissions, report = hostile
    text = report.hand_marks.read_text(encoding="utf-8")
    assert "renamed,too_few_tokens,,4," in text
    report.hand_marks.write_text(text.replace("renamed,too_few_tokens,,4,", 'renamed,too_few_tokens,"2,5",4,good'))
    again = grading.grade(course, QUICK, submissions)
    row = table(again)["renamed"]
    assert (row["too_few_tokens"], row["total"], row["to mark by hand"]) == ("2.5", "3.5", "")
    assert again.waiting == len(again.graded) - 1
    feedback = course.folder / "feedback" / "renamed" / QUICK.name / f"{QUICK.notebook}.html"
    assert re.search(r"Score: 2\.5 / 4\.0", feedback.read_text(encoding="utf-8"))
    assert re.search(r"<b>Comments:</b>\s*<p>good</p>", feedback.read_text(encoding="utf-8"))
    text = again.hand_marks.read_text(encoding="utf-8")
    for nonsense in ("5", "-1", "good"):
        broken = text.replace('renamed,too_few_tokens,"2,5"', f"renamed,too_few_tokens,{nonsense}")
        again.hand_marks.write_text(broken)
        with pytest.raises(LabError, match="write a number from 0 to 4"):
            grading.grade(course, QUICK, submissions)
        assert again.hand_marks.read_text() == broken, "what a person typed is theirs to mend"
    stranger = text + "erik,too_few_tokens,3,4,\n"
    again.hand_marks.write_text(stranger)
    with pytest.raises(LabError, match="names erik, too_few_tokens, which nobody handed in"):
        grading.grade(course, QUICK, submissions)
    assert again.hand_marks.read_text() == stranger
    again.hand_marks.unlink()
    grading.grade(course, QUICK, submissions)
    assert "renamed,too_few_tokens,2.5,4,good" in again.hand_marks.read_text(encoding="utf-8"), "from the gradebook"
    again.hand_marks.write_text(text.replace("student,question", "name,question"))
    with pytest.raises(LabError, match="has lost a column"):
        grading.grade(course, QUICK, submissions)


def test_a_missing_package_stops_the_grading_not_the_students(hostile, monkeypatch):
    course, submissions, _ = hostile
    real = doctor.examine

    def without_torch(check):
        return doctor.Finding(doctor.FAIL, "torch is missing", "install it") if check.name == "torch" else real(check)

    monkeypatch.setattr(doctor, "examine", without_torch)
    with pytest.raises(LabError, match="grading cannot start: torch is missing"):
        grading.grade(course, QUICK, submissions, again=True)


def test_an_environment_that_fails_the_solved_notebook_cannot_grade(hostile, monkeypatch):
    course, *_ = hostile
    # What a kernel without scikit-learn would do, though this process has it.
    source = course.source(QUICK)
    monkeypatch.setattr(Course, "build_source", lambda self, one, answers="marked": source_without_numpy(source))
    with pytest.raises(LabError, match=r"the solved notebook got 0 of 1 points.*ModuleNotFoundError"):
        grading.preflight(course, QUICK)


def source_without_numpy(source: Path) -> Path:
    notebook = nbformat.read(source, as_version=4)
    first = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells.insert(first, nbformat.v4.new_code_cell("import sys; sys.modules['numpy'] = None"))
    target = source.with_name("without_numpy.ipynb")
    nbformat.write(notebook, target)
    return target
