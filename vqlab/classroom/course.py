"""A course: one folder for releases, hand-ins, marks and feedback, and the seeds of its students."""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vqlab import LabError
from vqlab.files import write_atomically
from vqlab.labs import Lab

_SETTINGS = "course.json"


@dataclass(frozen=True)
class Course:
    """The folder of a course. Nothing is written before `prepare`."""

    folder: Path

    def prepare(self) -> "Course":
        """Make the folder with the secret that student seeds are derived from."""
        if not (self.folder / _SETTINGS).exists():
            settings = json.dumps({"secret": secrets.token_hex(16), "students": {}}, indent=2)
            write(self.folder / _SETTINGS, settings)
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

    def deadline(self, lab: Lab) -> tuple[str, float] | None:
        """When hand-ins are due, in ISO 8601, and the per cent of the marks that each day begun after it costs."""
        found = self._settings.get("due", {}).get(lab.name)
        return (str(found[0]), float(found[1])) if found else None

    def set_deadline(self, lab: Lab, due: datetime | None = None, per_day: float | None = None) -> None:
        """Decide when hand-ins are due, and what a day costs in per cent; None leaves what holds, at first 0 per cent.

        Raises: LabError if nobody has said yet when they are due.
        """
        settings, (when, cost) = self._settings, self.deadline(lab) or ("", 0.0)
        when, cost = due.isoformat() if due else when, cost if per_day is None else per_day
        if not when:
            raise LabError(
                f"{lab.name} has no due date after which a day could cost anything: add --due 2026-12-01, or "
                "DUE=2026-12-01 where you use make"
            )
        every = settings.get("due", {}) | {lab.name: [when, cost]}
        write(self.folder / _SETTINGS, json.dumps(settings | {"due": every}, indent=2, ensure_ascii=False))

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

    def variant(self, lab: Lab, student: str) -> str:
        """The text of the file beside a student's notebook that says which questions are theirs."""
        return json.dumps({"student": student, "seed": self.seed(lab, student)}, ensure_ascii=False) + "\n"

    def release(self, lab: Lab) -> Path:
        """The notebook for students."""
        return self.folder / "release" / lab.name / f"{lab.notebook}.ipynb"

    def feedback(self, lab: Lab, student: str) -> Path:
        """The page for one student."""
        return self.folder / "feedback" / student / lab.name / f"{lab.notebook}.html"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from grading or releasing in this course meanwhile; however the process ends, the lock ends.

        Raises: LabError if another process is at it, or if the disk is full or the folder cannot be written.
        """
        # SQLite asks the system for the lock, in the way that each system has.
        with ExitStack() as held:
            try:
                lock = held.enter_context(closing(sqlite3.connect(self._lock, timeout=0, isolation_level=None)))
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                raise LabError(self._why_not_alone(error)) from error
            yield

    @property
    def _lock(self) -> Path:
        return self.folder / "in_use.lock"

    def _why_not_alone(self, error: sqlite3.Error) -> str:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return f"{self.folder} is in use by another command ({error}): wait until it ends"
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return f"the disk that {self.folder} is on is full: make room, and the same command goes on"
        return f"could not write {self._lock} ({error}): delete it if it is there, or make the folder writable"


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file or none: an interrupted or failed write leaves the old one.

    Raises: LabError if the disk is full or the folder cannot be written.
    """
    whole = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: file.write(whole))
    except OSError as error:
        raise LabError(f"could not write {path} ({error}): make room or choose another folder") from error
