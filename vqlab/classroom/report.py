"""What a round of grading tells the teacher: a table of marks, and a summary in words."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

from vqlab.classroom.course import Course, write
from vqlab.classroom.record import GRADED, Results, gradebook, marks_of, most_marks
from vqlab.labs import Lab


class Report(NamedTuple):
    """What a round left: the tables, how many answers wait for a person, who was graded or not, and why.

    missing: students who were given a variant and have handed in nothing; ignored: files that are no hand-ins.
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


def write_marks(course: Course, lab: Lab, results: Results) -> Path:
    """Write marks_LAB.csv: a row a student with status, marks, total and remarks."""
    with gradebook(course) as book:
        most = most_marks(book, lab)
        rows = [["student", "status", *most, "total", "out of", "to mark by hand", "remarks"]]
        for student, one in sorted(results.by_student.items()):
            marks, total, waiting = dict.fromkeys(most, ""), "", []
            if one["status"] == GRADED:
                given = {name: mark for name, (mark, _) in marks_of(book, lab, student).items()}
                waiting = [name for name, mark in given.items() if mark is None]
                marks = {name: "" if mark is None else f"{mark:g}" for name, mark in given.items()}
                total = f"{sum(mark or 0 for mark in given.values()):g}"
            out_of, remarks = f"{sum(most.values()):g}", "; ".join(one["remarks"])
            rows.append([student, one["status"], *marks.values(), total, out_of, " ".join(waiting), remarks])
    rows += [[student, "no submission", *[""] * (len(rows[0]) - 2)] for student in missing(course, lab, results)]
    target = course.folder / f"marks_{lab.name}.csv"
    write_csv(target, rows)
    return target


def missing(course: Course, lab: Lab, results: Results) -> list[str]:
    """Who was given a variant and has handed in nothing."""
    return sorted(set(course.students(lab)) - results.by_student.keys())


def write_csv(path: Path, rows: list[list]) -> None:
    """Write a table that spreadsheets read with every name intact: they know UTF-8 by the mark at its beginning."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write(path, "\ufeff" + text.getvalue())
