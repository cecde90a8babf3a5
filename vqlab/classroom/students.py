"""Who the students are: their ids, and the list of a class."""

import csv
import unicodedata
from collections import Counter
from pathlib import Path

from vqlab import LabError

_LISTED = '/ \\ + : * ? " < > | [ ]'
_FORBIDDEN = set(_LISTED.replace(" ", "") + "\0")
_WINDOWS = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}
_LONGEST_ID = 80


def composed(student: str) -> str:
    """The id in Unicode's composed form: macOS and zip files part "é" into two characters."""
    return unicodedata.normalize("NFC", student)


def legible(name: str) -> str:
    """A name as it may be printed and written: bytes that are no text become question marks."""
    return name.encode("utf-8", "replace").decode("utf-8")


def check(student: str) -> str:
    """The id, composed. Raises: LabError if it cannot be the name of a folder on every system."""
    student = composed(student)
    if (
        not student
        or student[0] in ".-=@"
        or student != student.strip()
        or _FORBIDDEN & set(student)
        or not student.isprintable()
        or student.endswith(".")
        or student.partition(".")[0].upper() in _WINDOWS
    ):
        raise LabError(
            f"{student!r} cannot be a student id: it begins with a dot, a dash, = or @, ends with a dot, is a name "
            f"that Windows keeps for itself, or holds one of {_LISTED}"
        )
    if len(student) > _LONGEST_ID:
        raise LabError(f"{student[:20]}… cannot be a student id: it has more than {_LONGEST_ID} characters")
    return student


def read_list(path: Path) -> list[str]:
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
    if rows and rows[0].lower() in ("student", "id", "student_id"):
        rows = rows[1:]
    if not rows:
        raise LabError(f"the list of students {path} is empty: write one student id a line")
    ids = [check(row) for row in rows]
    alike = Counter(student.casefold() for student in ids)  # Windows and macOS take Ann and ann for one folder
    if twice := sorted(student for student in set(ids) if alike[student.casefold()] > 1):
        raise LabError(
            f"the list of students {path} names {', '.join(twice)} twice: make the ids differ by more than case"
        )
    return ids
