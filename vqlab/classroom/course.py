"""A course: one folder for releases, submissions, marks and feedback, and the seeds of its students."""

import csv
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vqlab import LabError, labs
from vqlab.exercises import variants

_LISTED = '/ \\ + : * ? " < > |'
_FORBIDDEN = set(_LISTED.replace(" ", "") + "\0")
_LONGEST_ID = 80
_CONFIG = '''\
"""nbgrader's settings for this course; its own commands read them when run in this folder."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "vqlab"
# An endless loop outside the checks costs a submission this many seconds, not the evening.
c.Execute.timeout = 60
preprocessors = "nbgrader.preprocessors."
c.GenerateAssignment.preprocessors = [
    preprocessors + "IncludeHeaderFooter",
    preprocessors + "LockCells",
    "vqlab.classroom.stubs.ClearToStubs",
    preprocessors + "ClearOutput",
    preprocessors + "CheckCellMetadata",
    preprocessors + "ComputeChecksums",
    preprocessors + "SaveCells",
    preprocessors + "ComputeChecksums",
    preprocessors + "CheckCellMetadata",
]
'''


@dataclass(frozen=True)
class Assignment:
    """A lab as an assignment."""

    lab: labs.Lab

    @property
    def number(self) -> str:
        """As in the name of the lab, "01"."""
        return self.lab.number

    @property
    def notebook(self) -> str:
        """The name of the notebook without its ending."""
        return self.lab.source.stem

    @property
    def name(self) -> str:
        """What nbgrader calls it, "lab01"."""
        return f"lab{self.number}"

    @property
    def source(self) -> Path:
        """The hand-written source of the lab."""
        return self.lab.source


def assignments() -> list[Assignment]:
    """Every lab there is, in order."""
    return [Assignment(lab) for lab in labs.every()]


def assignment(lab: str) -> Assignment:
    """The assignment of a lab named by its number, "1" or "01", or by the beginning of its file name.

    Raises: LabError if there is none.
    """
    every = assignments()
    number = lab.removeprefix("lab").zfill(2)
    found = [one for one in every if one.number == number or (len(lab) > 2 and one.notebook.startswith(lab))]
    if not found:
        raise LabError(f"there is no lab {lab!r}: choose from {', '.join(one.number for one in every)}")
    return found[0]


@dataclass(frozen=True)
class Course:
    """The folder of a course. Nothing is written before `prepare`."""

    folder: Path

    def prepare(self) -> "Course":
        """Make the folder with nbgrader's settings and the secret that student seeds are derived from."""
        if not (self.folder / "nbgrader_config.py").exists():  # a teacher may have changed it
            write(self.folder / "nbgrader_config.py", _CONFIG)
        if not self._settings_file.exists():
            write(self._settings_file, json.dumps({"secret": secrets.token_hex(16), "students": {}}, indent=2))
        return self

    @property
    def _settings_file(self) -> Path:
        return self.folder / "course.json"

    @property
    def _settings(self) -> dict:
        try:
            return json.loads(self._settings_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LabError(f"{self.folder} is no course yet: release an assignment first") from None
        except ValueError as error:
            raise LabError(f"{self._settings_file} is damaged: restore it from a backup ({error})") from error

    def students(self, one: Assignment) -> list[str]:
        """Who was given a variant of their own; nobody if all were given the same."""
        return self._settings["students"].get(one.name, [])

    def set_students(self, one: Assignment, students: Sequence[str]) -> None:
        """Decide who gets a variant of their own; nobody: all get the same."""
        settings = self._settings
        lists = settings["students"] | {one.name: list(students)}
        write(self._settings_file, json.dumps(settings | {"students": lists}, indent=2, ensure_ascii=False))

    def seed(self, one: Assignment, student: str) -> int:
        """The seed of a student's variant, 1…2³¹: the same whenever asked, and not to be guessed without the secret."""
        key = f"{self._settings['secret']}:{one.name}:{student}".encode()
        return int(hashlib.sha256(key).hexdigest()[:8], 16) % 2**31 + 1

    def write_variant(self, one: Assignment, student: str, folder: Path) -> None:
        """Put the student's variant beside the notebook in `folder`."""
        variant = {"student": student, "seed": self.seed(one, student)}
        write(folder / variants.FILE, json.dumps(variant, ensure_ascii=False) + "\n")

    def source(self, one: Assignment) -> Path:
        """The notebook with solutions between marks, that nbgrader makes the release from."""
        return self.folder / "source" / one.name / f"{one.notebook}.ipynb"

    def release(self, one: Assignment) -> Path:
        """The notebook for students."""
        return self.folder / "release" / one.name / f"{one.notebook}.ipynb"

    def handout(self, one: Assignment) -> Path:
        """One folder a student, each with the released notebook and a variant of their own."""
        return self.folder / "handout" / one.name

    def submitted(self, one: Assignment, student: str) -> Path:
        """Where nbgrader looks for a submission."""
        return self.folder / "submitted" / student / one.name

    def build_source(self, one: Assignment, answers: str = "marked") -> Path:
        """Build the notebook from the lab's source, with "marked" or "solved" answers; returns it."""
        folder = self.source(one).parent if answers == "marked" else self.folder / answers / one.name
        command = [sys.executable, "-m", "vqlab.notebooks.build", one.notebook, f"--{answers}", folder]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise LabError(f"the source of lab {one.number} does not build: {run.stderr.strip().splitlines()[-1]}")
        return folder / f"{one.notebook}.ipynb"


def read_students(path: Path) -> list[str]:
    """Student ids from a text or CSV file: the first column, a line each; a header "student" or "id" is left out.

    Raises: LabError if the file is missing, empty, not text, or names a student twice or in an impossible way.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row[0].strip() for row in csv.reader(file) if row and row[0].strip()]
    except UnicodeDecodeError as error:
        raise LabError(f"the list of students {path} is not UTF-8: save it as a UTF-8 text file") from error
    except OSError as error:
        raise LabError(f"the list of students {path} cannot be read: {error.strerror}") from error
    students = rows[1:] if rows and rows[0].lower() in ("student", "id", "student_id") else rows
    if not students:
        raise LabError(f"the list of students {path} is empty: write one student id a line")
    students = [check_student(student) for student in students]
    alike = Counter(student.casefold() for student in students)  # Windows and macOS take Ann and ann for one folder
    if twice := sorted(student for student in set(students) if alike[student.casefold()] > 1):
        raise LabError(
            f"the list of students {path} names {', '.join(twice)} twice: make the ids differ by more than case"
        )
    return students


def check_student(student: str) -> str:
    """The id in Unicode's composed form: macOS and zip files part "é" into two characters.

    Raises: LabError if it cannot be the name of a folder on every system.
    """
    student = unicodedata.normalize("NFC", student)
    if not student or student[0] in ".-" or student != student.strip() or _FORBIDDEN & set(student):
        raise LabError(f"{student!r} cannot be a student id: it begins with a dot or dash, or holds one of {_LISTED}")
    if len(student) > _LONGEST_ID:
        raise LabError(f"{student[:20]}… cannot be a student id: it has more than {_LONGEST_ID} characters")
    return student


def write(path: Path, text: str) -> None:
    """Write a whole file or none: an interrupted or failed write leaves the old one.

    Raises: LabError if the disk is full or the folder cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise LabError(f"could not write {path} ({error}): make room or choose another folder") from error


def copy_notebook(notebook: Path, folder: Path) -> Path:
    """Copy a notebook into a folder, made if need be; returns the copy."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(notebook, folder))
    except OSError as error:
        raise LabError(f"could not copy {notebook.name} to {folder} ({error.strerror}): make room there") from error
