"""Release a lab as an assignment: the same notebook for all, or one variant a student."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat

from vqlab import LabError
from vqlab.classroom import package
from vqlab.classroom.course import Course, write
from vqlab.exercises import variants
from vqlab.labs import Lab
from vqlab.notebooks.build import build

_LINK_TO_A_LAB = re.compile(r"\[([^\]]+)\]\(\d\d_\w+\.ipynb\)")


def release(course: Course, lab: Lab, students: Sequence[str] = (), common: bool = False) -> Path:
    """Build the assignment in the course's folder, with a variant for each of `students` if there are any.

    common: ask all the same from now on, although there were variants before.
    Returns: what to give to students: the folder of the released notebook, or that with one folder a student.
    Raises: LabError if the source does not build, or if variants are out and no list is given: right answers to them
        would be marked wrong.
    """
    with course.prepare().alone():
        if (out := course.students(lab)) and not (students or common):
            raise LabError(
                f"{lab.name} was released with a variant for each of {len(out)} students: give the list again, or "
                "--common if all shall answer the same from now on"
            )
        released = _for_students(lab, bool(students))
        write(course.release(lab), released)
        course.set_students(lab, students)
        handout = course.folder / "handout" / lab.name
        shutil.rmtree(handout, ignore_errors=True)
        for student in students:
            write(handout / student / course.release(lab).name, released)
            write(handout / student / variants.FILE, course.variant(lab, student))
    return handout if students else course.release(lab).parent


def _for_students(lab: Lab, individual: bool) -> str:
    """The blank notebook, saying what to hand in; links to other labs would lead nowhere, so their names stay."""
    notebook = build(lab.source, assignment=True)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK_TO_A_LAB.sub(r"\1", cell.source)
        if cell.metadata.get("nbgrader", {}).get("locked"):
            cell.metadata.update(deletable=False, editable=False)
    variant = f" Keep `{variants.FILE}` beside it: your own questions are drawn from it." if individual else ""
    notebook.cells[0].source += f"\n\n**Hand in** this notebook under its name, `{lab.notebook}.ipynb`.{variant}"
    if names := [f"`{'.'.join(name.split('.')[-2:])}`" for name in package.withheld(lab)]:
        says = "What would answer a question of yours in one call is missing when your work is graded"
        notebook.cells[0].source += f" {says}: {', '.join(names)}."
    return nbformat.writes(notebook)
