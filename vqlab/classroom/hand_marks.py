"""Marks that a person gives: from a table into nbgrader's gradebook, and back with every answer that still waits."""

import csv
import hashlib
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbgrader.api import Comment, Grade

from vqlab import LabError
from vqlab.classroom.collect import grade_id
from vqlab.classroom.course import Assignment, Course
from vqlab.classroom.marks import gradebook, write_csv

_COLUMNS = ("student", "question", "points", "out of", "comment")


class Exchange(NamedTuple):
    """path: the file; waiting: how many answers still wait; changed: students whose marks or comments are new."""

    path: Path
    waiting: int
    changed: list[str]


class _Row(NamedTuple):
    points: str = ""
    comment: str = ""


def exchange(course: Course, one: Assignment, outcomes: dict[str, dict]) -> Exchange:
    """Read the points and comments that a person wrote into hand_marks_LAB.csv; write it anew with all answers to mark.

    A mark belongs to the answer that it was given for: where a student has rewritten that, it is asked for again.
    outcomes: see `grade`; their "marked" remembers those answers.
    Raises: LabError for points that are no number in 0…out of, or a row that fits no submission; nothing is changed.
    """
    path = course.folder / f"hand_marks_{one.name}.csv"
    given = _read(path)
    rows, waiting, changed = [list(_COLUMNS)], 0, []
    with gradebook(course) as book:
        questions = {cell.name for cell in book.find_notebook(one.notebook, one.name).grade_cells}
        for student, question in given:
            if student not in outcomes or question not in questions:
                raise LabError(
                    f"{path.name} names {student}, {question}, which nobody handed in: mend or remove the row"
                )
        for student, outcome in sorted(outcomes.items()):
            if outcome["status"] != "graded":
                rows += [[*who, row.points, "", row.comment] for who, row in given.items() if who[0] == student]
                continue
            answers = _answers(course, one, student)
            for grade in book.find_submission_notebook(one.notebook, one.name, student).grades:
                question = grade.cell.name
                if question.startswith("check-"):
                    continue
                if row := given.get((student, question)):
                    _check(row.points, grade.max_score, path, student)
                note = book.find_comment(question, one.notebook, one.name, student)
                before = grade.manual_score, note.manual_comment or ""
                marked = outcome.setdefault("marked", {})
                row = _settle(grade, note, row, marked, answers[question])
                if row.points and before != (grade.manual_score, row.comment):
                    changed.append(student)
                waiting += not row.points
                rows.append([student, question, row.points, f"{grade.max_score:g}", row.comment])
        book.db.commit()
    write_csv(path, rows)
    return Exchange(path, waiting, changed)


def _settle(grade: Grade, note: Comment, row: _Row | None, marked: dict[str, str], answer: str) -> _Row:
    """Bring the gradebook's mark of one answer in line with the person's row, or the row with the gradebook."""
    question = grade.cell.name
    if row is None:  # never asked for, or the file is gone: the gradebook knows
        return _Row("" if grade.needs_manual_grade else f"{grade.score:g}", note.manual_comment or "")
    rewritten = marked.get(question, answer) != answer
    if row.points and not rewritten:
        grade.manual_score, note.manual_comment, grade.needs_manual_grade = _number(row.points), row.comment, False
        marked[question] = answer
        return row
    if question in marked:  # rewritten, or the person has taken the mark back
        del marked[question]
        grade.manual_score, grade.needs_manual_grade = None, True
        return _Row("", f"an earlier answer got {row.points}: {row.comment}" if rewritten else row.comment)
    return _Row("" if grade.needs_manual_grade else f"{grade.score:g}", row.comment)


def _answers(course: Course, one: Assignment, student: str) -> dict[str, str]:
    """A short digest of every answer of a student, by the name of its cell."""
    notebook = nbformat.read(course.submitted(one, student) / f"{one.notebook}.ipynb", as_version=4)
    return {grade_id(c): hashlib.sha256(c.source.encode()).hexdigest()[:8] for c in notebook.cells if grade_id(c)}


def _read(path: Path) -> dict[tuple[str, str], _Row]:
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
        # Where the decimal sign is a comma, spreadsheets part columns by semicolons.
        rows = list(csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ","))
        return {(r["student"], r["question"]): _Row(r["points"].strip(), r["comment"] or "") for r in rows}
    except UnicodeDecodeError as error:
        raise LabError(f"{path} is not UTF-8: save it as “CSV UTF-8” from your spreadsheet") from error
    except (KeyError, AttributeError) as error:
        columns = ", ".join(_COLUMNS)
        raise LabError(
            f"{path} has lost a column: it needs {columns}; delete it to get it from the gradebook"
        ) from error


def _check(points: str, most: float, path: Path, student: str) -> None:
    try:
        fits = not points or 0 <= _number(points) <= most
    except ValueError:
        fits = False
    if not fits:
        raise LabError(f"{path.name} gives {student} {points!r} points: write a number from 0 to {most:g}")


def _number(points: str) -> float:
    return float(points.replace(",", "."))
