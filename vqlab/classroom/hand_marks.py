"""Marks that a person gives: from a table into the record, and back with every answer that still waits."""

import csv
from pathlib import Path
from typing import NamedTuple

from vqlab import LabError
from vqlab.classroom.course import Course
from vqlab.classroom.record import GRADED, Results, answer_digest, most_marks, waiting
from vqlab.classroom.report import write_csv
from vqlab.labs import Lab

_COLUMNS = ("student", "question", "points", "out of", "comment", "answer")


class Exchange(NamedTuple):
    """path: the file; waiting: how many answers still wait; again: how many of them are to exercises."""

    path: Path
    waiting: int
    again: int


class Row(NamedTuple):
    """What a person wrote beside an answer; no points: it waits.   answer: digest of what they read, "" if unknown."""

    points: str = ""
    comment: str = ""
    answer: str = ""


def exchange(course: Course, lab: Lab, results: Results) -> Exchange:
    """Read the points and comments that a person wrote into hand_marks_LAB.csv; write it anew with all answers to mark.

    The table has the open questions. A row that a person adds for an exercise overrides what the machine gave.
    A mark belongs to the answer that it was given for: where a student has rewritten that, it is asked for again, for
    an open question and an exercise alike, until there are points for the new one.
    Raises: LabError for points that are no number in 0…out of, or a row that fits no hand-in; nothing is changed.
    """
    path = course.folder / f"hand_marks_{lab.name}.csv"
    given, most = read(path), most_marks(course, lab)
    for (student, question), row in given.items():
        if student not in results.by_student or question not in most:
            raise LabError(f"{path.name} names {student}, {question}, which nobody handed in: mend or remove the row")
        if not _fits(row.points, most[question]):
            raise LabError(
                f"{path.name} gives {student} {row.points!r} points: write a number from 0 to {most[question]:g}"
            )
    rows = [list(_COLUMNS)]
    for student, one in sorted(results.by_student.items()):
        if one["status"] != GRADED:
            rows += [[*who, row.points, "", row.comment, row.answer] for who, row in given.items() if who[0] == student]
            continue
        for question in most:
            is_open, row = question in one["texts"], given.get((student, question))
            known = [one.setdefault(key, {}).pop(question, None) for key in ("by_hand", "earlier")]
            if not (is_open or row or any(known)):
                continue
            answer = answer_digest(one, question)
            mark, earlier, row = settle(*known, row, answer)
            one["by_hand"] |= {question: mark} if mark else {}
            one["earlier"] |= {question: earlier} if earlier else {}
            if is_open or row.points or row.comment:
                rows.append([student, question, row.points, f"{most[question]:g}", row.comment, answer])
    results.save()
    write_csv(path, rows)
    wait = [(name, one) for one in results.graded().values() for name in waiting(one)]
    return Exchange(path, len(wait), sum(name in one["exercises"] for name, one in wait))


def settle(
    mark: dict | None, earlier: dict | None, row: Row | None, answer: str
) -> tuple[dict | None, dict | None, Row]:
    """The mark that holds for an answer; else what an earlier answer got, if it did; and the row that says so.

    mark: what was noted before, with the digest it was given "of".   earlier: what an earlier answer got, noted before.
    row: what the table says.   answer: the digest of the present one.
    """
    if row is None and mark:  # the table was lost: the record knows
        row = Row(f"{mark['points']:g}", mark["comment"])
    if row is None or not row.points:
        row = row or Row()
        return None, earlier, row if row.comment else row._replace(comment=_says(earlier))
    given = {"points": _number(row.points), "comment": row.comment}
    if (row.answer or (mark or {}).get("of", answer)) != answer:
        return None, given, Row("", _says(given))
    return given | {"of": answer}, None, row


def _says(earlier: dict | None) -> str:
    return f"an earlier answer got {earlier['points']:g}: {earlier['comment']}" if earlier else ""


def read(path: Path) -> dict[tuple[str, str], Row]:
    """The rows of a table of marks by student and question. Raises: LabError if a spreadsheet has broken it."""
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
        # Where the decimal sign is a comma, spreadsheets part columns by semicolons.
        rows = list(csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ","))
        return {
            (r["student"], r["question"]): Row(r["points"].strip(), r["comment"] or "", r.get("answer") or "")
            for r in rows
        }
    except UnicodeDecodeError as error:
        raise LabError(f"{path} is not UTF-8: save it as “CSV UTF-8” from your spreadsheet") from error
    except (KeyError, AttributeError) as error:
        columns = ", ".join(_COLUMNS[:-1])
        raise LabError(f"{path} has lost a column: it needs {columns}; delete it to get it again") from error


def _fits(points: str, most: float) -> bool:
    try:
        return not points or 0 <= _number(points) <= most
    except ValueError:
        return False


def _number(points: str) -> float:
    return float(points.replace(",", "."))
