"""Right answers in whatever form students hand them in: full marks, and a remark where something was odd."""

import copy
import json
import re

import pytest
from submissions import ODD, cell_of, odd, solved

from vqlab import labs
from vqlab.classroom import judge
from vqlab.classroom.collect import HandIn
from vqlab.classroom.course import write
from vqlab.classroom.reading import Unreadable, read
from vqlab.classroom.sandbox import Job, sandbox
from vqlab.notebooks.build import build

LAB, NAME = labs.find("02"), "token_purity"
EXERCISE = LAB.exercises()[NAME]
RELEASED = build(LAB.source, assignment=True)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Remarks and feedback for every odd hand-in; one process asks them all."""
    folder, jobs, remarks = tmp_path_factory.mktemp("odd"), [], []
    for student, text in odd(LAB, NAME).items():
        write(folder / f"{student}.ipynb", text)
        answers = read(HandIn(student, folder / f"{student}.ipynb"), RELEASED)
        jobs.append(Job(EXERCISE, answers.code[NAME], EXERCISE.questions(3)))
        remarks.append(answers.remarks)
    with sandbox(LAB, minutes=0.1) as box:
        asked = {function.__name__: function() for function, _ in LAB.module("exercises").VARIANTS.values()}
        replies = box.ask(jobs, asked, {})
    found = [judge._feedback(job, reply) for job, reply in zip(jobs, replies, strict=True)]
    return dict(zip(ODD, zip(remarks, found, strict=True), strict=True))


@pytest.mark.parametrize("student", ODD)
def test_honest_work_gets_all_its_marks(graded, student):
    remarks, feedback = graded[student]
    assert (feedback.marks, feedback.state) == (3, "passed"), (remarks, feedback)


def test_what_was_odd_is_said(graded):
    for student, words in (
        ("nothing odd", None),
        ("the cell copied", "token_purity occurred more than once"),
        ("no names at all", "token_purity was found by its name"),
        ("VS Code", "token_purity was found by its name"),
        ("a file of its own", "found by its name"),
    ):
        remarks = " ".join(graded[student][0])
        assert re.search(words, remarks) if words else not remarks, (student, remarks)


def test_only_what_an_exercise_needs_is_run(tmp_path):
    write(tmp_path / "ada.ipynb", odd(LAB, NAME)["the end of the kernel above"])
    code = read(HandIn("ada", tmp_path / "ada.ipynb"), RELEASED).code[NAME]
    assert [cell.source for cell in code][:-1] == ["import numpy as np"]
    assert code[-1].solves == NAME


def test_what_was_left_as_it_came_is_not_run_and_earns_nothing(tmp_path):
    write(tmp_path / "ada.ipynb", json.dumps(RELEASED))
    answers = read(HandIn("ada", tmp_path / "ada.ipynb"), RELEASED)
    assert not any(answers.code.values())
    assert not any(answers.texts.values())
    assert answers.remarks == ()


def test_an_open_answer_is_found_in_its_cell_in_its_copies_and_below(tmp_path):
    (name,) = read_texts(tmp_path, solved(LAB)).texts
    notebook = build(LAB.source)
    cell = cell_of(notebook, name)
    cell.source, written = "First.", cell.source
    assert read_texts(tmp_path, notebook).texts[name] == "First."
    copied = copy.deepcopy(cell)
    copied.source = "Second."
    notebook.cells.insert(notebook.cells.index(cell) + 1, copied)
    assert read_texts(tmp_path, notebook).texts[name] == "First.\n\nSecond."
    notebook.cells.remove(copied)
    cell.source = written
    del copied.metadata["nbgrader"]
    copied.id = "own"
    notebook.cells.insert(notebook.cells.index(cell) + 1, copied)
    answers = read_texts(tmp_path, notebook)
    assert (answers.texts[name], answers.remarks) == ("Second.", (f"the answer to {name} stood below its cell",))


def read_texts(folder, notebook):
    write(folder / "one.ipynb", json.dumps(notebook))
    return read(HandIn("one", folder / "one.ipynb"), RELEASED)


def test_a_notebook_of_something_else_is_told(tmp_path):
    write(tmp_path / "ada.ipynb", json.dumps(build(labs.find("00").source)))
    with pytest.raises(Unreadable, match="another notebook"):
        read(HandIn("ada", tmp_path / "ada.ipynb"), RELEASED)
