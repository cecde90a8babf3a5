"""A course: one folder for releases, hand-ins, marks and feedback, and the seeds of its students."""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from vqlab import LabError
from vqlab.exercises import variants
from vqlab.files import write_atomically
from vqlab.labs import Lab

_SETTINGS = "course.json"
_CONFIG = '''\
"""nbgrader's settings for this course; its own commands read them when run in this folder."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "vqlab"
# An endless loop outside the checks costs a submission this many seconds, not the evening.
c.Execute.timeout = 60
# The source is built without solutions, so there are none to clear.
steps = ("LockCells", "ClearOutput", "CheckCellMetadata", "ComputeChecksums", "SaveCells")
c.GenerateAssignment.preprocessors = ["nbgrader.preprocessors." + step for step in steps]
'''


@dataclass(frozen=True)
class Course:
    """The folder of a course. Nothing is written before `prepare`."""

    folder: Path

    def prepare(self) -> "Course":
        """Make the folder with nbgrader's settings and the secret that student seeds are derived from."""
        settings = json.dumps({"secret": secrets.token_hex(16), "students": {}}, indent=2)
        for name, text in (("nbgrader_config.py", _CONFIG), (_SETTINGS, settings)):
            if not (self.folder / name).exists():  # a teacher may have changed it
                write(self.folder / name, text)
        return self

    @property
    def _settings(self) -> dict:
        try:
            return json.loads((self.folder / _SETTINGS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LabError(f"{self.folder} is no course yet: release an assignment first") from None
        except ValueError as error:
            raise LabError(f"{self.folder / _SETTINGS} is damaged: restore it from a backup ({error})") from error

    def students(self, lab: Lab) -> list[str]:
        """Who was given a variant of their own; nobody if all were given the same."""
        return self._settings["students"].get(lab.name, [])

    def set_students(self, lab: Lab, students: Sequence[str]) -> None:
        """Decide who gets a variant of their own; nobody: all get the same."""
        settings = self._settings
        lists = settings["students"] | {lab.name: list(students)}
        write(self.folder / _SETTINGS, json.dumps(settings | {"students": lists}, indent=2, ensure_ascii=False))

    def seed(self, lab: Lab, student: str) -> int:
        """The seed of a student's variant, 1…2³¹: the same whenever asked, and not to be guessed without the secret."""
        key = f"{self._settings['secret']}:{lab.name}:{student}".encode()
        return int(hashlib.sha256(key).hexdigest()[:8], 16) % 2**31 + 1

    def seeds(self, lab: Lab, students: Sequence[str] = ()) -> dict[str, int]:
        """The seeds of `students`, by default of all who have one.

        Raises: LabError if one was given no variant in this course: another course has other answers.
        """
        listed = self.students(lab)
        if unknown := sorted(set(students) - set(listed)):
            raise LabError(
                f"{lab.name} was not released to {', '.join(unknown)} in {self.folder}: is it another course?"
            )
        return {student: self.seed(lab, student) for student in students or listed}

    def write_variant(self, lab: Lab, student: str, folder: Path) -> None:
        """Put the student's variant beside the notebook in `folder`."""
        variant = {"student": student, "seed": self.seed(lab, student)}
        write(folder / variants.FILE, json.dumps(variant, ensure_ascii=False) + "\n")

    def place(self, step: str, lab: Lab, student: str = "") -> Path:
        """The folder that nbgrader keeps a step in: "submitted", "autograded" or "feedback" of a student, "release"."""
        return self.folder / step / student / lab.name

    def release(self, lab: Lab) -> Path:
        """The notebook for students."""
        return self.place("release", lab) / f"{lab.notebook}.ipynb"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from grading or releasing in this course meanwhile; however the process ends, the lock ends.

        Raises: LabError if another process is at it.
        """
        # SQLite asks the system for the lock, in the way that each system has.
        with closing(sqlite3.connect(self.folder / "in_use.lock", timeout=0, isolation_level=None)) as lock:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise LabError(f"{self.folder} is in use by another command ({error}): wait until it ends") from error
            yield


def write(path: Path, text: str) -> None:
    """Write a whole file or none: an interrupted or failed write leaves the old one.

    Raises: LabError if the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: file.write(text.encode()))
    except OSError as error:
        raise LabError(f"could not write {path} ({error}): make room or choose another folder") from error
