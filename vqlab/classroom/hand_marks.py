"""Marks that a person gives: from a table into nbgrader's gradebook, and back with every answer that still waits."""

import csv
from pathlib import Path
from typing import NamedTuple

from nbgrader.api import Comment, Grade

from vqlab import LabError
from vqlab.classroom.course import Course
from vqlab.classroom.record import GRADED, Results, gradebook, most_marks
from vqlab.classroom.report import write_csv
from vqlab.labs import Lab

_COLUMNS = ("student", "question", "points", "out of", "comment")


class Exchange(NamedTuple):
    """path: the file; waiting: how many answers still wait; changed: students whose marks or comments are new."""

    path: Path
    waiting: int
    changed: list[str]


class Row(NamedTuple):
    """What a person wrote beside an answer; no points: it waits."""

    points: str = ""
    comment: str = ""


def exchange(course: Course, lab: Lab, results: Results) -> Exchange:
    """Read the points and comments that a person wrote into hand_marks_LAB.csv; write it anew with all answers to mark.

    A mark belongs to the answer that it was given for: where a student has rewritten that, it is asked for again.
    Raises: LabError for points that are no number in 0…out of, or a row that fits no hand-in; nothing is changed.
    """
    path = course.folder / f"hand_marks_{lab.name}.csv"
    given = read(path)
    rows, waiting, changed = [list(_COLUMNS)], 0, []
    with gradebook(course) as book:
        most = most_marks(book, lab)
        for (student, question), row in given.items():
            if student not in results.by_student or question not in most:
                raise LabError(
                    f"{path.name} names {student}, {question}, which nobody handed in: mend or remove the row"
                )
            if not _fits(row.points, most[question]):
                raise LabError(
                    f"{path.name} gives {student} {row.points!r} points: write a number from 0 to {most[question]:g}"
                )
        for student, one in sorted(results.by_student.items()):
            if one["status"] != GRADED:
                rows += [[*who, row.points, "", row.comment] for who, row in given.items() if who[0] == student]
                continue
            for grade in book.find_submission_notebook(lab.notebook, lab.name, student).grades:
                question = grade.cell.name
                if question.startswith("check-"):
                    continue
                note = book.find_comment(question, lab.notebook, lab.name, student)
                before = grade.manual_score, note.manual_comment or ""
                row = settle(grade, note, given.get((student, question)), one["marked"], one["answers"].get(question))
                if row.points and before != (grade.manual_score, row.comment):
                    changed.append(student)
                waiting += not row.points
                rows.append([student, question, row.points, f"{grade.max_score:g}", row.comment])
        results.save()
        book.db.commit()
    write_csv(path, rows)
    return Exchange(path, waiting, changed)


def settle(grade: Grade, note: Comment, row: Row | None, marked: dict[str, str], answer: str | None) -> Row:
    """Bring the gradebook's mark of one answer in line with the person's row, or the row with the gradebook.

    marked: digests of the answers that marks were given for, kept up to date.   answer: that of the present one.
    """
    question = grade.cell.name
    rewritten = marked.get(question, answer) != answer
    if row and row.points and not rewritten:
        grade.manual_score, note.manual_comment, grade.needs_manual_grade = _number(row.points), row.comment, False
        marked[question] = answer
        return row
    if row and question in marked:  # rewritten, or the person has taken the mark back
        del marked[question]
        grade.manual_score, grade.needs_manual_grade = None, True
        return Row("", f"an earlier answer got {row.points}: {row.comment}" if rewritten else row.comment)
    comment = row.comment if row else note.manual_comment or ""  # no row: the gradebook knows, as it does of formgrader
    return Row("" if grade.needs_manual_grade else f"{grade.score:g}", comment)


def read(path: Path) -> dict[tuple[str, str], Row]:
    """The rows of a table of marks by student and question. Raises: LabError if a spreadsheet has broken it."""
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
        # Where the decimal sign is a comma, spreadsheets part columns by semicolons.
        rows = list(csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ","))
        return {(r["student"], r["question"]): Row(r["points"].strip(), r["comment"] or "") for r in rows}
    except UnicodeDecodeError as error:
        raise LabError(f"{path} is not UTF-8: save it as “CSV UTF-8” from your spreadsheet") from error
    except (KeyError, AttributeError) as error:
        columns = ", ".join(_COLUMNS)
        raise LabError(
            f"{path} has lost a column: it needs {columns}; delete it to get it from the gradebook"
        ) from error


def _fits(points: str, most: float) -> bool:
    try:
        return not points or 0 <= _number(points) <= most
    except ValueError:
        return False


def _number(points: str) -> float:
    return float(points.replace(",", "."))
