"""Find each student's notebook in a folder of submissions, and copy it to where nbgrader grades it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vqlab import LabError
from vqlab.classroom.course import Assignment, Course, check_student, write
from vqlab.exercises import variants


@dataclass(frozen=True)
class Submission:
    """One student's hand-in. notebook: the file, None if there is none; remarks: what had to be put right."""

    student: str
    notebook: Path | None
    remarks: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Of the notebook as handed in; tells whether it was graded already."""
        return hashlib.sha256(self.notebook.read_bytes()).hexdigest()[:16] if self.notebook else "none"


class Unreadable(Exception):
    """A hand-in that cannot be graded; the message says why and what to ask the student for."""


def find(folder: Path, one: Assignment) -> list[Submission]:
    """The submissions in `folder`: STUDENT/….ipynb (a folder each) or STUDENT.ipynb, in order of the names.

    Raises: LabError if the folder is missing or holds nothing of the kind.
    """
    if not folder.is_dir():
        raise LabError(f"there is no folder {folder}: put one folder a student there, named by the student's id")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not (path.is_dir() or path.suffix == ".ipynb"):
            continue
        student = check_student(path.name if path.is_dir() else path.stem)
        if student in found:
            raise LabError(f"{folder} holds both a folder and a notebook of {student}: remove one of them")
        found[student] = _in_folder(path, student, one) if path.is_dir() else Submission(student, path)
    if not found:
        raise LabError(f"{folder} holds no submissions: put one folder a student there, named by the student's id")
    return list(found.values())


def _in_folder(folder: Path, student: str, one: Assignment) -> Submission:
    notebooks = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    named = [path for path in notebooks if path.stem == one.notebook]
    if named:
        return Submission(student, named[0])
    if len(notebooks) == 1:
        return Submission(student, notebooks[0], (f"the notebook was called {notebooks[0].name}",))
    return Submission(student, None, (f"{len(notebooks)} notebooks, none called {one.notebook}.ipynb",))


def submit(course: Course, one: Assignment, submission: Submission) -> tuple[str, ...]:
    """Write the submission where nbgrader looks for it, deleted check cells put back; returns all remarks.

    Raises: Unreadable, if there is nothing to grade.
    """
    notebook = read(submission)
    released = nbformat.read(course.release(one), as_version=4)
    remarks = [*submission.remarks, *_put_back(notebook, released)]
    folder = course.submitted(one, submission.student)
    write(folder / f"{one.notebook}.ipynb", nbformat.writes(notebook))
    if course.is_individual(one):
        came_with = _variant_of(submission)
        if came_with not in (None, submission.student):
            remarks.append(f"it came with the variant of {came_with}; graded with that of {submission.student}")
        course.write_variant(one, submission.student, folder)
    return tuple(remarks)


def read(submission: Submission) -> NotebookNode:
    """The notebook of a submission. Raises: Unreadable if it is missing, not a notebook, or not of this lab."""
    if submission.notebook is None:
        raise Unreadable(f"no notebook to grade: {submission.remarks[0]}")
    try:
        text = submission.notebook.read_text(encoding="utf-8-sig")
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError) as error:
        reason = str(error).splitlines()[0][:120]
        raise Unreadable(f"{submission.notebook.name} is no valid notebook ({reason}): ask for it again") from error
    return notebook


def _put_back(notebook: NotebookNode, released: NotebookNode) -> list[str]:
    """Add the graded cells that are missing from a notebook, in the order of the release; returns remarks."""
    place = {name: i for i, cell in enumerate(notebook.cells) if (name := grade_id(cell))}
    known = [name for cell in released.cells if (name := grade_id(cell))]
    if not set(known) & set(place):
        raise Unreadable("it has none of this lab's exercise cells: is it another notebook?")
    lost, previous = [], None
    for cell in released.cells:
        name = grade_id(cell)
        if name and name not in place:
            lost.append(name)
            at = place[previous] + 1 if previous else 0
            notebook.cells.insert(at, cell)
            place = {grade_id(c): i for i, c in enumerate(notebook.cells) if grade_id(c)}
        previous = name or previous
    return [f"put back the deleted cells {', '.join(lost)}"] if lost else []


def grade_id(cell: NotebookNode) -> str | None:
    """The name that nbgrader knows a cell by, None if it does not."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _variant_of(submission: Submission) -> str | None:
    path = submission.notebook.parent / variants.FILE
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["student"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not handed in, or edited: it is written afresh in any case
