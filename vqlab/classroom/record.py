"""What is known of every hand-in, in results_LAB.json, and the marks that follow from it."""

import hashlib
import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import nbformat

from vqlab import LabError
from vqlab.classroom import reading
from vqlab.classroom.collect import HandIn
from vqlab.classroom.course import Course, write
from vqlab.labs import Lab

if TYPE_CHECKING:
    from vqlab.classroom.judge import Verdict

GRADED, NOT_GRADED, LATER = "graded", "not graded", "not graded yet"


def most_marks(course: Course, lab: Lab) -> dict[str, float]:
    """Most marks of every exercise and open question of the release, in order."""
    released, known = nbformat.read(course.release(lab), as_version=4), lab.exercises()
    exercises = {name: float(len(known[name].tests)) for name in reading.exercises(released)}
    return exercises | {name: float(points) for name, points in reading.questions(released).items()}


def marks_of(one: dict) -> dict[str, float | None]:
    """The marks in a record by exercise and open question; None while a person has to mark it.

    What a person gave counts before what the machine found; an open question left blank earns nothing, unread.
    """
    given = {name: float(feedback["marks"]) for name, feedback in one["exercises"].items()}
    given |= {name: None if text else 0.0 for name, text in one["texts"].items()}
    return given | {name: mark["points"] for name, mark in one["by_hand"].items()}


def days_late(one: dict, deadline: tuple[str, float] | None) -> int:
    """How many days had begun after the deadline when a hand-in was written; 0 if one of the two is unknown."""
    if deadline is None or not one.get("when"):
        return 0
    due, written = (datetime.fromisoformat(text) for text in (deadline[0], one["when"]))
    return max(0, math.ceil((written - due.astimezone(UTC)) / timedelta(days=1)))


def waiting(one: dict) -> list[str]:
    """What of a record waits for a person: open answers, and exercises that one has marked with another answer."""
    unread = [name for name, mark in marks_of(one).items() if mark is None]
    return unread + [name for name in one.get("earlier", {}) if name in one["exercises"]]


def told(one: dict) -> list[str]:
    """What the student reads beside the marks; not what a cell stopped with where a person has given points for it."""
    overruled = [one["exercises"][name]["errors"] for name in one.get("by_hand", {}) if name in one["exercises"]]
    return [said for said in one.get("told", []) if not any(said in errors for errors in overruled)]


def late_penalty(one: dict, deadline: tuple[str, float] | None) -> float:
    """The share of the marks that lateness costs, 0…1: so many per cent for each day begun after the deadline."""
    return min(1.0, days_late(one, deadline) * deadline[1] / 100) if deadline else 0.0


def total(one: dict, deadline: tuple[str, float] | None) -> float:
    """All marks in a record so far, less what lateness costs."""
    return sum(mark or 0.0 for mark in marks_of(one).values()) * (1 - late_penalty(one, deadline))


def moment(text: str) -> str:
    """A time in ISO 8601 as people write it: in UTC if it says how far from there it is, else that of this machine."""
    when = datetime.fromisoformat(text)
    when = when.astimezone(UTC) if when.tzinfo else when
    return f"{when.day} {when:%B %Y, %H:%M}{' UTC' if when.tzinfo else ''}"


def answer_digest(one: dict, name: str) -> str:
    """A short digest of the answer that a mark by hand is given for."""
    text = one["texts"][name] if name in one["texts"] else one["exercises"][name]["source"]
    return hashlib.sha256(text.encode()).hexdigest()[:8]


class Results:
    """What became of each hand-in, kept in results_LAB.json after every one.

    by_student: id -> {"of": what was graded, under which release and list; "status"; "remarks", and "told", as in a
    Verdict; "when" it was written and "came_as", its name among the hand-ins; "exercises" and "texts" as in a Verdict;
    "by_hand": name -> {"points", "comment", "of": digest of the answer}; "earlier": name -> {"points", "comment"} that
    another answer got, until a person has marked the present one}.
    """

    def __init__(self, course: Course, lab: Lab) -> None:
        self._path = course.folder / f"results_{lab.name}.json"
        self._release = HandIn("", course.release(lab)).digest
        self._listed = course.students(lab)
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else "{}"
        try:
            self.by_student: dict[str, dict] = json.loads(text)
        except ValueError as error:
            raise LabError(f"{self._path} is damaged ({error}): delete it, and everybody is graded again") from error

    def has(self, hand_in: HandIn) -> bool:
        """Whether just this was graded, or refused, under the release and the list of students that hold now."""
        return self.by_student.get(hand_in.student, {}).get("of") == self._of(hand_in)

    def graded(self) -> dict[str, dict]:
        """Those who have marks, in order of their ids."""
        return {student: one for student, one in sorted(self.by_student.items()) if one["status"] == GRADED}

    def keep(self, hand_in: HandIn, verdict: "Verdict") -> None:
        """Remember a verdict; a hand-in that cannot be graded takes nobody's earlier marks away."""
        if not verdict.graded:
            self._without_marks(hand_in, NOT_GRADED, "; ".join(verdict.remarks), verdict.told, self._of(hand_in))
            return
        before = self.by_student.get(hand_in.student, {})
        self.by_student[hand_in.student] = {
            "of": self._of(hand_in),
            "status": GRADED,
            "remarks": verdict.remarks,
            "told": verdict.told,
            "when": hand_in.when,
            "came_as": hand_in.came_as,
            "exercises": verdict.exercises,
            "texts": verdict.texts,
            "by_hand": before.get("by_hand", {}),
            "earlier": before.get("earlier", {}),
        }
        self.save()

    def postpone(self, hand_in: HandIn, why: str) -> None:
        """Remember that the machine failed: the next round tries again."""
        self._without_marks(hand_in, LATER, why, ["the machine that grades failed, and tries again"], None)

    def _without_marks(self, hand_in: HandIn, status: str, why: str, told: list[str], of: list[str] | None) -> None:
        before = self.by_student.get(hand_in.student, {})
        if before.get("status") == GRADED:
            new = before | {"of": of}
            for key, kept_as, reason in (("remarks", "kept", why), ("told", "kept_told", "; ".join(told))):
                kept = new.setdefault(kept_as, before.get(key, []))
                new[key] = [*kept, f"a later hand-in is {status} ({reason}): these are the marks of the earlier one"]
        else:
            new = {"of": of, "status": status, "remarks": [why], "told": told, "came_as": hand_in.came_as}
        self.by_student[hand_in.student] = new
        self.save()

    def save(self) -> None:
        """Write everything. Raises: LabError if the disk is full or the folder cannot be written."""
        write(self._path, json.dumps(self.by_student, indent=2, ensure_ascii=False))

    def _of(self, hand_in: HandIn) -> list[str]:
        listed = str(hand_in.student in self._listed) if self._listed else "no list"
        return [hand_in.digest, self._release, listed]
