"""The verdict on one hand-in: graded or not, and why; and the trial that this machine can judge at all."""

import difflib
import hashlib
import json
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import rmtree

from vqlab import LabError, doctor
from vqlab.classroom import students
from vqlab.classroom.collect import HandIn
from vqlab.classroom.course import Course, write
from vqlab.classroom.record import forget, gradebook, marks_of
from vqlab.classroom.repair import Unreadable, grade_id, repaired
from vqlab.classroom.run import run
from vqlab.exercises import variants
from vqlab.labs import Lab
from vqlab.notebooks.build import SOLVED, build

_NOT_FOR_TRIALS = ("submitted", "autograded", "feedback", "handout", "logs", "pack", "*.lock", ".*")


@dataclass(frozen=True)
class Verdict:
    """What became of a hand-in. answers: a short digest of the source of every named cell, if it was graded."""

    graded: bool
    remarks: list[str]
    answers: dict[str, str] = field(default_factory=dict)


def judge(course: Course, lab: Lab, hand_in: HandIn, **limits: float) -> Verdict:
    """Grade one hand-in; one that cannot be graded leaves an earlier one of the same student, and its marks, in place.

    limits: minutes and gigabytes, see `run`.   Raises: MachineFault or LabError where the machine is to blame.
    """
    student = hand_in.student
    try:
        _check_is_expected(course, lab, student)
        notebook, remarks = repaired(hand_in, nbformat.read(course.release(lab), as_version=4))
    except Unreadable as error:
        return Verdict(False, [str(error)])
    with tempfile.TemporaryDirectory(prefix=".judging-", dir=course.folder, ignore_cleanup_errors=True) as folder:
        scratch = Course(Path(folder))
        submitted = scratch.place("submitted", lab, student)
        write(submitted / f"{lab.notebook}.ipynb", nbformat.writes(notebook))
        remarks += _settle_variant(course, lab, hand_in, submitted)
        if problem := run(course, lab, student, root=scratch.folder, **limits):
            if not course.place("autograded", lab, student).exists():
                forget(course, lab, student)
            return Verdict(False, [*remarks, problem])
        for step in ("submitted", "autograded", "feedback"):
            place = course.place(step, lab, student)
            if place.exists():
                rmtree(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(scratch.place(step, lab, student), place)
    return _graded(course, lab, student, remarks)


def _check_is_expected(course: Course, lab: Lab, student: str) -> None:
    listed = course.students(lab)
    if listed and student not in listed:
        folded = {other.casefold(): other for other in listed}
        close = difflib.get_close_matches(student.casefold(), folded, n=1)
        hint = f": did you mean {folded[close[0]]}?" if close else ""
        raise Unreadable(f"{student} is not on the list that {lab.name} was released to{hint}")


def _settle_variant(course: Course, lab: Lab, hand_in: HandIn, folder: Path) -> list[str]:
    """Put the student's own variant beside the notebook, whichever came with it; says so if that was another's."""
    path = hand_in.notebook.parent / variants.FILE
    came_with, own = None, (None, *([hand_in.student] if course.students(lab) else []))
    if path.is_file():
        with suppress(Exception):  # edited or damaged: it is written afresh in any case
            came_with = students.composed(str(json.loads(path.read_text(encoding="utf-8"))["student"]))
    graded = f"without variants, as {lab.name} was released"
    if course.students(lab):
        course.write_variant(lab, hand_in.student, folder)
        graded = f"with that of {hand_in.student}"
    return [f"it came with the variant of {came_with}; graded {graded}"] if came_with not in own else []


def _graded(course: Course, lab: Lab, student: str, remarks: list[str]) -> Verdict:
    notebook = nbformat.read(course.place("autograded", lab, student) / f"{lab.notebook}.ipynb", as_version=4)
    answers = {name: _digest(cell.source) for cell in notebook.cells if (name := grade_id(cell))}
    return Verdict(True, [*remarks, *_what_stopped(notebook)], answers)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _what_stopped(notebook: NotebookNode) -> list[str]:
    """What the student should know of cells that ended in an error, at most three; blank exercises are no error."""
    found = []
    for number, cell in enumerate(notebook.cells, 1):
        name = grade_id(cell) or f"cell {number}"
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        if any(error.ename == "CellTimeoutError" for error in errors):
            found.append(f"{name} ran too long and was stopped")
            continue
        found += [
            f"{name} stopped with {error.ename}: {error.evalue}".rstrip(": ")[:160]
            for error in errors
            if error.ename != "NotImplementedError"
        ]
    return found[:3]


def try_out(course: Course, lab: Lab, **limits: float) -> None:
    """Make sure that grading can work here, before anybody gets a zero for a missing package.

    Raises: LabError if a package is missing, or if the solved notebook does not get full marks, or the blank one any.
    """
    for check in doctor.checks():
        finding = doctor.examine(check)
        if check.name in doctor.PACKAGES and finding.status == doctor.FAIL:
            raise LabError(f"grading cannot start: {finding.text}; {finding.mend}")
    with tempfile.TemporaryDirectory() as folder:
        trial = Course(Path(folder) / "course")
        shutil.copytree(course.folder, trial.folder, ignore=shutil.ignore_patterns(*_NOT_FOR_TRIALS))
        trial.set_students(lab, [])
        solved = Path(folder) / "solved.ipynb"
        write(solved, nbformat.writes(build(lab.source, SOLVED, assignment=True)))
        for student, notebook in (("solved", solved), ("blank", trial.release(lab))):
            verdict = judge(trial, lab, HandIn(student, notebook), **limits)
            reason = "; ".join(verdict.remarks) or "no reason given"
            if not verdict.graded:
                raise LabError(f"grading cannot start: the {student} notebook was not graded ({reason})")
            with gradebook(trial) as book:
                every = marks_of(book, lab, student).values()
            earned, most = (sum(pair[i] for pair in every if pair[0] is not None) for i in (0, 1))
            if earned != (most if student == "solved" else 0):
                raise LabError(
                    f"grading cannot start: the {student} notebook got {earned:g} of {most:g} points "
                    f"({reason}): run `python -m vqlab doctor` and mend what it names"
                )
