"""Find each student's notebook in a folder of hand-ins, also where Moodle or Canvas has named the files."""

import hashlib
import os
import re
import stat
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from vqlab import LabError
from vqlab.classroom import students
from vqlab.labs import Lab

_LARGEST_MB = 50
_HELPERS, _HELPER_BYTES = 20, 200_000
_ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"}
# What they call a hand-in: "Ann Lee_123456_assignsubmission_file", without folders with "_01_tokens.ipynb" after it;
# "leeann_LATE_123_4567_01_tokens.ipynb".
_MOODLE = re.compile(r"(?P<student>.+)_\d+_assignsubmission_(file|onlinetext)(_.*)?")
_CANVAS = re.compile(r"(?P<student>[^_]+)_(LATE_)?\d+_\d+_.+")


@dataclass(frozen=True)
class HandIn:
    """What one student handed in.

    notebook: the file, None if there is none.   remarks: what is odd about it.   helpers: text of the Python files
    beside it, by name.   came_as: the name of the folder or file that it came as.
    """

    student: str
    notebook: Path | None
    remarks: tuple[str, ...] = ()
    helpers: dict[str, str] = field(default_factory=dict)
    came_as: str = ""

    @property
    def when(self) -> str:
        """When the notebook was last written, as the file system has it, in ISO 8601 and UTC."""
        try:
            seconds = self.notebook.stat().st_mtime if self.notebook else 0
        except OSError:
            seconds = 0
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else ""

    @property
    def digest(self) -> str:
        """Of the notebook and what lies beside it; tells whether it was graded already."""
        try:
            notebook = self.notebook.read_bytes() if self.notebook else b"none"
        except OSError:  # whoever reads it says so
            notebook = b"unreadable"
        return hashlib.sha256(notebook + repr(sorted(self.helpers.items())).encode("utf-8", "replace")).hexdigest()[:16]


def find(folder: Path, lab: Lab) -> tuple[list[HandIn], list[str]]:
    """The hand-ins in `folder`, STUDENT/….ipynb or STUDENT.ipynb, and what is none, such as a zip file.

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
            by_student[_student(path)].append(path)
        else:
            hint = " (an archive: unpack it)" if path.suffix.lower() in _ARCHIVES else ""
            ignored.append(students.legible(f"{path.name}{hint}"))
    if not by_student:
        raise LabError(f"{folder} holds no submissions: put one folder a student there, named by the student's id")
    return [_hand_in(student, found, lab) for student, found in by_student.items()], ignored


def _student(path: Path) -> str:
    name = path.name if path.is_dir() else path.stem
    known = _MOODLE.fullmatch(name) or (None if path.is_dir() else _CANVAS.fullmatch(name))
    return students.composed(students.legible(known["student"] if known else name))


def _without_online_texts(paths: list[Path]) -> list[Path]:
    """Moodle keeps what a student typed beside the file in a folder of its own, which is no second hand-in."""
    files = [path for path in paths if not _is_online_text(path)]
    return files or paths


def _is_online_text(path: Path) -> bool:
    known = _MOODLE.fullmatch(path.name)
    return bool(known and known[2] == "onlinetext" and path.is_dir() and not any(path.rglob("*.ipynb")))


def _hand_in(student: str, paths: list[Path], lab: Lab) -> HandIn:
    paths = _without_online_texts(paths)
    came_as = students.legible(paths[0].name)
    try:
        students.check(student)
        if len(paths) > 1:
            names = " and ".join(ascii(path.name) for path in paths)
            raise LabError(f"it came more than once, as {names}: remove all but one")
        if paths[0].is_dir():
            _check_plain(paths[0], paths[0].parent, stat.S_ISDIR)
            notebook, remarks = _in_folder(paths[0], lab)
            helpers, odd = _helpers(notebook.parent)
        else:
            notebook, remarks, helpers, odd = paths[0], (), {}, ()
        _check_plain(notebook, paths[0].parent)
        if notebook.stat().st_size > _LARGEST_MB * 1e6:
            raise LabError(f"{notebook.name} is larger than {_LARGEST_MB} MB: ask for it without outputs")
    except (LabError, OSError, ValueError) as error:
        return HandIn(student, None, (students.legible(str(error)),), came_as=came_as)
    return HandIn(student, notebook, tuple(map(students.legible, (*remarks, *odd))), helpers, came_as)


def _helpers(folder: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """The Python files beside a notebook, which its cells may import, and remarks on what was left out."""
    found, odd = {}, []
    for path in sorted(folder.iterdir()):
        try:
            if path.suffix.lower() in _ARCHIVES:
                odd.append(f"{path.name} is an archive and was not opened")
            if path.suffix != ".py":
                continue
            _check_plain(path, folder)
            if len(found) == _HELPERS or path.stat().st_size > _HELPER_BYTES:
                raise LabError(f"{path.name} is too much beside a notebook, so it was left out")
            found[path.name] = path.read_text(encoding="utf-8-sig")
        except (LabError, OSError, ValueError) as error:
            odd.append(str(error))
    return found, tuple(odd[:5])


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


def _check_plain(path: Path, folder: Path, kind: Callable[[int], bool] = stat.S_ISREG) -> None:
    """A link may lead to another's work, reading a FIFO waits for ever, a device has no end."""
    if os.path.realpath(path) != os.path.join(os.path.realpath(folder), path.relative_to(folder)):
        raise LabError(f"{path.name} is a link to another place: ask for the file itself")
    if not kind(path.lstat().st_mode):
        raise LabError(f"{path.name} is no ordinary file: ask for it again")
