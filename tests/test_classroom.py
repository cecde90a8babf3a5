"""Courses, seeds, lists of students, collecting, and the teacher's pack: all that needs no grading."""

import json
import re
from importlib import import_module
from itertools import pairwise

import jupytext
import nbformat
import pytest

from vqlab.__main__ import main
from vqlab.classroom import collect, timing
from vqlab.classroom.collect import Submission, Unreadable
from vqlab.classroom.course import Course, assignment, assignments, read_students
from vqlab.classroom.grade import Outcomes
from vqlab.classroom.pack import pack
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
    keys = import_module(f"vqlab.exercises.{one.name}").KEYS
    assert keys
    monkeypatch.chdir(tmp_path)
    for key in keys.values():
        assert variants.seed() == 0
        found = set()
        for seed in range(1, 40):
            (tmp_path / variants.FILE).write_text(json.dumps({"seed": seed}))
            found.add(key())
            assert key() == key()
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
        ("../evil\n", "cannot be a student id"),
        ("a/b\n", "cannot be a student id"),
        ("-x\n", "cannot be a student id"),
    ):
        path.write_text(text)
        with refuses(words):
            read_students(path)
    path.write_bytes(b"\xff\xfe\xfa")
    with refuses("cannot be read"):
        read_students(path)
    with refuses("cannot be read"):
        read_students(tmp_path / "missing.txt")


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
        ".hidden/x.ipynb",
        "notes.txt",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    found = {s.student: s for s in collect.find(tmp_path, one)}
    assert list(found) == ["ada", "bob", "cleo", "dan", "eve"]
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


def test_a_missing_notebook_is_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="no notebook"):
        collect.read(Submission("ada", None, ("0 notebooks",)))
    with pytest.raises(Unreadable, match="no valid notebook"):
        collect.read(Submission("ada", tmp_path / "gone.ipynb"))


@every_lab
def test_points_and_minutes_in_the_header_are_those_of_the_exercises(one):
    notebook = jupytext.read(one.source)
    header, found = notebook.cells[0].source, timing.exercises(notebook)
    tests = import_module(f"vqlab.exercises.{one.name}")
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
    folder = pack(course, one, students)
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
    assert all(re.search(rf"^\| {student} \| [\d.]+ \|$", key, re.M) for student in students)
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
    course.set_individual(one, True)
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
    course.set_individual(one, True)
    assert not Outcomes(course, one).has(submission)


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
