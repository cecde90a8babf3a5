"""What is known of every hand-in: marks in nbgrader's gradebook, and what became of it in results_LAB.json."""

import json
from typing import TYPE_CHECKING

from nbgrader.api import Gradebook, MissingEntry

from vqlab import LabError
from vqlab.classroom.collect import HandIn
from vqlab.classroom.course import Course, write
from vqlab.labs import Lab

if TYPE_CHECKING:
    from vqlab.classroom.judge import Verdict

GRADED, NOT_GRADED, LATER = "graded", "not graded", "not graded yet"


def gradebook(course: Course) -> Gradebook:
    """nbgrader's gradebook of the course, a context manager."""
    return Gradebook(f"sqlite:///{course.folder.resolve() / 'gradebook.db'}", "vqlab")


def most_marks(book: Gradebook, lab: Lab) -> dict[str, float]:
    """Most marks of every exercise and open question, in order."""
    cells = book.find_notebook(lab.notebook, lab.name).grade_cells
    return {cell.name.removeprefix("check-"): cell.max_score for cell in cells}


def marks_of(book: Gradebook, lab: Lab, student: str) -> dict[str, tuple[float | None, float]]:
    """A student's marks and most marks of every exercise and open question; None while a person has to mark it."""
    grades = book.find_submission_notebook(lab.notebook, lab.name, student).grades
    given = {g.cell.name.removeprefix("check-"): None if g.needs_manual_grade else g.score for g in grades}
    return {name: (given[name], most) for name, most in most_marks(book, lab).items()}


def forget(course: Course, lab: Lab, student: str) -> None:
    """Remove what nbgrader noted of a student's hand-in that could not be graded."""
    with gradebook(course) as book:
        try:
            book.remove_submission(lab.name, student)
        except MissingEntry:
            return  # it did not come so far


class Results:
    """What became of each hand-in, kept in results_LAB.json after every one.

    by_student: id -> {"of": what was graded, under which release and list; "status"; "remarks"; "answers" and
    "marked": digests of the answers, and of those that a person has marked}.
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
            self._without_marks(hand_in, NOT_GRADED, "; ".join(verdict.remarks), self._of(hand_in))
            return
        marked = self.by_student.get(hand_in.student, {}).get("marked", {})
        self.by_student[hand_in.student] = {
            "of": self._of(hand_in),
            "status": GRADED,
            "remarks": verdict.remarks,
            "answers": verdict.answers,
            "marked": marked,
        }
        self.save()

    def postpone(self, hand_in: HandIn, why: str) -> None:
        """Remember that the machine failed: the next round tries again."""
        self._without_marks(hand_in, LATER, why, None)

    def _without_marks(self, hand_in: HandIn, status: str, why: str, of: list[str] | None) -> None:
        before = self.by_student.get(hand_in.student, {})
        if before.get("status") == GRADED:
            kept = before.get("kept", before["remarks"])
            said = f"a later hand-in is {status} ({why}): these are the marks of the earlier one"
            new = before | {"of": of, "kept": kept, "remarks": [*kept, said]}
        else:
            new = {"of": of, "status": status, "remarks": [why], "marked": before.get("marked", {})}
        self.by_student[hand_in.student] = new
        self.save()

    def save(self) -> None:
        """Write everything. Raises: LabError if the disk is full or the folder cannot be written."""
        write(self._path, json.dumps(self.by_student, indent=2, ensure_ascii=False))

    def _of(self, hand_in: HandIn) -> list[str]:
        listed = str(hand_in.student in self._listed) if self._listed else "no list"
        return [hand_in.digest, self._release, listed]
