"""Release a lab as an nbgrader assignment: the same notebook for all, or one variant a student."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from vqlab import LabError
from vqlab.classroom.course import Assignment, Course, copy_notebook
from vqlab.exercises import variants

_LINK_TO_A_LAB = re.compile(r"\[([^\]]+)\]\(\d\d_\w+\.ipynb\)")


def release(course: Course, one: Assignment, students: Sequence[str] = (), common: bool = False) -> Path:
    """Build the assignment in the course's folder, with a variant for each of `students` if there are any.

    common: ask all the same from now on, although there were variants before.
    Returns: what to give to students: the folder of the released notebook, or that with one folder a student.
    Raises: LabError if the source does not build or nbgrader refuses it, or if variants are out and no list is given:
        right answers to them would be marked wrong.
    """
    course.prepare()
    if (out := course.students(one)) and not (students or common):
        raise LabError(
            f"{one.name} was released with a variant for each of {len(out)} students: give the list again, or "
            "--common if all shall answer the same from now on"
        )
    _address_students(course.build_source(one), bool(students))
    nbgrader(course, "generate_assignment", one.name, "--force")
    course.set_students(one, students)
    shutil.rmtree(course.handout(one), ignore_errors=True)
    if not students:
        return course.release(one).parent
    for student in students:
        folder = course.handout(one) / student
        copy_notebook(course.release(one), folder)
        course.write_variant(one, student, folder)
    return course.handout(one)


def _address_students(path: Path, individual: bool) -> None:
    """Say in a released notebook what to hand in; links to other labs would lead nowhere, so their names stay."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK_TO_A_LAB.sub(r"\1", cell.source)
    variant = f" Keep `{variants.FILE}` beside it: your own questions are drawn from it." if individual else ""
    notebook.cells[0].source += f"\n\n**Hand in** this notebook under its name, `{path.name}`.{variant}"
    nbformat.write(notebook, path)


def nbgrader(course: Course, *arguments: str) -> None:
    """Run one of nbgrader's own commands in the course's folder. Raises: LabError with its last words if it fails."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    run = subprocess.run(command, cwd=course.folder, env=environment(), capture_output=True, text=True, check=False)
    if run.returncode:
        said = [line for line in run.stderr.splitlines() if line.strip()] or ["no message"]
        raise LabError(f"nbgrader {arguments[0]} failed: {said[-1].strip()}")


def environment() -> dict[str, str]:
    """This process's environment with its own programs first: nbgrader calls alembic by name, activated or not."""
    programs = os.fspath(Path(sys.executable).parent)
    return os.environ | {"PATH": os.pathsep.join([programs, os.environ.get("PATH", "")])}
