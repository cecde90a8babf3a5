"""Find each student's notebook in a folder of submissions, and copy it to where nbgrader grades it."""

import difflib
import hashlib
import json
import unicodedata
from dataclasses import dataclass
from itertools import takewhile
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
        try:
            return hashlib.sha256(self.notebook.read_bytes()).hexdigest()[:16] if self.notebook else "none"
        except OSError:  # `read` says so
            return "unreadable"


class Unreadable(Exception):
    """A hand-in that cannot be graded; the message says why and what to ask the student for."""


def find(folder: Path, one: Assignment) -> list[Submission]:
    """The submissions in `folder`: STUDENT/….ipynb (a folder each) or STUDENT.ipynb, in order of the names.

    Raises: LabError if the folder is missing or holds nothing of the kind.
    """
    if not folder.is_dir():
        raise LabError(f"there is no folder {folder}: put one folder a student there, named by the student's id")
    found = {}
    for path in _visible(folder):
        if not _may_be_a_submission(path):
            continue
        name = path.name if path.is_dir() else path.stem
        try:
            student = check_student(name)
        except LabError as error:
            found[name] = Submission(name, None, (str(error),))
            continue
        if student in found:
            raise LabError(f"{folder} holds both a folder and a notebook of {student}: remove one of them")
        found[student] = _in_folder(path, student, one) if path.is_dir() else Submission(student, path)
    if not found:
        raise LabError(f"{folder} holds no submissions: put one folder a student there, named by the student's id")
    return list(found.values())


def ignored(folder: Path) -> list[str]:
    """Names in `folder` that are no submissions, such as a zip file."""
    return [path.name for path in _visible(folder) if not _may_be_a_submission(path)]


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise LabError(f"{folder} cannot be read: {error.strerror}") from error


def _may_be_a_submission(path: Path) -> bool:
    return path.is_dir() or path.suffix == ".ipynb"


def _in_folder(folder: Path, student: str, one: Assignment) -> Submission:
    every = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    top = min((len(path.parts) for path in every), default=0)
    notebooks = [path for path in every if len(path.parts) == top]  # deeper ones are old or other people's
    named = [path for path in notebooks if path.stem == one.notebook]
    if not named and len(notebooks) != 1:
        return Submission(student, None, (f"{len(notebooks)} notebooks, none called {one.notebook}.ipynb",))
    (taken, *_), remarks = named or notebooks, []
    if not named:
        remarks.append(f"the notebook was called {taken.name}")
    if len(every) > 1:
        remarks.append(f"of {len(every)} notebooks {taken.relative_to(folder)} was graded")
    return Submission(student, taken, tuple(remarks))


def submit(course: Course, one: Assignment, submission: Submission) -> tuple[str, ...]:
    """Write the submission where nbgrader looks for it, deleted check cells put back; returns all remarks.

    Raises: Unreadable, if there is nothing to grade.
    """
    _check_is_expected(course, one, submission.student)
    notebook = read(submission)
    released = nbformat.read(course.release(one), as_version=4)
    remarks = [*submission.remarks, *_join_copies(notebook), *_put_back(notebook, released)]
    remarks += _take_in_answers(notebook, released)
    folder = course.submitted(one, submission.student)
    write(folder / f"{one.notebook}.ipynb", nbformat.writes(notebook))
    came_with = _variant_of(submission)
    if course.students(one):
        if came_with not in (None, submission.student):
            remarks.append(f"it came with the variant of {came_with}; graded with that of {submission.student}")
        course.write_variant(one, submission.student, folder)
    elif came_with:
        remarks.append(f"it came with the variant of {came_with}; graded without variants, as {one.name} was released")
    return tuple(remarks)


def _check_is_expected(course: Course, one: Assignment, student: str) -> None:
    listed = course.students(one)
    if listed and student not in listed:
        folded = {other.casefold(): other for other in listed}
        close = difflib.get_close_matches(student.casefold(), folded, n=1)
        hint = f": did you mean {folded[close[0]]}?" if close else ""
        raise Unreadable(f"{student} is not on the list that {one.name} was released to{hint}")


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


def _join_copies(notebook: NotebookNode) -> list[str]:
    """A copied cell keeps its name, and nbgrader refuses a name twice: the first keeps it, and takes in copied text."""
    first: dict[str, NotebookNode] = {}
    copied = []
    for cell in notebook.cells:
        name = grade_id(cell)
        if name and first.setdefault(name, cell) is not cell:
            copied.append(name)
            del cell.metadata["nbgrader"]
            if cell.cell_type == "markdown" and cell.source not in first[name].source:
                first[name].source += f"\n\n{cell.source}"
    return [f"the cell {name} occurred more than once" for name in dict.fromkeys(copied)]


def _take_in_answers(notebook: NotebookNode, released: NotebookNode) -> list[str]:
    """Move an open answer that stands below its cell into it: nbgrader gives an untouched cell no points, unread."""
    blank = {grade_id(cell): cell.source for cell in released.cells if cell.cell_type == "markdown" and grade_id(cell)}
    given = {cell.source for cell in released.cells}
    remarks = []
    for i, cell in enumerate(notebook.cells):
        name = grade_id(cell)
        if name not in blank or cell.source.strip() != blank[name].strip():
            continue
        below = takewhile(lambda other: not grade_id(other) and other.source not in given, notebook.cells[i + 1 :])
        if added := [other.source for other in below if other.cell_type != "code" and other.source.strip()]:
            cell.source = "\n\n".join(added)
            remarks.append(f"the answer to {name} stood below its cell")
    return remarks


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
        return unicodedata.normalize("NFC", str(json.loads(path.read_text(encoding="utf-8"))["student"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not handed in, or edited: it is written afresh in any case
