"""Grading for real, through nbgrader: every lab with right, blank and wrong answers, and whatever a student may do."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import jupytext
import nbformat
import psutil
import pytest
from submissions import HOSTILE, bare, exercises, hand_in, hand_in_hostile, solved, with_wrong

from vqlab import LabError, doctor, labs
from vqlab.classroom import grade as grading
from vqlab.classroom import judge, record, run
from vqlab.classroom.course import Course
from vqlab.classroom.release import release
from vqlab.notebooks.build import build

EVERY = labs.every()
QUICK = labs.find("00")  # the lab that runs fastest stands for all where the lab does not matter


def table(report) -> dict[str, dict]:
    with report.table.open(newline="", encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def points_of(notebook) -> dict[str, int]:
    """Marks of every graded cell, by the name of its exercise."""
    graded = (cell.metadata.nbgrader for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade"))
    return {meta.grade_id.removeprefix("check-"): meta.points for meta in graded}


@pytest.fixture(scope="module", params=EVERY, ids=[lab.name for lab in EVERY])
def released(request, tmp_path_factory):
    """Every lab, given out to two students with a variant each: (assignment, course, handout)."""
    course = Course(tmp_path_factory.mktemp(request.param.name) / "course")
    return request.param, course, release(course, request.param, ["ada", "bob"])


@pytest.fixture
def untried(monkeypatch):
    """Without the trial of a solved and a blank hand-in before the round."""
    monkeypatch.setattr(judge, "try_out", lambda *_, **__: None)


@pytest.mark.usefixtures("untried")
def test_wrong_answers_cost_their_own_marks_and_no_others(released, tmp_path):
    """Each exercise is wrong for one student and right for the other."""
    (lab, course, _), submissions, students = released, tmp_path / "submissions", ["ada", "bob"]
    right = bare(solved(lab))
    names = exercises(right)
    wrong = {"ada": names[::2], "bob": names[1::2]}
    for student in students:
        hand_in(submissions, student, with_wrong(right, lab, wrong[student]), f"{lab.notebook}.ipynb")
    report = grading.grade(course, lab, submissions)
    assert (report.graded, report.not_graded) == (students, {})
    points = points_of(nbformat.read(course.release(lab), as_version=4))
    rows = table(report)
    for student in students:
        for name in names:
            assert float(rows[student][name]) == (0 if name in wrong[student] else points[name]), (student, name)
        (to_mark,) = set(points) - set(names)
        assert rows[student][to_mark] == ""
        assert rows[student]["to mark by hand"] == to_mark
    feedback = (course.folder / "feedback" / "ada" / lab.name / f"{lab.notebook}.html").read_text(encoding="utf-8")
    lines = [line.strip() for name in wrong["ada"] for line in solutions(lab)[name].splitlines()]
    assert not any(line in feedback for line in lines if len(line) > 25)


def solutions(lab) -> dict[str, str]:
    """What stands between the marks of every exercise and open question of a source."""
    cells = {c.metadata.get("exercise") or c.metadata.get("open"): c.source for c in jupytext.read(lab.source).cells}
    del cells[None]
    return {name: re.search(r"BEGIN SOLUTION\n(.*)\n.*### END", text, re.S)[1].strip() for name, text in cells.items()}


def test_nothing_given_to_students_holds_a_solution(released):
    lab, _, handout = released
    texts = solutions(lab).values()
    assert len(texts) == len(exercises(build(lab.source))) + 1
    for student in ("ada", "bob"):
        given = nbformat.read(handout / student / f"{lab.notebook}.ipynb", as_version=4)
        text = "\n".join(cell.source for cell in given.cells)
        assert not any(solution in text for solution in texts)
        assert not any(cell.get("outputs") for cell in given.cells)
        assert "SOLUTION" not in text
        assert f"under its name, `{lab.notebook}.ipynb`. Keep `variant.json` beside it" in given.cells[0].source
        assert ".ipynb)" not in text, "a link leads out of the folder"
        assert "| points | for |" not in text, "a rubric is in the released notebook"
        assert {path.name for path in (handout / student).iterdir()} == {f"{lab.notebook}.ipynb", "variant.json"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """One round with everything that could go wrong, and a trial before it: (course, submissions, report)."""
    folder = tmp_path_factory.mktemp("hostile")
    course, submissions = Course(folder / "course"), folder / "submissions"
    release(course, QUICK)
    config = course.folder / "nbgrader_config.py"
    config.write_text(config.read_text().replace("Execute.timeout = 60", "Execute.timeout = 10"))
    hand_in_hostile(submissions, bare(solved(QUICK)), QUICK)
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
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}

    def nbgrader(*arguments: str | Path) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        return subprocess.run(command, cwd=course.folder, env=environment, capture_output=True, text=True, check=True)

    assert "Success! Your notebook passes all the tests." in nbgrader("validate", right).stdout
    nbgrader("autograde", QUICK.name, "--student", "renamed", "--force")
    with record.gradebook(course) as book:
        assert record.marks_of(book, QUICK, "renamed")["healthy"] == (1, 1)
    nbgrader("export", "--to", "grades.csv")
    assert f"{QUICK.name}," in (course.folder / "grades.csv").read_text()


@pytest.mark.usefixtures("untried")
def test_an_interrupted_round_goes_on_where_it_stopped(hostile, monkeypatch):
    course, submissions, _ = hostile
    graded, really = [], judge.run

    def interrupted(course, lab, student, **named):
        if graded == ["new 1"]:
            raise KeyboardInterrupt
        graded.append(student)
        return really(course, lab, student, **named)

    for student in ("new 1", "new 2"):
        shutil.copytree(submissions / "renamed", submissions / student)
    with monkeypatch.context() as patched:
        patched.setattr(judge, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            grading.grade(course, QUICK, submissions)
    with (course.folder / "marks_lab00.csv").open(encoding="utf-8") as file:
        assert "new 1" in file.read()
    monkeypatch.setattr(judge, "run", lambda *a, **named: graded.append(a[2]) or really(*a, **named))
    report = grading.grade(course, QUICK, submissions)
    assert graded == ["new 1", "new 2"]
    assert {"new 1", "new 2", "renamed"} <= set(report.graded)
    assert not list(course.folder.glob(".judging-*"))


@pytest.mark.usefixtures("untried")
def test_a_later_hand_in_that_cannot_be_graded_leaves_marks_and_feedback_of_the_earlier(hostile):
    course, submissions, report = hostile
    (path,) = (submissions / "renamed").iterdir()
    good, before = path.read_bytes(), table(report)["renamed"]
    places = [course.place(step, QUICK, "renamed") for step in ("submitted", "autograded", "feedback")]
    kept = [{p.name: p.read_bytes() for p in place.iterdir()} for place in places]
    killer = nbformat.reads(good, as_version=4)
    killer.cells.insert(1, nbformat.v4.new_code_cell("import os; os._exit(1)"))
    for text, said in (("{", "no valid notebook"), (nbformat.writes(killer), "ended the kernel")):
        path.write_text(text)
        row = table(grading.grade(course, QUICK, submissions))["renamed"]
        assert said in row["remarks"]
        assert "these are the marks of the earlier one" in row["remarks"]
        assert {**row, "remarks": ""} == {**before, "remarks": ""}
        assert kept == [{p.name: p.read_bytes() for p in place.iterdir()} for place in places]
    path.write_bytes(good)
    assert table(grading.grade(course, QUICK, submissions))["renamed"] == before


@pytest.mark.usefixtures("untried")
def test_a_fault_of_the_machine_is_no_verdict_and_the_same_command_tries_again(hostile, monkeypatch):
    course, submissions, _ = hostile
    for student in ("killed", "no room"):
        shutil.copytree(submissions / "renamed", submissions / student)
    really, write = judge.run, judge.write

    def shot(course, lab, student, **named):
        if student == "killed":
            threading.Thread(target=_shoot_the_worker).start()
        return really(course, lab, student, **named)

    def full(path, text):
        if "no room" in path.parts:
            raise LabError(f"could not write {path} (No space left on device): make room")
        write(path, text)

    with monkeypatch.context() as patched:
        patched.setattr(judge, "run", shot)
        patched.setattr(judge, "write", full)
        report = grading.grade(course, QUICK, submissions)
    rows = table(report)
    for student, said in (("killed", "was killed (signal 9)"), ("no room", "No space left")):
        assert (rows[student]["status"], rows[student]["total"]) == ("not graded yet", "")
        assert said in report.not_graded[student]
    report = grading.grade(course, QUICK, submissions)
    assert {"killed", "no room"} <= set(report.graded)
    assert table(report)["killed"]["healthy"] == "1"


def _shoot_the_worker() -> None:
    """As the system does that has run out of memory: the process that grades, which starts a kernel."""
    while True:
        for process in psutil.Process().children(recursive=True):
            if any("ipykernel" in word for word in process.cmdline()):
                os.kill(process.parent().pid, signal.SIGKILL)
                return
        time.sleep(0.05)


def test_a_full_disk_is_told_apart_from_a_hand_in_that_fails(tmp_path):
    (tmp_path / "log").write_text("Traceback\nValueError: no such cell\n")
    assert "no such cell" in run._failure(1, tmp_path / "log")
    with pytest.raises(run.MachineFault, match="disk is full"):
        run._failure(run._MACHINE, tmp_path / "log")
    with pytest.raises(run.MachineFault, match="signal 9"):
        run._failure(-9, tmp_path / "log")
    assert run._failure(0, tmp_path / "log") == ""


def test_feedback_that_cannot_be_written_stops_nobody(hostile):
    course, submissions, report = hostile
    shutil.rmtree(course.place("autograded", QUICK, "exit"))
    text = report.hand_marks.read_text(encoding="utf-8")
    for student in ("exit", "memory"):
        text = text.replace(f"{student},too_few_tokens,,4,", f"{student},too_few_tokens,1,4,short")
    report.hand_marks.write_text(text)
    with pytest.raises(LabError, match=r"feedback could not be written for exit \("):
        grading.grade(course, QUICK, submissions)
    assert [table(report)[student]["too_few_tokens"] for student in ("exit", "memory")] == ["1", "1"]
    feedback = course.place("feedback", QUICK, "memory") / f"{QUICK.notebook}.html"
    assert re.search(r"Score: 1\.0 / 4\.0", feedback.read_text(encoding="utf-8"))


def test_marks_by_hand_are_read_back(hostile):
    course, submissions, report = hostile
    shutil.rmtree(course.folder / "submitted")  # a copy of what was handed in, of which nobody has need
    text = report.hand_marks.read_text(encoding="utf-8")
    assert "renamed,too_few_tokens,,4," in text
    report.hand_marks.write_text(text.replace("renamed,too_few_tokens,,4,", 'renamed,too_few_tokens,"2,5",4,good'))
    again = grading.grade(course, QUICK, submissions)
    row = table(again)["renamed"]
    assert (row["too_few_tokens"], row["total"], row["to mark by hand"]) == ("2.5", "3.5", "")
    assert again.waiting == len(again.graded) - 3
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

    def without_numpy(source: Path, answers: str, **how: bool) -> nbformat.NotebookNode:
        """What a kernel without numpy would do, though this process has it."""
        notebook = build(source, answers, **how)
        notebook.cells.insert(0, nbformat.v4.new_code_cell("import sys; sys.modules['numpy'] = None"))
        return notebook

    monkeypatch.setattr(judge, "build", without_numpy)
    with pytest.raises(LabError, match=r"the solved notebook got 0 of 1 points.*ModuleNotFoundError"):
        judge.try_out(course, QUICK)
