"""Marks: out of nbgrader's gradebook into a table, and marks given by hand back into it."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

from nbgrader.api import Gradebook, MissingEntry

from vqlab import LabError
from vqlab.classroom.course import Assignment, Course, write

_HAND_COLUMNS = ("student", "question", "points", "out of", "comment")


def gradebook(course: Course) -> Gradebook:
    """nbgrader's gradebook of the course, a context manager."""
    return Gradebook(f"sqlite:///{course.folder.resolve() / 'gradebook.db'}", "vqlab")


def of_student(book: Gradebook, one: Assignment, student: str) -> dict[str, tuple[float | None, float]]:
    """Marks and most marks of every exercise and open question, in order; None while a person has to mark it."""
    cells = [(cell.name, cell.max_score) for cell in book.find_notebook(one.notebook, one.name).grade_cells]
    grades = {g.cell.name: g for g in book.find_submission_notebook(one.notebook, one.name, student).grades}
    return {
        name.removeprefix("check-"): (None if grades[name].needs_manual_grade else grades[name].score, most)
        for name, most in cells
    }


def forget(course: Course, one: Assignment, student: str) -> None:
    """Remove what an earlier hand-in of the student earned, because the present one cannot be graded."""
    with gradebook(course) as book:
        try:
            book.remove_submission(one.name, student)
        except MissingEntry:
            return  # nothing was ever graded


def write_table(course: Course, one: Assignment, outcomes: dict[str, dict]) -> Path:
    """Write marks_LAB.csv: a row a student with status, marks, total and remarks. outcomes: see `grade`."""
    with gradebook(course) as book:
        cells = {
            cell.name.removeprefix("check-"): cell.max_score
            for cell in book.find_notebook(one.notebook, one.name).grade_cells
        }
        rows = [["student", "status", *cells, "total", "out of", "to mark by hand", "remarks"]]
        for student, outcome in sorted(outcomes.items()):
            row = [student, outcome["status"]]
            if outcome["status"] == "graded":
                marks = of_student(book, one, student)
                open_ones = [name for name, (mark, _) in marks.items() if mark is None]
                shown = ["" if mark is None else f"{mark:g}" for mark, _ in marks.values()]
                row += [*shown, f"{sum(mark or 0 for mark, _ in marks.values()):g}"]
            else:
                open_ones, row = [], [*row, *[""] * len(cells), ""]
            rows.append([*row, f"{sum(cells.values()):g}", " ".join(open_ones), "; ".join(outcome["remarks"])])
    target = course.folder / f"marks_{one.name}.csv"
    write(target, _as_csv(rows))
    return target


class Exchange(NamedTuple):
    """path: the file; waiting: how many answers still wait; changed: students whose marks or comments are new."""

    path: Path
    waiting: int
    changed: list[str]


def exchange_hand_marks(course: Course, one: Assignment, outcomes: dict[str, dict]) -> Exchange:
    """Read the points and comments that a person wrote into hand_marks_LAB.csv; write it anew with all answers to mark.

    Raises: LabError for points that are no number in 0…out of.
    """
    path = course.folder / f"hand_marks_{one.name}.csv"
    given = _read_hand_marks(path)
    rows, waiting, changed = [list(_HAND_COLUMNS)], 0, []
    with gradebook(course) as book:
        for student in sorted(name for name, outcome in outcomes.items() if outcome["status"] == "graded"):
            for grade in book.find_submission_notebook(one.notebook, one.name, student).grades:
                question = grade.cell.name
                if question.startswith("check-"):
                    continue
                points, comment = given.get((student, question), ("", ""))
                note = book.find_comment(question, one.notebook, one.name, student)
                if points:
                    value = _checked(points, grade.max_score, path, student)
                    if (grade.manual_score, note.manual_comment or "") != (value, comment):
                        changed.append(student)
                    grade.manual_score, note.manual_comment, grade.needs_manual_grade = value, comment, False
                elif not grade.needs_manual_grade:
                    points = f"{grade.score:g}"
                waiting += not points
                rows.append([student, question, points, f"{grade.max_score:g}", comment])
        book.db.commit()
    write(path, _as_csv(rows))
    return Exchange(path, waiting, changed)


def _read_hand_marks(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    try:
        return {(r["student"], r["question"]): (r["points"].strip(), r["comment"]) for r in rows}
    except (KeyError, AttributeError) as error:
        columns = ", ".join(_HAND_COLUMNS)
        raise LabError(f"{path} has lost a column: it needs {columns}; delete it to get an empty one") from error


def _checked(points: str, most: float, path: Path, student: str) -> float:
    try:
        value = float(points.replace(",", "."))
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise LabError(f"{path.name} gives {student} {points!r} points: write a number from 0 to {most:g}")
    return value


def _as_csv(rows: list[list]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
