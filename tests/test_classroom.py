"""Courses, seeds, lists of students, collecting, and the teacher's pack: all that needs no grading."""

import gzip
import json
import os
import re
import shutil
import sqlite3
from functools import partial
from itertools import pairwise

import jupytext
import nbformat
import pytest

from vqlab import labs
from vqlab.__main__ import main
from vqlab.classroom import collect, hand_marks, judge, reading, record, students
from vqlab.classroom.collect import HandIn
from vqlab.classroom.course import Course, write
from vqlab.classroom.grade import grade
from vqlab.classroom.hand_marks import Row
from vqlab.classroom.judge import Verdict
from vqlab.classroom.reading import Unreadable
from vqlab.classroom.record import Results
from vqlab.classroom.release import release
from vqlab.classroom.sandbox import Reply
from vqlab.exercises import variants
from vqlab.exercises.running import Outcome
from vqlab.notebooks.build import SOLVED, build
from vqlab.notebooks.pack import CLASS, exercises, write_pack

EVERY = labs.every()
every_lab = pytest.mark.parametrize("lab", EVERY, ids=[lab.name for lab in EVERY])


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path / "course").prepare()


def test_a_lab_is_named_by_number_or_name(refuses):
    assert labs.find("1") == labs.find("01") == labs.find("lab01") == labs.find("01_tokens")
    with refuses("there is no lab '77': choose from 00, 01"):
        labs.find("77")


def test_seeds_are_steady_differ_and_depend_on_the_course(course, tmp_path):
    ids = [f"student {i}" for i in range(200)]
    seeds = [course.seed(EVERY[0], student) for student in ids]
    assert seeds == [course.seed(EVERY[0], student) for student in ids]
    assert len(set(seeds)) == 200
    assert seeds != [course.seed(EVERY[1], student) for student in ids]
    assert seeds != [Course(tmp_path / "other").prepare().seed(EVERY[0], student) for student in ids]
    assert course.prepare().seed(EVERY[0], "student 0") == seeds[0], "preparing again must not change the secret"


def test_a_damaged_variant_is_named(tmp_path, monkeypatch, refuses):
    monkeypatch.chdir(tmp_path)
    for text in ("", "{}", '{"seed": "x"}', "[1]"):
        (tmp_path / variants.FILE).write_text(text)
        with refuses("put back the one you were given"):
            variants.seed()


def test_a_list_of_students_is_read_and_checked(tmp_path, refuses):
    path = tmp_path / "students.csv"
    path.write_text("student,name\nada,Ada\n\nZoë Müller,Z\n李雷,L\n", encoding="utf-8-sig")
    assert students.read_list(path) == ["ada", "Zoë Müller", "李雷"]
    for text, words in (
        ("", "is empty"),
        ("student\n", "is empty"),
        ("ada\n\nada\nbob\nbob\nada\n", "names ada in lines 1, 3 and 6; bob in lines 4 and 5: keep one line"),
        ("ada\nAda\n", "names Ada, ada twice"),
        ("Jos\u00e9\nJose\u0301\n", "names José in lines 1 and 2"),
        ("x" * 300, "more than 80 characters"),
        ("../evil\n", "cannot be a student id"),
        ("a/b\n", "cannot be a student id"),
        ("-x\n", "cannot be a student id"),
        ("a\u202efdp.exe\n", "cannot be a student id"),
        ("zero\u200bwidth\n", "cannot be a student id"),
        ("nul\n", "that Windows keeps for itself"),
        ("Com1.x\n", "that Windows keeps for itself"),
        ("ada.\n", "ends with a dot"),
    ):
        path.write_text(text, encoding="utf-8")
        with refuses(words):
            students.read_list(path)
    path.write_bytes(b"\xff\xfe\xfa")
    with refuses("is not UTF-8"):
        students.read_list(path)
    with refuses("cannot be read: No such file"):
        students.read_list(tmp_path / "missing.txt")


def test_a_table_of_students_says_which_column_holds_the_ids(tmp_path, refuses):
    path = tmp_path / "students.csv"
    for text in (
        "Student ID;Name\njsmith;John Smith\nzmu;Müller, Zoë\n",
        "Name\tusername\nJohn Smith\tjsmith\n\nMüller, Zoë\tzmu\n",
        'Name,student_id,\nJohn Smith,jsmith,\n"Müller, Zoë",zmu,\n',
        "jsmith\r\nzmu\r\n",
        "ID\njsmith,,\nzmu\n",
    ):
        path.write_bytes(text.encode())
        assert students.read_list(path) == ["jsmith", "zmu"], text
    path.write_text('"Müller, Zoë"\n')
    assert students.read_list(path) == ["Müller, Zoë"]
    unclear = f"of the list of students {path} does not say which part is the id, "
    for text, words in (
        ("jsmith;John Smith\n", f"line 1 {unclear}'jsmith, John Smith': write one id"),
        ("ada\njsmith;John Smith\n", f"line 2 {unclear}'jsmith;John Smith'"),
        ("ada\n\nMüller, Zoë\n", f"line 3 {unclear}'Müller, Zoë'"),
        ("ada\njsmith\tJohn\n", f"line 2 {unclear}"),
        ("Login,Name\njsmith,John\n", f"line 1 {unclear}'Login, Name'"),
        ("student\nMüller, Zoë\n", f"line 2 {unclear}'Müller, Zoë'"),
        ("student\njsmith;John\n", f"line 2 {unclear}'jsmith;John'"),
        ("id,name\nada,Ada\nbob,Bob,x\n", f"line 3 {unclear}'bob, Bob, x'"),
        ("name,id\nAda,ada\nBob\n", f"line 3 {unclear}'Bob'"),
        ("id;name\n;Ada\n", f"line 2 {unclear}', Ada'"),
    ):
        path.write_text(text)
        with refuses(words):
            students.read_list(path)


def test_a_course_that_cannot_be_written_is_one_sentence(tmp_path, refuses):
    (tmp_path / "file").write_text("not a folder")
    with refuses("could not write"):
        Course(tmp_path / "file").prepare()
    write(tmp_path / "whole", "old")
    (tmp_path / "whole.partial").mkdir()  # nothing can be written there
    with refuses("could not write"):
        write(tmp_path / "whole", "new")
    assert (tmp_path / "whole").read_text() == "old"


def test_variants_are_not_taken_back_by_forgetting_the_list(course, refuses):
    course.set_students(EVERY[0], ["ada", "bob"])
    with refuses("was released with a variant for each of 2 students"):
        release(course, EVERY[0])


def test_the_pack_gives_no_answers_of_another_course(course, refuses):
    course.set_students(EVERY[0], ["ada"])
    with refuses("was not released to bob"):
        course.seeds(EVERY[0], ["ada", "bob"])
    assert list(course.seeds(EVERY[0])) == ["ada"]


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
    lab = EVERY[0]
    for path in (
        f"ada/{lab.notebook}.ipynb",
        f"bob/deep/{lab.notebook}.ipynb",
        f"bob/.ipynb_checkpoints/{lab.notebook}.ipynb",
        "cleo/other.ipynb",
        "dan/a.ipynb",
        "dan/b.ipynb",
        "eve.ipynb",
        "fay/final.ipynb",
        f"fay/old/{lab.notebook}.ipynb",
        "g+h/a.ipynb",
        "Jose\u0301.ipynb",
        ".hidden/x.ipynb",
        "notes.txt",
        "ivy.zip",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    hand_ins, ignored = collect.find(tmp_path, lab)
    found = {hand_in.student: hand_in for hand_in in hand_ins}
    assert list(found) == ["José", "ada", "bob", "cleo", "dan", "eve", "fay", "g+h"]
    assert ignored == ["ivy.zip (an archive: unpack it)", "notes.txt"]
    assert found["fay"].remarks == ("the notebook was called final.ipynb", "of 2 notebooks final.ipynb was graded")
    with pytest.raises(Unreadable, match="cannot be a student id"):
        reading.read(found["g+h"], None)
    assert found["bob"].notebook.parent.name == "deep"
    assert found["cleo"].remarks == ("the notebook was called other.ipynb",)
    assert found["dan"].notebook is None


def test_a_stranger_to_the_list_is_named_with_the_likeliest_student(course, tmp_path):
    course.set_students(EVERY[0], ["hugo", "zoë"])
    for student, words in (("Hugo", "not on the list .* did you mean hugo"), ("kim", "not on the list .*to$")):
        verdict = judge.judge(course, EVERY[0], HandIn(student, tmp_path / "any.ipynb"), None)
        assert not verdict.graded
        assert re.search(words, *verdict.remarks)
        assert verdict.told == ["the name that it came under is not on the list of the class: ask which name to use"]


def test_a_module_that_is_missed_only_once_a_function_is_called_is_found_too():
    said = "Your code raised ModuleNotFoundError: No module named 'pandoras'."
    assert judge._missing_module(Reply([Outcome(), Outcome(fault=said, raised=True)])) == "pandoras"
    of_ours = "a cell stopped with ModuleNotFoundError: No module named 'vqlab.classroom'"
    assert judge._missing_module(Reply(None, (of_ours,))) == "", "a part of a package that is here"


NOTED = {"points": 3.0, "comment": "good", "of": "now"}
BEFORE, EARLIER = NOTED | {"of": "before"}, {"points": 3.0, "comment": "good"}
SAYS = "an earlier answer got 3: good"


@pytest.mark.parametrize(
    ("row", "mark", "earlier", "shown", "kept", "asks_again"),
    [
        (None, None, None, ("", ""), None, None),
        (Row("", "well"), None, None, ("", "well"), None, None),
        (Row("2,5", "good"), None, None, ("2,5", "good"), NOTED | {"points": 2.5}, None),
        (Row("3", "good"), NOTED, None, ("3", "good"), NOTED, None),
        (Row("3", "good"), BEFORE, None, ("", SAYS), None, EARLIER),
        (Row("", "good"), NOTED, None, ("", "good"), None, None),
        (Row("", "good"), BEFORE, None, ("", "good"), None, None),
        (None, NOTED, None, ("3", "good"), NOTED, None),
        (None, BEFORE, None, ("", SAYS), None, EARLIER),
        (Row("3", "good", "before"), None, None, ("", SAYS), None, EARLIER),
        (Row("3", "good", "now"), None, None, ("3", "good", "now"), NOTED, None),
        (Row("3", "good", "now"), BEFORE, None, ("3", "good", "now"), NOTED, None),
        (Row("", "", "before"), None, None, ("", "", "before"), None, None),
        (Row("", SAYS, "now"), None, EARLIER, ("", SAYS, "now"), None, EARLIER),
        (Row("", "", "now"), None, EARLIER, ("", SAYS, "now"), None, EARLIER),
        (None, None, EARLIER, ("", SAYS), None, EARLIER),
        (Row("3", "good", "now"), None, EARLIER, ("3", "good", "now"), NOTED, None),
        (Row("3", "good"), None, EARLIER, ("3", "good"), NOTED, None),
    ],
    ids=[
        *("new", "waiting", "marked", "again", "rewritten", "taken back", "taken back and rewritten", "table lost"),
        *("lost and rewritten", "rewritten before it was marked", "marked as read", "marked as read though noted"),
        *("rewritten and waiting", "asked again", "asked again on the page", "asked again and the table lost"),
        *("marked again", "marked again by a row without a digest"),
    ],
)
def test_a_mark_by_hand_belongs_to_the_answer_it_was_given_for(row, mark, earlier, shown, kept, asks_again):
    assert hand_marks.settle(mark, earlier, row, "now") == (kept, asks_again, Row(*shown))


def test_a_table_of_marks_is_read_as_spreadsheets_write_it(tmp_path, refuses):
    path = tmp_path / "hand_marks_lab00.csv"
    path.write_text("student;question;points;out of;comment\nZoë;open;2,5;4;good; really\n", encoding="utf-8-sig")
    assert hand_marks.read(path) == {("Zoë", "open"): Row("2,5", "good")}
    path.write_bytes("student,question,points,out of,comment\nZoë,open,2,4,\n".encode("cp1252"))
    with refuses("is not UTF-8"):
        hand_marks.read(path)


def test_a_missing_notebook_is_unreadable(tmp_path):
    released = build(EVERY[0].source)
    with pytest.raises(Unreadable, match="no notebook"):
        reading.read(HandIn("ada", None, ("0 notebooks",)), released)
    with pytest.raises(Unreadable, match="no valid notebook"):
        reading.read(HandIn("ada", tmp_path / "gone.ipynb"), released)


@every_lab
def test_points_and_minutes_in_the_header_are_those_of_the_exercises(lab):
    notebook = jupytext.read(lab.source)
    header, found = notebook.cells[0].source, exercises(notebook)
    tests = lab.module("exercises")
    graded = [cell.metadata["check"] for cell in notebook.cells if "check" in cell.metadata]
    open_points = [cell.metadata["points"] for cell in notebook.cells if "open" in cell.metadata]
    points = [len(getattr(tests, name).tests) for name in graded]
    assert [p for *_, p in found] == [*points, *open_points]
    assert f"| Exercises | {len(points)}, worth {sum(points)} point" in header
    assert f"and an open question worth {sum(open_points)} |" in header
    assert f"and {sum(minutes for _, minutes, _ in found)} for the exercises" in header
    assert len(open_points) == 1


@every_lab
def test_a_rubric_shares_out_all_points_of_its_question(lab):
    cells = jupytext.read(lab.source).cells
    questions = {c.metadata["open"]: c.metadata["points"] for c in cells if "open" in c.metadata}
    rubrics = {c.metadata["rubric"]: c.source for c in cells if "rubric" in c.metadata}
    assert questions.keys() == rubrics.keys()
    for name, rubric in rubrics.items():
        assert sum(int(points) for points in re.findall(r"^\| (\d+) \|", rubric, re.M)) == questions[name]


@every_lab
def test_the_pack_is_whole(lab, tmp_path):
    folder = tmp_path / "pack"
    write_pack(lab, folder, {"ada": 1, "bob": 2})
    solved = nbformat.read(folder / f"{lab.notebook}.ipynb", as_version=4)
    assert not any("NotImplementedError" in cell.source for cell in solved.cells if cell.cell_type == "code")
    key, rubric, wrong, plan = (
        (folder / f"{name}.md").read_text(encoding="utf-8")
        for name in ("answer_key", "rubric", "wrong_answers", "timing")
    )
    names = [c.metadata["exercise"] for c in jupytext.read(lab.source).cells if "exercise" in c.metadata]
    for name in names:
        assert f"## {name}\n" in key
        assert f"## {name}\n" in wrong
    assert all(re.search(rf"^\| {student} \| \S.* \| [-\d., ]+ \|$", key, re.M) for student in ("ada", "bob"))
    assert "A full answer" in rubric
    assert "| points | for |" in rubric
    assert wrong.count("\n> ") >= 3 * len(names)
    spans = [tuple(map(int, span)) for span in re.findall(r"^\| (\d+)–(\d+) \|", plan, re.M)]
    assert spans[0][0] == 0
    assert spans[-1][1] == CLASS
    assert all(end == start for (_, end), (start, _) in pairwise(spans))


@pytest.fixture
def released(course):
    """A course in which the first lab was released to ada: (course, lab)."""
    lab = EVERY[0]
    write(course.release(lab), nbformat.writes(build(lab.source)))
    course.set_students(lab, ["ada"])
    return course, lab


def test_a_student_folder_with_a_stranger_s_variant_is_told(released, tmp_path):
    course, lab = released
    folder = tmp_path / "submissions" / "ada"
    write(folder / f"{lab.notebook}.ipynb", nbformat.writes(build(lab.source, SOLVED)))
    write(folder / variants.FILE, course.variant(lab, "bob"))
    ((hand_in,), _) = collect.find(folder.parent, lab)
    said = judge._foreign_variant(course, lab, hand_in)
    assert said == ["it came with the variant of bob; graded with that of ada"]
    write(folder / variants.FILE, course.variant(lab, "ada"))
    assert judge._foreign_variant(course, lab, hand_in) == []


def test_what_lies_beside_a_notebook_comes_along_if_it_is_code(tmp_path):
    lab, folder = EVERY[0], tmp_path / "all" / "ada"
    for name, text in {f"{lab.notebook}.ipynb": "{}", "helper.py": "x = 1", "data.csv": "1", "old.zip": "PK"}.items():
        write(folder / name, text)
    (folder / "stolen.py").symlink_to(folder / "helper.py")
    write(folder / "long.py", "#" * 10**6)
    os.mkfifo(folder / "endless.py")
    ((hand_in,), _) = collect.find(folder.parent, lab)
    assert hand_in.helpers == {"helper.py": "x = 1"}
    remarks = " ".join(hand_in.remarks)
    assert all(f"{name} is" in remarks for name in ("stolen.py", "long.py", "endless.py", "old.zip"))
    before = hand_in.digest
    write(folder / "helper.py", "x = 2")
    assert collect.find(folder.parent, lab)[0][0].digest != before, "another helper is another hand-in"


def test_names_as_moodle_and_canvas_give_them(tmp_path):
    lab = EVERY[0]
    for path in (
        f"Zo\u00eb M\u00fcller_123456_assignsubmission_file/{lab.notebook}.ipynb",
        f"Kim Li_99_assignsubmission_file_/{lab.notebook}.ipynb",
        f"Jo\u00e3o_da Luz_101_assignsubmission_file_{lab.notebook}.ipynb",
        "Ann_102_assignsubmission_file_lab_2_final.ipynb",
        f"leeann_LATE_1234_567_{lab.notebook}-1.ipynb",
        f"doejohn_77_8_{lab.notebook}.ipynb",
        f"plain_name/{lab.notebook}.ipynb",
    ):
        write(tmp_path / path, "{}")
    assert {h.student for h in collect.find(tmp_path, lab)[0]} == {
        "Zo\u00eb M\u00fcller",
        "Kim Li",
        "Jo\u00e3o_da Luz",
        "Ann",
        "leeann",
        "doejohn",
        "plain_name",
    }


def test_a_text_typed_beside_a_file_in_moodle_is_no_second_hand_in(tmp_path):
    lab = EVERY[0]
    for path in (
        f"Ann_102_assignsubmission_file_/{lab.notebook}.ipynb",
        "Ann_102_assignsubmission_onlinetext_/onlinetext.html",
        "Bob_103_assignsubmission_onlinetext_/onlinetext.html",
        f"Cy_104_assignsubmission_file_/{lab.notebook}.ipynb",
        f"Cy_104_assignsubmission_onlinetext_/{lab.notebook}.ipynb",
        f"Dee_105_assignsubmission_file_{lab.notebook}.ipynb",
        "Dee_105_assignsubmission_onlinetext_onlinetext.html",
    ):
        write(tmp_path / path, "{}")
    found = {hand_in.student: hand_in for hand_in in collect.find(tmp_path, lab)[0]}
    assert (found["Ann"].came_as, found["Ann"].remarks) == ("Ann_102_assignsubmission_file_", ())
    assert found["Ann"].notebook.name == found["Dee"].notebook.name.partition("file_")[2] == f"{lab.notebook}.ipynb"
    assert "0 notebooks" in found["Bob"].remarks[0]
    assert "it came more than once" in found["Cy"].remarks[0]


def test_each_day_after_the_deadline_costs_its_per_cent():
    deadline = ("2026-12-01T12:00:00+00:00", 10.0)
    for when, cost in (
        ("2026-12-01T11:59:59+00:00", 0),
        ("2026-12-01T12:00:01+00:00", 0.1),
        ("2026-12-03T11:00:00+00:00", 0.2),
        ("2027-12-03T11:00:00+00:00", 1),
        ("", 0),
    ):
        assert record.late_penalty({"when": when}, deadline) == cost
    assert record.late_penalty({"when": "2027-12-03T11:00:00+00:00"}, None) == 0


def test_a_release_with_other_variants_is_graded_anew_and_so_is_whoever_is_added_to_the_list(released):
    course, lab = released
    ada, hugo = HandIn("ada", course.release(lab)), HandIn("hugo", course.release(lab))
    Results(course, lab).keep(ada, Verdict(True, []))
    Results(course, lab).keep(hugo, Verdict(False, ["hugo is not on the list"]))
    assert Results(course, lab).has(ada)
    assert Results(course, lab).has(hugo)
    course.set_students(lab, ["ada", "hugo"])
    assert not Results(course, lab).has(hugo)
    assert Results(course, lab).has(ada)
    course.set_students(lab, [])
    assert not Results(course, lab).has(ada)


def test_a_stopped_round_says_that_nothing_is_lost(course, tmp_path, monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("vqlab.classroom.grade.grade", stopped)
    assert main(["grade", "00", str(tmp_path), "--course", str(course.folder)]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert main(["grade", "00", str(tmp_path), "--gigabytes", "0"]) == 1
    assert "at least 1 gigabyte" in capsys.readouterr().err


def test_two_commands_at_once_are_refused_and_the_lock_ends_with_the_first(released, tmp_path, refuses):
    course, lab = released
    (tmp_path / "submissions" / "ada").mkdir(parents=True)
    with course.alone():
        with refuses("is in use by another command"):
            grade(course, lab, tmp_path / "submissions")
        with refuses("is in use by another command"):
            release(course, lab)
    with course.alone():
        pass


def failing(code: int, says: str):
    """SQLite's connect, of which every statement fails so."""

    class Connection(sqlite3.Connection):
        def execute(self, *_):
            error = sqlite3.OperationalError(says)
            error.sqlite_errorcode = code
            raise error

    return partial(sqlite3.connect, factory=Connection)


def test_only_another_command_is_taken_for_one(course, monkeypatch, refuses):
    full = failing(sqlite3.SQLITE_FULL, "database or disk is full")
    with monkeypatch.context() as patched:
        patched.setattr("vqlab.classroom.course.sqlite3.connect", full)
        with refuses(f"the disk that {course.folder} is on is full: make room"), course.alone():
            pass
    (course.folder / "in_use.lock").unlink(missing_ok=True)
    (course.folder / "in_use.lock").mkdir()
    with refuses("in_use.lock (unable to open database file): delete it"), course.alone():
        pass
    (course.folder / "in_use.lock").rmdir()
    (course.folder / "in_use.lock").write_text("not a lock" * 100)
    with refuses("in_use.lock (file is not a database): delete it"), course.alone():
        pass


def test_without_room_for_temporary_files_grading_does_not_start(released, tmp_path, monkeypatch, refuses):
    def full(*_, **__):
        raise shutil.Error([("source", "target", "[Errno 28] No space left on device")] * 300)

    course, lab = released
    (tmp_path / "submissions" / "ada").mkdir(parents=True)
    with monkeypatch.context() as patched:
        patched.setattr("shutil.copytree", full)
        with refuses("takes no more temporary files: make room there, or set TMPDIR"):
            grade(course, lab, tmp_path / "submissions")

    def none_left(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(judge, "try_out", none_left)
    with refuses("grading cannot start: [Errno 28] No space left"):
        grade(course, lab, tmp_path / "submissions")


def made(kind: str, source: str):
    return {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[kind](source)


# --- One bad file stops nobody -------------------------------------------------------------------------------


def cell_with(metadata: object) -> str:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    text = json.loads(nbformat.writes(notebook))
    text["cells"][0]["metadata"]["nbgrader"] = metadata
    return json.dumps(text)


def odd_files(folder, name: str) -> dict[str, str]:
    """Hand-ins that no student should have: what is said of each."""
    deep = '{"cells":' + "[" * 100_000 + "]" * 100_000 + "}"
    texts = {"deep": deep, "text": cell_with("x"), "null": cell_with(None), "list": cell_with({"grade_id": ["a"]})}
    for student, text in (texts | {"number": "7", "cells": '{"cells": 1}', "bytes": "\x00"}).items():
        write(folder / student / name, text)
    for student in ("fifo", "link", "device", "twice", "folder link", "directory"):
        (folder / student).mkdir()
    os.mkfifo(folder / "fifo" / name)
    (folder / "link" / name).symlink_to(folder / "text" / name)
    (folder / "device" / name).symlink_to("/dev/zero")
    write(folder / "twice.ipynb", "{}")
    write(folder / "Jos\u00e9.ipynb", "{}")
    write(folder / "Jose\u0301.ipynb", "{}")
    (folder / "dir").symlink_to(folder / "text")
    (folder / "directory" / name).mkdir()
    with (folder / "huge.ipynb").open("wb") as file:
        file.truncate(200_000_000)
    os.mkdir(os.fsencode(folder) + b"/bytes \xff")
    (folder / "two\nlines").mkdir()
    write(folder / "cells without end.ipynb", json.dumps(nbformat.v4.new_notebook(cells=[made("code", "1")] * 3000)))
    (folder / "values").mkdir()
    plain = nbformat.writes(nbformat.v4.new_notebook())
    (folder / "values" / name).write_text(plain.replace('"cells": []', '"cells": [], "x": [' + "[]," * 10**6 + "[]]"))
    code = nbformat.v4.new_notebook(cells=[made("code", "a=b;" * 20_000)] * 7)
    write(folder / "statements" / name, json.dumps(code))
    (folder / "packed").mkdir()
    (folder / "packed" / name).write_bytes(gzip.compress(bytes(10**8)))
    another = "it has none of this lab's exercise cells"
    return {
        **dict.fromkeys(("bytes ?", "two\nlines"), "cannot be a student id"),
        "cells without end": "it has more than 2000 cells",
        "values": "it holds more than 2,000,000 values",
        "statements": "its code has more than 500,000 characters",
        "packed": "is no valid notebook",
        **dict.fromkeys(("deep", "number", "cells", "bytes"), "is no valid notebook"),
        **dict.fromkeys(("text", "null", "list"), another),
        **dict.fromkeys(("fifo", "directory"), "is no ordinary file"),
        **dict.fromkeys(("link", "device", "dir"), "is a link to another place"),
        **dict.fromkeys(("twice", "José"), "it came more than once"),
        "folder link": "0 notebooks",
        "huge": "is larger than",
    }


def test_whatever_a_file_holds_it_is_named_and_stops_nobody(released, tmp_path):
    course, lab = released
    course.set_students(lab, [])
    wanted = odd_files(tmp_path / "odd", f"{lab.notebook}.ipynb")
    hand_ins, _ = collect.find(tmp_path / "odd", lab)
    assert {hand_in.student for hand_in in hand_ins} == wanted.keys()
    for hand_in in hand_ins:
        verdict = judge.judge(course, lab, hand_in, None)
        assert not verdict.graded
        assert wanted[hand_in.student] in " ".join(verdict.remarks), hand_in
        (told,) = verdict.told
        assert re.search(": (open it in Jupyter, .*)?hand (it )?in ", told)
        assert not re.search("remove|ask for|JSON|came more than once|link", told), "that is for the teacher"
        assert len(hand_in.digest) > 3


# --- A later verdict, and a fault of the machine --------------------------------------------------------------


def test_a_broken_later_file_takes_no_marks_away(released):
    course, lab = released
    results, ada = Results(course, lab), HandIn("ada", course.release(lab))
    results.keep(ada, Verdict(True, ["fine"], {}, {"open": "abc"}, ["well"]))
    later = HandIn("ada", None, ("0 notebooks",))
    for _ in range(2):
        results.keep(later, Verdict(False, ["no notebook"], told=["hand in one"]))
    one = Results(course, lab).by_student["ada"]
    said = "a later hand-in is not graded (no notebook): these are the marks of the earlier one"
    assert (one["status"], one["remarks"], one["texts"]) == ("graded", ["fine", said], {"open": "abc"})
    assert one["told"] == ["well", said.replace("no notebook", "hand in one")]
    assert results.has(later), "the broken file would be judged again in every round"
    results.postpone(later, "the disk is full")
    assert not results.has(later)
    assert results.by_student["ada"]["status"] == "graded"
    results.keep(ada, Verdict(True, []))
    assert results.by_student["ada"]["remarks"] == results.by_student["ada"]["told"] == []


def test_what_the_machine_spoilt_is_tried_again(released):
    course, lab = released
    results, ada = Results(course, lab), HandIn("ada", course.release(lab))
    results.postpone(ada, "the disk is full")
    assert results.by_student["ada"]["status"] == "not graded yet"
    assert results.by_student["ada"]["told"] == ["the machine that grades failed, and tries again"]
    assert not Results(course, lab).has(ada)


def test_without_a_package_one_sentence_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["assignment", "00"]) == 1
    assert "pip install -e .[classroom]" in capsys.readouterr().err
