"""Find each student's notebook in a folder of hand-ins."""

import hashlib
import os
import stat
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from vqlab import LabError
from vqlab.classroom import students
from vqlab.labs import Lab

_LARGEST_MB = 50


@dataclass(frozen=True)
class HandIn:
    """What one student handed in. notebook: the file, None if there is none; remarks: what is odd about it."""

    student: str
    notebook: Path | None
    remarks: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Of the notebook as handed in; tells whether it was graded already."""
        try:
            return hashlib.sha256(self.notebook.read_bytes()).hexdigest()[:16] if self.notebook else "none"
        except OSError:  # `repair` says so
            return "unreadable"


def find(folder: Path, lab: Lab) -> tuple[list[HandIn], list[str]]:
    """The hand-ins in `folder`, STUDENT/….ipynb or STUDENT.ipynb, and the names of what is none, such as a zip file.

    Raises: LabError if the folder is missing or holds nothing of the kind.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError as error:
        raise LabError(
            f"there is no folder {folder}: put one folder a student there, named by the student's id"
        ) from error
    except OSError as error:
        raise LabError(f"{folder} cannot be read: {error.strerror}") from error
    by_student, ignored = defaultdict(list), []
    for path in paths:
        if path.is_dir() or path.suffix == ".ipynb":
            by_student[students.composed(path.name if path.is_dir() else path.stem)].append(path)
        else:
            ignored.append(path.name)
    if not by_student:
        raise LabError(f"{folder} holds no submissions: put one folder a student there, named by the student's id")
    return [_hand_in(student, found, lab) for student, found in by_student.items()], ignored


def _hand_in(student: str, paths: list[Path], lab: Lab) -> HandIn:
    try:
        students.check(student)
        if len(paths) > 1:
            names = " and ".join(ascii(path.name) for path in paths)
            raise LabError(f"it came more than once, as {names}: remove all but one")
        notebook, remarks = (paths[0], ()) if paths[0].suffix == ".ipynb" else _in_folder(paths[0], lab)
        _check_plain(notebook, paths[0].parent)
    except (LabError, OSError) as error:
        return HandIn(student, None, (str(error),))
    return HandIn(student, notebook, remarks)


def _in_folder(folder: Path, lab: Lab) -> tuple[Path, tuple[str, ...]]:
    every = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    top = min((len(path.parts) for path in every), default=0)
    notebooks = [path for path in every if len(path.parts) == top]  # deeper ones are old or other people's
    named = [path for path in notebooks if path.stem == lab.notebook]
    if not named and len(notebooks) != 1:
        raise LabError(f"{len(notebooks)} notebooks, none called {lab.notebook}.ipynb")
    (taken, *_), remarks = named or notebooks, []
    if not named:
        remarks.append(f"the notebook was called {taken.name}")
    if len(every) > 1:
        remarks.append(f"of {len(every)} notebooks {taken.relative_to(folder)} was graded")
    return taken, tuple(remarks)


def _check_plain(path: Path, folder: Path) -> None:
    """A link may lead to another's work, reading a FIFO waits for ever, a device has no end."""
    if os.path.realpath(path) != os.path.join(os.path.realpath(folder), path.relative_to(folder)):
        raise LabError(f"{path.name} is a link to another place: ask for the file itself")
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise LabError(f"{path.name} is no ordinary file: ask for it again")
    if status.st_size > _LARGEST_MB * 1e6:
        raise LabError(f"{path.name} is larger than {_LARGEST_MB} MB: ask for it without outputs")
