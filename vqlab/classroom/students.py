"""Who the students are: their ids, and the list of a class."""

import csv
import io
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from vqlab import LabError
from vqlab.inputs import shown

_LISTED = '/ \\ + : * ? " < > | [ ]'
_FORBIDDEN = set(_LISTED.replace(" ", "") + "\0")
_WINDOWS = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}
_LONGEST_ID = 80
_CALLED = ("student", "id", "student id", "username")  # what the column of ids is called in a table


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


class _Row(NamedTuple):
    line: int
    cells: list[str]


def read_list(path: Path) -> list[str]:
    """Student ids from a file with one a line, or with a table that calls their column "student", "id" or the like.

    Raises: LabError if the file is missing, empty, not text, has more than ids and does not say which they are, or
        names a student twice or in an impossible way.
    """
    try:
        rows = _rows(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise LabError(f"the list of students {path} is not UTF-8: save it as a UTF-8 text file") from error
    except OSError as error:
        raise LabError(f"the list of students {path} cannot be read: {error.strerror}") from error
    called = [cell.lower().replace("_", " ") for cell in rows[0].cells] if rows else []
    column, width = next((i for i, name in enumerate(called) if name in _CALLED), 0), 1
    if set(called) & set(_CALLED):
        rows, width = rows[1:], len(called)
    if not rows:
        raise LabError(f"the list of students {path} is empty: write one student id a line")
    lines = defaultdict(list)
    for row in rows:
        lines[check(_id(row, column, width, path))].append(row.line)
    _check_apart(lines, path)
    return list(lines)


def _rows(text: str) -> list[_Row]:
    """The lines that hold something, parted by what parts the first: where the decimal sign is a comma, semicolons."""
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    reader = csv.reader(io.StringIO(text), delimiter=next((mark for mark in ";\t" if mark in first), ","))
    rows = []
    for cells in reader:
        while cells and not cells[-1].strip():  # spreadsheets fill up with empty ones
            cells.pop()
        if cells:
            rows.append(_Row(reader.line_num, [cell.strip() for cell in cells]))
    return rows


def _id(row: _Row, column: int, width: int, path: Path) -> str:
    found = row.cells[column] if column < len(row.cells) <= width else ""
    if not found or set(";\t") & set(found):
        raise LabError(
            f"line {row.line} of the list of students {path} does not say which part is the id, "
            f"{shown(', '.join(row.cells))}: write one id a line, in quotation marks if a comma belongs to it, or a "
            "table with as many columns as its first line, which calls that of the ids “id”"
        )
    return found


def _check_apart(lines: dict[str, list[int]], path: Path) -> None:
    if twice := [f"{student} in lines {_listed(found)}" for student, found in lines.items() if len(found) > 1]:
        raise LabError(f"the list of students {path} names {'; '.join(twice[:5])}: keep one line for each student")
    alike = Counter(student.casefold() for student in lines)  # Windows and macOS take Ann and ann for one folder
    if twice := sorted(student for student in lines if alike[student.casefold()] > 1):
        raise LabError(
            f"the list of students {path} names {', '.join(twice)} twice: make the ids differ by more than case"
        )


def _listed(numbers: list[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}"
