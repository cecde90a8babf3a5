"""Release a lab as an nbgrader assignment: the same notebook for all, or one variant a student."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from vqlab import LabError
from vqlab.classroom.course import Assignment, Course, copy_notebook


def release(course: Course, one: Assignment, students: Sequence[str] = ()) -> Path:
    """Build the assignment in the course's folder, with a variant for each of `students` if there are any.

    Returns: what to give to students: the folder of the released notebook, or that with one folder a student.
    Raises: LabError if the source does not build or nbgrader refuses it.
    """
    course.prepare()
    course.build_source(one)
    nbgrader(course, "generate_assignment", one.name, "--force")
    course.set_individual(one, bool(students))
    if not students:
        return course.release(one).parent
    shutil.rmtree(course.handout(one), ignore_errors=True)
    for student in students:
        folder = course.handout(one) / student
        copy_notebook(course.release(one), folder)
        course.write_variant(one, student, folder)
    return course.handout(one)


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
