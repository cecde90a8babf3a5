"""Marks and feedback as Moodle and Canvas read them, for hand-ins that came under the names they give."""

import io
import re
import zipfile

from vqlab.classroom.course import Course
from vqlab.classroom.course import write as write_file
from vqlab.classroom.record import GRADED, Results, told, total
from vqlab.classroom.report import write_csv
from vqlab.labs import Lab

_MOODLE = re.compile(r".+_(\d+)_assignsubmission_.+")
_CANVAS = re.compile(r"[^_]+_(?:LATE_)?(\d+)_\d+_.+")


def write(course: Course, lab: Lab, results: Results) -> None:
    """Write feedback_LAB.zip, under the names that the hand-ins came as, and the table of marks to import.

    Moodle's is its offline grading worksheet (moodle_LAB.csv), Canvas's its gradebook (canvas_LAB.csv).
    Raises: LabError if the disk is full or the folder cannot be written.
    """
    deadline = course.deadline(lab)
    moodle = [["Identifier", "Full name", "Grade", "Feedback comments"]]
    canvas = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", lab.name]]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pages:
        for student, one in sorted(results.by_student.items()):
            came_as = one.get("came_as") or student
            points = f"{total(one, deadline):g}" if one["status"] == GRADED else ""
            if found := _MOODLE.fullmatch(came_as):
                moodle.append([f"Participant {found[1]}", student, points, "; ".join(told(one))])
            elif found := _CANVAS.fullmatch(came_as):
                canvas.append([student, found[1], "", "", "", points])
            page = course.feedback(lab, student).read_text(encoding="utf-8")
            name = (
                f"{came_as.removesuffix('.ipynb')}.html" if came_as.endswith(".ipynb") else f"{came_as}/feedback.html"
            )
            pages.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), page, zipfile.ZIP_DEFLATED)
    write_file(course.folder / f"feedback_{lab.name}.zip", archive.getvalue())
    for name, rows in (("moodle", moodle), ("canvas", canvas)):
        if len(rows) > 1:
            write_csv(course.folder / f"{name}_{lab.name}.csv", rows)
