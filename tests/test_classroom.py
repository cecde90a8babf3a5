"""Courses, seeds, lists of students, collecting, and the teacher's pack: all that needs no grading."""

import json
import re
from itertools import pairwise
from types import SimpleNamespace

import jupytext
import nbformat
import pytest

from vqlab.__main__ import main
from vqlab.classroom import collect, hand_marks, timing
from vqlab.classroom.collect import Submission, Unreadable
from vqlab.classroom.course import Course, assignment, assignments, copy_notebook, read_students
from vqlab.classroom.grade import Outcomes
from vqlab.classroom.hand_marks import _Row
from vqlab.classroom.pack import pack
from vqlab.classroom.release import release
from vqlab.exercises import variants

EVERY = assignments()
every_lab = pytest.mark.parametrize("one", EVERY, ids=[one.name for one in EVERY])


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path / "course").prepare()


def test_a_lab_is_named_by_number_or_name(refuses):
    assert assignment("1") == assignment("01") == assignment("lab01") == assignment("01_tokens")
    with refuses("there is no lab '77': choose from 00, 01"):
        assignment("77")


def test_seeds_are_steady_differ_and_depend_on_the_course(course, tmp_path):
    students = [f"student {i}" for i in range(200)]
    seeds = [course.seed(EVERY[0], student) for student in students]
    assert seeds == [course.seed(EVERY[0], student) for student in students]
    assert len(set(seeds)) == 200
    assert seeds != [course.seed(EVERY[1], student) for student in students]
    assert seeds != [Course(tmp_path / "other").prepare().seed(EVERY[0], student) for student in students]
    assert course.prepare().seed(EVERY[0], "student 0") == seeds[0], "preparing again must not change the secret"


@every_lab
def test_every_lab_asks_students_different_things(one, tmp_path, monkeypatch):
    keys = one.lab.module("exercises").VARIANTS
    assert keys
    monkeypatch.chdir(tmp_path)
    for asked, answer in keys.values():
        assert variants.seed() == 0
        found = set()
        for seed in range(1, 40):
            (tmp_path / variants.FILE).write_text(json.dumps({"seed": seed}))
            found.add(answer())
            assert (asked(), answer()) == (asked(), answer())
        (tmp_path / variants.FILE).unlink()
        assert len(found) >= 4


def test_a_damaged_variant_is_named(tmp_path, monkeypatch, refuses):
    monkeypatch.chdir(tmp_path)
    for text in ("", "{}", '{"seed": "x"}', "[1]"):
        (tmp_path / variants.FILE).write_text(text)
        with refuses("put back the one you were given"):
            variants.seed()


def test_a_list_of_students_is_read_and_checked(tmp_path, refuses):
    path = tmp_path / "students.csv"
    path.write_text("student,name\nada,Ada\n\nZoë Müller,Z\n李雷,L\n", encoding="utf-8-sig")
    assert read_students(path) == ["ada", "Zoë Müller", "李雷"]
    for text, words in (
        ("", "is empty"),
        ("student\n", "is empty"),
        ("ada\nada\n", "names ada twice"),
        ("ada\nAda\n", "names Ada, ada twice"),
        ("Jos\u00e9\nJose\u0301\n", "names José twice"),
        ("x" * 300, "more than 80 characters"),
        ("../evil\n", "cannot be a student id"),
        ("a/b\n", "cannot be a student id"),
        ("-x\n", "cannot be a student id"),
    ):
        path.write_text(text, encoding="utf-8")
        with refuses(words):
            read_students(path)
    path.write_bytes(b"\xff\xfe\xfa")
    with refuses("is not UTF-8"):
        read_students(path)
    with refuses("cannot be read: No such file"):
        read_students(tmp_path / "missing.txt")


def test_a_course_that_cannot_be_written_is_one_sentence(tmp_path, refuses):
    (tmp_path / "file").write_text("not a folder")
    with refuses("could not write"):
        Course(tmp_path / "file").prepare()
    with refuses("could not copy"):
        copy_notebook(tmp_path / "file", tmp_path / "file" / "handout")


def test_variants_are_not_taken_back_by_forgetting_the_list(course, refuses):
    course.set_students(EVERY[0], ["ada", "bob"])
    with refuses("was released with a variant for each of 2 students"):
        release(course, EVERY[0])


def test_the_pack_gives_no_answers_of_another_course(course, refuses):
    course.set_students(EVERY[0], ["ada"])
    with refuses("was not released to bob"):
        pack(course, EVERY[0], ["ada", "bob"])


def test_grading_needs_a_course_and_submissions(tmp_path, course, refuses):
    with refuses("there is no folder"):
        collect.find(tmp_path / "missing", EVERY[0])
    (tmp_path / "submissions").mkdir()
    with refuses("holds no submissions"):
        collect.find(tmp_path / "submissions", EVERY[0])
    with refuses("is no course yet"):
        Course(tmp_path / "none").seed(EVERY[0], "ada")
    (course.folder / "course.json").write_text("{")
    with refuses("is damaged"):
        course.seed(EVERY[0], "ada")


def test_submissions_are_found_in_folders_and_as_files(tmp_path):
    one = EVERY[0]
    for path in (
        f"ada/{one.notebook}.ipynb",
        f"bob/deep/{one.notebook}.ipynb",
        f"bob/.ipynb_checkpoints/{one.notebook}.ipynb",
        "cleo/other.ipynb",
        "dan/a.ipynb",
        "dan/b.ipynb",
        "eve.ipynb",
        "fay/final.ipynb",
        f"fay/old/{one.notebook}.ipynb",
        "g+h/a.ipynb",
        "Jose\u0301.ipynb",
        ".hidden/x.ipynb",
        "notes.txt",
        "ivy.zip",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    found = {s.student: s for s in collect.find(tmp_path, one)}
    assert list(found) == ["José", "ada", "bob", "cleo", "dan", "eve", "fay", "g+h"]
    assert collect.ignored(tmp_path) == ["ivy.zip", "notes.txt"]
    assert found["fay"].remarks == ("the notebook was called final.ipynb", "of 2 notebooks final.ipynb was graded")
    with pytest.raises(Unreadable, match="cannot be a student id"):
        collect.read(found["g+h"])
    assert found["bob"].notebook.parent.name == "deep"
    assert found["cleo"].remarks == ("the notebook was called other.ipynb",)
    assert found["dan"].notebook is None


def test_deleted_graded_cells_come_back_in_their_place():
    def cell(name, text):
        made = nbformat.v4.new_code_cell(text)
        made.metadata["nbgrader"] = {"grade_id": name}
        return made

    released = nbformat.v4.new_notebook(cells=[cell(name, name) for name in "abcd"])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("mine"), cell("b", "answer")])
    assert collect._put_back(notebook, released) == ["put back the deleted cells a, c, d"]
    assert [c.source for c in notebook.cells] == ["a", "mine", "answer", "c", "d"]
    with pytest.raises(Unreadable, match="another notebook"):
        collect._put_back(nbformat.v4.new_notebook(cells=[]), released)


def made(kind: str, source: str, name: str = ""):
    cell = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[kind](source)
    if name:
        cell.metadata["nbgrader"] = {"grade_id": name}
    return cell


def test_copied_cells_keep_one_name_and_all_text():
    copies = [made("markdown", text, "open") for text in ("first", "first", "second")]
    notebook = nbformat.v4.new_notebook(cells=[*copies, made("code", "f = 1", "f"), made("code", "f = 2", "f")])
    assert collect._join_copies(notebook) == [f"the cell {name} occurred more than once" for name in ("open", "f")]
    assert [collect.grade_id(cell) for cell in notebook.cells] == ["open", None, None, "f", None]
    assert notebook.cells[0].source == "first\n\nsecond"
    assert collect._join_copies(notebook) == []


def test_an_open_answer_below_its_cell_is_taken_in():
    released = nbformat.v4.new_notebook(cells=[made("markdown", "Answer here", "open"), made("markdown", "## 8")])
    below = [made("markdown", "Because"), made("code", "1 + 1"), made("markdown", "so.")]
    notebook = nbformat.v4.new_notebook(cells=[released.cells[0].copy(), *below, released.cells[1]])
    assert collect._take_in_answers(notebook, released) == ["the answer to open stood below its cell"]
    assert notebook.cells[0].source == "Because\n\nso."
    assert collect._take_in_answers(notebook, released) == [], "an answered cell is left alone"
    untouched = nbformat.v4.new_notebook(cells=[released.cells[0].copy(), released.cells[1]])
    assert collect._take_in_answers(untouched, released) == []


def test_a_stranger_to_the_list_is_named_with_the_likeliest_student(course, tmp_path):
    course.set_students(EVERY[0], ["hugo", "zoë"])
    for student, words in (("Hugo", "not on the list .* did you mean hugo"), ("kim", "not on the list .*to$")):
        with pytest.raises(Unreadable, match=words):
            collect.submit(course, EVERY[0], Submission(student, tmp_path / "any.ipynb"))


@pytest.mark.parametrize(
    ("row", "marked", "shown", "score", "waits"),
    [
        (None, {}, ("", ""), None, True),
        (_Row("", "well"), {}, ("", "well"), None, True),
        (_Row("2,5", "good"), {}, ("2,5", "good"), 2.5, False),
        (_Row("2.5", "good"), {"open": "now"}, ("2.5", "good"), 2.5, False),
        (_Row("3", "good"), {"open": "before"}, ("", "an earlier answer got 3: good"), None, True),
        (_Row("", "good"), {"open": "now"}, ("", "good"), None, True),
    ],
    ids=["new", "waiting", "marked", "again", "rewritten", "taken back"],
)
def test_a_mark_by_hand_belongs_to_the_answer_it_was_given_for(row, marked, shown, score, waits):
    before = 3.0 if marked else None
    grade = SimpleNamespace(cell=SimpleNamespace(name="open"), manual_score=before, score=0.0)
    grade.needs_manual_grade = not marked
    note = SimpleNamespace(manual_comment=None)
    assert hand_marks._settle(grade, note, row, marked, "now") == shown
    assert (grade.manual_score, grade.needs_manual_grade) == (score, waits)
    assert marked == ({} if waits else {"open": "now"})


def test_a_table_of_marks_is_read_as_spreadsheets_write_it(tmp_path, refuses):
    path = tmp_path / "hand_marks_lab00.csv"
    path.write_text("student;question;points;out of;comment\nZoë;open;2,5;4;good; really\n", encoding="utf-8-sig")
    assert hand_marks._read(path) == {("Zoë", "open"): ("2,5", "good")}
    path.write_bytes("student,question,points,out of,comment\nZoë,open,2,4,\n".encode("cp1252"))
    with refuses("is not UTF-8"):
        hand_marks._read(path)


def test_a_missing_notebook_is_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="no notebook"):
        collect.read(Submission("ada", None, ("0 notebooks",)))
    with pytest.raises(Unreadable, match="no valid notebook"):
        collect.read(Submission("ada", tmp_path / "gone.ipynb"))


@every_lab
def test_points_and_minutes_in_the_header_are_those_of_the_exercises(one):
    notebook = jupytext.read(one.source)
    header, found = notebook.cells[0].source, timing.exercises(notebook)
    tests = one.lab.module("exercises")
    graded = [cell.metadata["check"] for cell in notebook.cells if "check" in cell.metadata]
    open_points = [cell.metadata["points"] for cell in notebook.cells if "open" in cell.metadata]
    points = [len(getattr(tests, name).tests) for name in graded]
    assert [p for *_, p in found] == [*points, *open_points]
    assert f"| Exercises | {len(points)}, worth {sum(points)} point" in header
    assert f"and an open question worth {sum(open_points)} |" in header
    assert f"and {sum(minutes for _, minutes, _ in found)} for the exercises" in header
    assert len(open_points) == 1


@every_lab
def test_a_rubric_shares_out_all_points_of_its_question(one):
    cells = jupytext.read(one.source).cells
    questions = {c.metadata["open"]: c.metadata["points"] for c in cells if "open" in c.metadata}
    rubrics = {c.metadata["rubric"]: c.source for c in cells if "rubric" in c.metadata}
    assert questions.keys() == rubrics.keys()
    for name, rubric in rubrics.items():
        assert sum(int(points) for points in re.findall(r"^\| (\d+) \|", rubric, re.M)) == questions[name]


@every_lab
def test_the_pack_is_whole(one, course):
    students = ["ada", "bob"]
    course.set_students(one, students)
    folder = pack(course, one, [])
    solved = nbformat.read(folder / f"{one.notebook}.ipynb", as_version=4)
    assert not any("NotImplementedError" in cell.source for cell in solved.cells if cell.cell_type == "code")
    key, rubric, wrong, plan = (
        (folder / f"{name}.md").read_text(encoding="utf-8")
        for name in ("answer_key", "rubric", "wrong_answers", "timing")
    )
    exercises = [c.metadata["exercise"] for c in jupytext.read(one.source).cells if "exercise" in c.metadata]
    for name in exercises:
        assert f"## {name}\n" in key
        assert f"## {name}\n" in wrong
    assert all(re.search(rf"^\| {student} \| \S.* \| [\d.]+ \|$", key, re.M) for student in students)
    assert "A full answer" in rubric
    assert "| points | for |" in rubric
    assert wrong.count("\n> ") >= 3 * len(exercises)
    spans = [tuple(map(int, span)) for span in re.findall(r"^\| (\d+)–(\d+) \|", plan, re.M)]
    assert spans[0][0] == 0
    assert spans[-1][1] == timing.CLASS
    assert all(end == start for (_, end), (start, _) in pairwise(spans))


def test_a_student_folder_with_a_stranger_s_variant_is_told(course, tmp_path):
    one = EVERY[0]
    course.build_source(one)
    released = nbformat.read(course.build_source(one, "solved"), as_version=4)
    course.release(one).parent.mkdir(parents=True)
    nbformat.write(released, course.release(one))
    course.set_students(one, ["ada"])
    folder = tmp_path / "submissions" / "ada"
    folder.mkdir(parents=True)
    nbformat.write(released, folder / f"{one.notebook}.ipynb")
    course.write_variant(one, "bob", folder)
    (submission,) = collect.find(folder.parent, one)
    assert collect.submit(course, one, submission) == ("it came with the variant of bob; graded with that of ada",)
    given = json.loads((course.submitted(one, "ada") / variants.FILE).read_text())
    assert given == {"student": "ada", "seed": course.seed(one, "ada")}


def test_a_release_with_variants_is_graded_anew(course, tmp_path):
    one = EVERY[0]
    submission = Submission("ada", course.build_source(one))
    course.release(one).parent.mkdir(parents=True)
    course.release(one).write_bytes(submission.notebook.read_bytes())
    Outcomes(course, one).keep(submission, "graded", [])
    assert Outcomes(course, one).has(submission)
    course.set_students(one, ["ada"])
    assert not Outcomes(course, one).has(submission)


def test_whoever_is_added_to_the_list_is_graded_then_and_nobody_else_again(course):
    one = EVERY[0]
    notebook = course.build_source(one)
    course.release(one).parent.mkdir(parents=True)
    course.release(one).write_bytes(notebook.read_bytes())
    course.set_students(one, ["ada"])
    ada, hugo = Submission("ada", notebook), Submission("hugo", notebook)
    Outcomes(course, one).keep(ada, "graded", [])
    Outcomes(course, one).keep(hugo, "not graded", ["hugo is not on the list"])
    assert Outcomes(course, one).has(hugo)
    course.set_students(one, ["ada", "hugo"])
    assert not Outcomes(course, one).has(hugo)
    assert Outcomes(course, one).has(ada)


def test_a_stopped_round_says_that_nothing_is_lost(course, tmp_path, monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("vqlab.classroom.grade.grade", stopped)
    assert main(["grade", "00", str(tmp_path), "--course", str(course.folder)]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert main(["grade", "00", str(tmp_path), "--gigabytes", "0"]) == 1
    assert "at least 1 gigabyte" in capsys.readouterr().err


def test_without_nbgrader_one_sentence_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["assignment", "00"]) == 1
    assert "pip install -e .[classroom]" in capsys.readouterr().err
