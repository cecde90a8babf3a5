"""Marks: out of nbgrader's gradebook into a table."""

import csv
import io
import shutil
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from vqlab.classroom.course import Assignment, Course, write


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
    """Remove marks and feedback of an earlier hand-in of the student, because the present one cannot be graded."""
    shutil.rmtree(course.folder / "feedback" / student / one.name, ignore_errors=True)
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
        missing = sorted(set(course.students(one)) - set(outcomes))
        rows += [[student, "no submission", *[""] * (len(rows[0]) - 2)] for student in missing]
    target = course.folder / f"marks_{one.name}.csv"
    write_csv(target, rows)
    return target


def write_csv(path: Path, rows: list[list]) -> None:
    """Write a table that spreadsheets read with every name intact: they know UTF-8 by the mark at its beginning."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write(path, "\ufeff" + text.getvalue())
