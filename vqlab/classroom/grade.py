"""Grade a folder of submissions, one process each; what is finished stays finished, whatever happens next."""

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat
from tqdm import tqdm

from vqlab import LabError, doctor
from vqlab.classroom import hand_marks, marks, worker
from vqlab.classroom.collect import Submission, Unreadable, find, grade_id, ignored, submit
from vqlab.classroom.course import Assignment, Course, write

MINUTES, GIGABYTES = 10.0, 2.5
_SOLVED, _BLANK = "solved", "blank"  # pseudo-students of a trial course


class Report(NamedTuple):
    """What a grading round left: the table of marks, answers to mark by hand, and who was graded or not, and why.

    missing: students who were given a variant and have handed in nothing; ignored: files that are no submissions.
    """

    table: Path
    hand_marks: Path
    waiting: int
    graded: list[str]
    not_graded: dict[str, str]
    missing: list[str]
    ignored: list[str]

    def __str__(self) -> str:
        lines = [f"{len(self.graded)} graded, {len(self.not_graded)} not; the marks are in {self.table}"]
        lines += [f"not graded: {student}: {why}" for student, why in self.not_graded.items()]
        if self.missing:
            lines.append(f"no submission of {', '.join(self.missing)}")
        if self.ignored:
            lines.append(f"ignored: {', '.join(self.ignored)}")
        if self.waiting:
            lines.append(
                f"{self.waiting} open answers wait: fill in the points in {self.hand_marks} and grade once more"
            )
        return "\n".join(lines)


def grade(
    course: Course,
    one: Assignment,
    folder: Path,
    *,
    again: bool = False,
    minutes: float = MINUTES,
    gigabytes: float = GIGABYTES,
) -> Report:
    """Grade every submission in `folder` and write marks_LAB.csv, hand_marks_LAB.csv and feedback.

    A submission that was graded before and has not changed is not graded again, unless `again`.
    minutes, gigabytes: what one submission may use.
    Raises: LabError if the assignment was not released, or if this machine cannot grade it: a solved and a blank
        pseudo-student are graded first, and must get full marks and none.
    """
    if not (course.release(one).exists() and (course.folder / "gradebook.db").exists()):
        raise LabError(f"{one.name} was not released in {course.folder}: make the assignment first")
    submissions = find(folder, one)
    outcomes = Outcomes(course, one)
    todo = [s for s in submissions if again or not outcomes.has(s)]
    try:
        if todo:
            preflight(course, one, minutes, gigabytes)
            _grade_all(course, one, todo, outcomes, minutes, gigabytes)
    finally:
        marks.write_table(course, one, outcomes.by_student)
    by_hand = hand_marks.exchange(course, one, outcomes.by_student)
    outcomes.save()
    for student in tqdm(by_hand.changed, desc="feedback", unit="student", file=sys.stderr, disable=not by_hand.changed):
        if problem := worker.run(course, one, student, minutes, gigabytes, worker.FEEDBACK):
            raise LabError(f"{student}: the feedback could not be written ({problem})")
    table = marks.write_table(course, one, outcomes.by_student)
    failed = {name: "; ".join(o["remarks"]) for name, o in outcomes.by_student.items() if o["status"] != "graded"}
    graded = [name for name in outcomes.by_student if name not in failed]
    missing = [name for name in course.students(one) if name not in outcomes.by_student]
    return Report(table, by_hand.path, by_hand.waiting, graded, failed, missing, ignored(folder))


def _grade_all(
    course: Course,
    one: Assignment,
    todo: Sequence[Submission],
    outcomes: "Outcomes",
    minutes: float,
    gigabytes: float,
) -> None:
    with tqdm(todo, unit="submission", file=sys.stderr) as bar:
        for submission in bar:
            bar.set_description(submission.student)
            outcomes.keep(submission, *_grade_one(course, one, submission, minutes, gigabytes))


def _grade_one(
    course: Course, one: Assignment, submission: Submission, minutes: float, gigabytes: float
) -> tuple[str, list[str]]:
    """Status, "graded" or "not graded", and remarks."""
    student = submission.student
    try:
        remarks = submit(course, one, submission)
    except Unreadable as error:
        marks.forget(course, one, student)
        return "not graded", [str(error)]
    problem = worker.run(course, one, student, minutes, gigabytes)
    if problem:
        marks.forget(course, one, student)
        return "not graded", [*remarks, problem]
    return "graded", [*remarks, *_what_stopped(course, one, student)]


def _what_stopped(course: Course, one: Assignment, student: str) -> list[str]:
    """What the student should know of cells that ended in an error, at most three; blank exercises are no error."""
    path = course.folder / "autograded" / student / one.name / f"{one.notebook}.ipynb"
    found = []
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells, 1):
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        name = grade_id(cell) or f"cell {number}"
        if any(error.ename == "CellTimeoutError" for error in errors):
            found.append(f"{name} ran too long and was stopped")
            continue
        found += [
            f"{name} stopped with {error.ename}: {error.evalue}".rstrip(": ")[:160]
            for error in errors
            if error.ename != "NotImplementedError"
        ]
    return found[:3]


def preflight(course: Course, one: Assignment, minutes: float = MINUTES, gigabytes: float = GIGABYTES) -> None:
    """Make sure that grading can work here, before anybody gets a zero for a missing package.

    Raises: LabError if a package is missing, or if the solved notebook does not get full marks, or the blank one any.
    """
    for check in doctor.checks():
        finding = doctor.examine(check)
        if check.name in doctor.PACKAGES and finding.status == doctor.FAIL:
            raise LabError(f"grading cannot start: {finding.text}; {finding.mend}")
    with tempfile.TemporaryDirectory() as folder:
        trial = Course(Path(folder) / "course")
        shutil.copytree(course.folder, trial.folder, ignore=_only_what_grading_needs)
        trial.set_students(one, [])
        for student, notebook in ((_SOLVED, trial.build_source(one, "solved")), (_BLANK, trial.release(one))):
            status, remarks = _grade_one(trial, one, Submission(student, notebook), minutes, gigabytes)
            reason = "; ".join(remarks) or "no reason given"
            if status != "graded":
                raise LabError(f"grading cannot start: the {student} notebook was not graded ({reason})")
            with marks.gradebook(trial) as book:
                every = marks.of_student(book, one, student).values()
            earned, most = (sum(pair[i] for pair in every if pair[0] is not None) for i in (0, 1))
            wanted = most if student == _SOLVED else 0
            if earned != wanted:
                raise LabError(
                    f"grading cannot start: the {student} notebook got {earned:g} of {most:g} points "
                    f"({reason}): run `python -m vqlab doctor` and mend what it names"
                )


def _only_what_grading_needs(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("submitted", "autograded", "feedback", "handout", "logs", "pack")]


class Outcomes:
    """What became of each submission, kept in results_LAB.json after every one."""

    def __init__(self, course: Course, one: Assignment) -> None:
        self._path = course.folder / f"results_{one.name}.json"
        self._release = Submission("", course.release(one)).digest
        self._listed = course.students(one)
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else "{}"
        try:
            self.by_student: dict[str, dict] = json.loads(text)
        except ValueError as error:
            raise LabError(f"{self._path} is damaged ({error}): delete it, and everybody is graded again") from error

    def has(self, submission: Submission) -> bool:
        """Whether just this was graded, or refused, under the release and the list of students that hold now."""
        return self.by_student.get(submission.student, {}).get("of") == self._of(submission)

    def keep(self, submission: Submission, status: str, remarks: list[str]) -> None:
        """Remember what became of a submission, and which of its answers a person has marked."""
        before = self.by_student.get(submission.student, {})
        new = {"of": self._of(submission), "status": status, "remarks": remarks, "marked": before.get("marked", {})}
        self.by_student[submission.student] = new
        self.save()

    def save(self) -> None:
        """Write everything. Raises: LabError if the disk is full or the folder cannot be written."""
        write(self._path, json.dumps(self.by_student, indent=2, ensure_ascii=False))

    def _of(self, submission: Submission) -> str:
        listed = submission.student in self._listed if self._listed else "no list"
        return f"{submission.digest} {self._release} {listed}"
