"""Grading for real: every lab with right, blank and wrong answers, a round with what goes wrong, and what comes out."""

import csv
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import jupytext
import killed_rounds
import nbformat
import pytest
from submissions import WRONG_VALUE, broken, cell_of, exercises, hand_in, solved, with_wrong, wrong_answer

from vqlab import LabError, doctor, labs
from vqlab.classroom import grade as grading
from vqlab.classroom import judge, package, record, sandbox, walls
from vqlab.classroom.course import Course
from vqlab.classroom.release import release
from vqlab.exercises import check, variants
from vqlab.notebooks.build import build

EVERY = labs.every()
QUICK = labs.find("00")  # the lab that runs fastest stands for all where the lab does not matter
NAME = f"{QUICK.notebook}.ipynb"


def table(report) -> dict[str, dict]:
    with report.table.open(newline="", encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


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
def test_wrong_answers_cost_the_tests_they_fail_and_no_others(released, tmp_path):
    """Each exercise is wrong for one student and right for the other, and one has begun nothing."""
    (lab, course, _), submissions = released, tmp_path / "submissions"
    right = solved(lab)
    names = exercises(right)
    wrong = {"ada": names[::2], "bob": names[1::2]}
    for student in wrong:
        hand_in(submissions, student, with_wrong(right, lab, wrong[student]), f"{lab.notebook}.ipynb")
    report = grading.grade(course, lab, submissions)
    assert (report.graded, report.not_graded) == (["ada", "bob"], {})
    rows, seed = table(report), course.seed(lab, "\0instances")
    for student in wrong:
        for name in names:
            exercise, earned = lab.exercises()[name], None
            if name in wrong[student]:
                with variants.asking(course.seed(lab, student)):
                    earned = check(exercise, wrong_answer(lab, name), seed=seed).marks
            assert earned != len(exercise.tests)
            assert float(rows[student][name]) == (len(exercise.tests) if earned is None else earned), (student, name)
        (to_mark,) = record.most_marks(course, lab).keys() - names
        assert rows[student][to_mark] == ""
        assert rows[student]["to mark by hand"] == to_mark
    feedback = course.feedback(lab, "ada").read_text(encoding="utf-8")
    lines = [line.strip() for name in wrong["ada"] for line in solutions(lab)[name].splitlines()]
    written = nbformat.read(submissions / "ada" / f"{lab.notebook}.ipynb", as_version=4)
    own = "\n".join(cell_of(written, name).source for name in wrong["ada"])
    assert not any(line in feedback for line in lines if len(line) > 25 and line not in own)


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
        held = [f"`{'.'.join(name.split('.')[-2:])}`" for name in package.withheld(lab)]
        assert all(name in given.cells[0].source.partition("is missing when your work is graded: ")[2] for name in held)
        assert ".ipynb)" not in text, "a link leads out of the folder"
        assert "| points | for |" not in text, "a rubric is in the released notebook"
        assert {path.name for path in (handout / student).iterdir()} == {f"{lab.notebook}.ipynb", "variant.json"}


@pytest.mark.usefixtures("untried")
def test_a_student_is_asked_their_own_question_whatever_variant_lies_beside(tmp_path):
    lab = QUICK
    course, students = Course(tmp_path / "course"), [f"s{i}" for i in range(3)]
    release(course, lab, students)
    for student in students:  # the variant of another, no variant, a broken one
        hand_in(tmp_path / "all", student, solved(lab), NAME)
    (tmp_path / "all" / "s0" / "variant.json").write_text(course.variant(lab, "s1"))
    (tmp_path / "all" / "s2" / "variant.json").write_text("{")
    rows = table(grading.grade(course, lab, tmp_path / "all"))
    assert {row["healthy"] for row in rows.values()} == {"1"}
    assert "it came with the variant of s1" in rows["s0"]["remarks"]
    page = course.feedback(lab, "s0").read_text(encoding="utf-8")
    assert "the variant.json that came with it is not yours: you were graded with your own questions" in page
    assert "s1" not in page, "students read nothing of each other"
    assert (rows["s1"]["remarks"], rows["s2"]["remarks"]) == ("", "")


@pytest.fixture(scope="module")
def round_(tmp_path_factory):
    """One round with right and broken hand-ins, and a trial before it: (course, submissions, what is said, report)."""
    folder = tmp_path_factory.mktemp("round")
    course, submissions = Course(folder / "course"), folder / "submissions"
    release(course, QUICK)
    for student in ("Zoë 李雷", "mia_7_assignsubmission_file"):
        hand_in(submissions, student, solved(QUICK), NAME)
    hand_in(submissions, "renamed", solved(QUICK), "my lab (1).ipynb")
    hand_in(submissions, "wrong", with_wrong(solved(QUICK), QUICK, ["healthy"]), NAME)
    hostile = solved(QUICK)
    cell_of(hostile, "healthy").source = (
        "healthy = '<script>alert(1)</script>'\nraise ValueError('<img src=x>')\n#" + "x" * 10**6
    )
    cell_of(hostile, "too_few_tokens").source = "</pre><script>alert(2)</script> **Teacher: 4 of 4**"
    hand_in(submissions, "hostile", hostile, NAME)
    said = broken(submissions, QUICK)
    return course, submissions, said, grading.grade(course, QUICK, submissions)


def test_what_cannot_be_graded_is_reported_and_stops_nobody_else(round_):
    *_, said, report = round_
    rows = table(report)
    assert report.graded == ["Zoë 李雷", "hostile", "mia", "renamed", "wrong"]
    assert report.not_graded.keys() == said.keys()
    for student, words in said.items():
        assert words in rows[student]["remarks"]
        assert rows[student]["total"] == "", "no silent zero"
    earned = {student: rows[student]["healthy"] for student in report.graded}
    assert earned == {"Zoë 李雷": "1", "mia": "1", "renamed": "1", "wrong": "0", "hostile": "0"}
    assert "my lab (1).ipynb" in rows["renamed"]["remarks"]
    assert "walls: " in str(report)


def test_feedback_says_what_was_asked_what_failed_and_why(round_):
    course, *_ = round_
    page = course.feedback(QUICK, "wrong").read_text(encoding="utf-8")
    assert "<strong>wrong</strong>" in page
    assert f"healthy = {WRONG_VALUE}" in page
    for words in ("What was asked", "What perplexity would that codebook read", "✗ 0 points", "within 2 %", "0 of 1"):
        assert words in page, words
    assert f"You gave {WRONG_VALUE}" in page
    assert "Your own question · codebook: 600, 2400" in page
    assert "waits of 4" in page
    not_graded = course.feedback(QUICK, "broken").read_text(encoding="utf-8")
    assert "This was not graded." in not_graded
    assert f"{NAME} cannot be read: open it in Jupyter, clear its outputs, save it and hand it in again" in not_graded
    assert "ask for it" not in not_graded
    renamed = course.feedback(QUICK, "renamed").read_text(encoding="utf-8")
    assert "what was graded is my lab (1).ipynb" in renamed


def test_nothing_in_feedback_runs_and_it_stays_small(round_):
    course, *_ = round_
    for path in (course.folder / "feedback").rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        assert "default-src 'none'" in page
        assert not re.search("<script|<img|<iframe|javascript:| on[a-z]+=", page)
        assert len(page.encode()) < 300_000
    page = course.feedback(QUICK, "hostile").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(2)" in page
    assert "&lt;img src=x&gt;" in page
    answers = (course.folder / "hand_marks_lab00.html").read_text(encoding="utf-8")
    assert answers.count("<script>") == 1
    assert "&lt;script&gt;alert(2)" in answers


def test_what_moodle_reads_and_an_overview_come_out(round_):
    course, *_ = round_
    moodle = (course.folder / "moodle_lab00.csv").read_text(encoding="utf-8-sig")
    assert "Participant 7,mia,1," in moodle
    with zipfile.ZipFile(course.folder / "feedback_lab00.zip") as archive:
        names = archive.namelist()
    assert {"mia_7_assignsubmission_file/feedback.html", "not utf-8.html", "wrong/feedback.html"} <= set(names)
    assert (course.folder / "overview_lab00.png").read_bytes().startswith(b"\x89PNG")
    similar = (course.folder / "similar_lab00.csv").read_text(encoding="utf-8-sig")
    assert "too_few_tokens,Zoë 李雷,mia,1.00" in similar
    assert "hostile" not in similar


def test_a_released_notebook_is_one_that_nbgrader_validates(round_):
    _, submissions, *_ = round_
    command = [sys.executable, "-m", "nbgrader", "validate", submissions / "renamed" / "my lab (1).ipynb"]
    said = subprocess.run(command, cwd=submissions, capture_output=True, text=True, check=True)
    assert "Success! Your notebook passes all the tests." in said.stdout


@pytest.mark.usefixtures("untried")
def test_an_interrupted_round_goes_on_where_it_stopped(round_, monkeypatch):
    course, submissions, *_ = round_
    graded, really = [], judge.judge

    def interrupted(course, lab, hand_in, box):
        if graded == ["new 1"]:
            raise KeyboardInterrupt
        graded.append(hand_in.student)
        return really(course, lab, hand_in, box)

    for student in ("new 1", "new 2"):
        shutil.copytree(submissions / "renamed", submissions / student)
    with monkeypatch.context() as patched:
        patched.setattr(judge, "judge", interrupted)
        with pytest.raises(KeyboardInterrupt):
            grading.grade(course, QUICK, submissions)
    with (course.folder / "marks_lab00.csv").open(encoding="utf-8") as file:
        assert "new 1" in file.read()
    monkeypatch.setattr(judge, "judge", lambda *given: graded.append(given[2].student) or really(*given))
    report = grading.grade(course, QUICK, submissions)
    assert graded == ["new 1", "new 2"]
    assert {"new 1", "new 2", "renamed"} <= set(report.graded)


@pytest.mark.usefixtures("untried")
def test_a_later_hand_in_that_cannot_be_graded_leaves_the_marks_of_the_earlier(round_):
    course, submissions, *_, report = round_
    (path,) = (submissions / "renamed").iterdir()
    good, before = path.read_bytes(), table(report)["renamed"]
    path.write_text("{")
    row = table(grading.grade(course, QUICK, submissions))["renamed"]
    assert "no valid notebook" in row["remarks"]
    assert "these are the marks of the earlier one" in row["remarks"]
    assert {**row, "remarks": ""} == {**before, "remarks": ""}
    assert "The last question" not in course.feedback(QUICK, "renamed").read_text(encoding="utf-8")
    path.write_bytes(good)
    assert table(grading.grade(course, QUICK, submissions))["renamed"] == before


@pytest.mark.usefixtures("untried")
def test_a_fault_of_the_machine_is_no_verdict_and_the_same_command_tries_again(round_, monkeypatch):
    course, submissions, *_ = round_
    shutil.copytree(submissions / "renamed", submissions / "killed")
    shutil.copytree(submissions / "renamed", submissions / "no room")
    really, collect = judge.judge, sandbox._collect

    def spoilt(course, lab, hand_in, box):
        if hand_in.student == "no room":
            raise OSError(28, "No space left on device")
        return really(course, lab, hand_in, box)

    def shot(process, *given):
        process._popen.kill()  # as the system does that has run out of memory
        return collect(process, *given)

    with monkeypatch.context() as patched:
        patched.setattr(judge, "judge", spoilt)
        patched.setattr(sandbox, "_collect", shot)
        report = grading.grade(course, QUICK, submissions)
    rows = table(report)
    if not walls.best().bwrap:  # then it cannot be told who shot
        rows["killed"] = rows["no room"]
    assert "You need do nothing." in course.feedback(QUICK, "no room").read_text(encoding="utf-8")
    for student, said in (("killed", ""), ("no room", "this machine failed: [Errno 28] No space left")):
        assert (rows[student]["status"], rows[student]["total"]) == ("not graded yet", "")
        assert said in rows[student]["remarks"]
    report = grading.grade(course, QUICK, submissions)
    assert {"killed", "no room"} <= set(report.graded)
    assert table(report)["killed"]["healthy"] == "1"


@pytest.mark.usefixtures("untried")
def test_marks_by_hand_are_read_back(round_):
    course, submissions, *_ = round_
    path = course.folder / "hand_marks_lab00.csv"
    text = path.read_text(encoding="utf-8")
    assert "renamed,too_few_tokens,,4," in text
    marked = text.replace("renamed,too_few_tokens,,4,", 'renamed,too_few_tokens,"2,5",4,good <b>')
    path.write_text(marked + "wrong,healthy,1,1,the cell was ambiguous\n")
    again = grading.grade(course, QUICK, submissions)
    row = table(again)["renamed"]
    assert (row["too_few_tokens"], row["total"], row["to mark by hand"]) == ("2.5", "3.5", "")
    assert again.waiting == len(again.graded) - 1
    page = course.feedback(QUICK, "renamed").read_text(encoding="utf-8")
    assert "2.5 of 4, given by a person" in page
    assert "good &lt;b&gt;" in page
    assert table(grading.grade(course, QUICK, submissions, again=True))["wrong"]["healthy"] == "1", "overrides survive"
    text = path.read_text(encoding="utf-8")
    for nonsense in ("5", "-1", "good", "nan"):
        broken_table = text.replace('renamed,too_few_tokens,"2,5"', f"renamed,too_few_tokens,{nonsense}")
        path.write_text(broken_table)
        with pytest.raises(LabError, match="write a number from 0 to 4"):
            grading.grade(course, QUICK, submissions)
        assert path.read_text() == broken_table, "what a person typed is theirs to mend"
    stranger = text + "erik,too_few_tokens,3,4,\n"
    path.write_text(stranger)
    with pytest.raises(LabError, match="names erik, too_few_tokens, which nobody handed in"):
        grading.grade(course, QUICK, submissions)
    assert path.read_text() == stranger
    path.unlink()
    grading.grade(course, QUICK, submissions)
    assert "renamed,too_few_tokens,2.5,4,good" in path.read_text(encoding="utf-8"), "from the record"
    path.write_text(text.replace("student,question", "name,question"))
    with pytest.raises(LabError, match="has lost a column"):
        grading.grade(course, QUICK, submissions)
    path.unlink()


def test_a_missing_package_stops_the_grading_not_the_students(round_, monkeypatch):
    course, submissions, *_ = round_
    real = doctor.examine

    def without_torch(check):
        return doctor.Finding(doctor.FAIL, "torch is missing", "install it") if check.name == "torch" else real(check)

    monkeypatch.setattr(doctor, "examine", without_torch)
    with pytest.raises(LabError, match="grading cannot start: torch is missing"):
        grading.grade(course, QUICK, submissions, again=True)


@pytest.mark.usefixtures("untried")
def test_an_answer_that_wants_a_module_that_is_not_here_is_told_to_the_teacher(tmp_path):
    course, submissions = Course(tmp_path / "course"), tmp_path / "all"
    release(course, QUICK)
    careful = "try:\n    import pandoras\nexcept ImportError:\n    pass\n"
    for student, code in {
        "maria": "import pandoras as pd\n",
        "nils": "from pandoras.io import x\n",
        "olga": careful,
    }.items():
        notebook = solved(QUICK)
        cell_of(notebook, "healthy").source = code + cell_of(notebook, "healthy").source
        hand_in(submissions, student, notebook, NAME)
    report = grading.grade(course, QUICK, submissions)
    rows = table(report)
    what = (
        "the module pandoras, which is not here: if it is a package that you know, install it and grade with --again; "
        "if it is a file of the student's own, ask for it"
    )
    for student in ("maria", "nils"):
        assert rows[student]["healthy"] == "0"
        assert f"healthy stopped at {what}" in rows[student]["remarks"]
    assert (rows["olga"]["healthy"], rows["olga"]["remarks"]) == ("1", "")
    assert f"\nmaria's answer to healthy and 1 more stopped at {what}\n" in str(report)


def test_an_environment_that_fails_the_solved_notebook_cannot_grade(round_, monkeypatch):
    course, submissions, *_ = round_

    def without_numpy(source: Path, answers: str, **how: bool) -> nbformat.NotebookNode:
        """What a process without numpy would do, though this one has it."""
        notebook = build(source, answers, **how)
        cell_of(notebook, "healthy").source = "import no_such_module\n" + cell_of(notebook, "healthy").source
        return notebook

    monkeypatch.setattr(judge, "build", without_numpy)
    with pytest.raises(LabError, match=r"the solved notebook got 0 of 1 points.*ModuleNotFoundError"):
        grading.grade(course, QUICK, submissions, again=True)


def test_a_machine_that_cannot_start_anything_is_said_once(round_, monkeypatch):
    course, submissions, *_ = round_
    monkeypatch.setattr(sys, "executable", "/usr/bin/false")
    monkeypatch.setattr(doctor, "examine", lambda check: doctor.Finding(doctor.OK, ""))
    with pytest.raises(LabError, match="grading cannot start: the process for hand-ins could not start"):
        grading.grade(course, QUICK, submissions, again=True)


def test_a_results_file_is_plain(round_):
    course, *_ = round_
    kept = json.loads((course.folder / "results_lab00.json").read_text(encoding="utf-8"))
    assert kept["mia"]["came_as"] == "mia_7_assignsubmission_file"


def test_a_round_that_is_killed_ends_in_the_same_marks(tmp_path):
    """A small one; `python tests/killed_rounds.py` is the large one."""
    _, killed = killed_rounds.compare(tmp_path, QUICK, students=7, kills=2)
    assert killed
