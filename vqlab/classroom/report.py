"""What a round of grading tells the teacher: a table of marks, and a summary in words."""

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from vqlab.classroom.course import Course, write
from vqlab.classroom.record import (
    GRADED,
    Results,
    days_late,
    late_penalty,
    marks_of,
    moment,
    most_marks,
    total,
    waiting,
)
from vqlab.labs import Lab


class Report(NamedTuple):
    """What a round left: the tables, how many answers wait for a person, who was graded or not, and why.

    again: how many of those that wait are new answers to exercises that a person has marked.
    missing: students who were given a variant and have handed in nothing; ignored: files that are no hand-ins.
    lateness: when they were due and how many were late, "" if nothing is due.   walls: what stood between the hand-ins
    and this machine.   wanted: modules that are not here, and the answers that stopped at each.
    """

    table: Path
    hand_marks: Path
    waiting: int
    again: int
    graded: list[str]
    not_graded: dict[str, str]
    missing: list[str]
    ignored: list[str]
    lateness: str
    walls: str
    wanted: dict[str, list[str]]

    def __str__(self) -> str:
        lines = [f"{len(self.graded)} graded, {len(self.not_graded)} not; the marks are in {self.table}"]
        lines += [f"not graded: {student}: {why}" for student, why in self.not_graded.items()]
        if self.missing:
            lines.append(f"no submission of {', '.join(self.missing)}")
        if self.ignored:
            lines.append(f"ignored: {', '.join(self.ignored)}")
        if self.lateness:
            lines.append(self.lateness)
        for module, answers in self.wanted.items():
            others = f" and {len(answers) - 1} more" if len(answers) > 1 else ""
            lines.append(f"{answers[0]}{others} stopped at {not_here(module)}")
        if self.waiting:
            page = self.hand_marks.with_suffix(".html")
            kinds = {"open answer{}": self.waiting - self.again, "new answer{} to what was marked by hand": self.again}
            which = " and ".join(f"{n} {kind.format('s'[: n != 1])}" for kind, n in kinds.items() if n)
            wait, them = ("waits", "it") if self.waiting == 1 else ("wait", "them")
            lines.append(f"{which} {wait}: mark {them} in {page}, save that as {self.hand_marks}, grade once more")
        lines.append(f"walls: {self.walls}")
        return "\n".join(lines)


def write_marks(course: Course, lab: Lab, results: Results) -> Path:
    """Write marks_LAB.csv: a row a student with status, marks, total and remarks."""
    most, deadline = most_marks(course, lab), course.deadline(lab)
    rows = [["student", "status", *most, "late", "total", "out of", "to mark by hand", "remarks"]]
    for student, one in sorted(results.by_student.items()):
        marks, sum_, late, wait = dict.fromkeys(most, ""), "", "", []
        if one["status"] == GRADED:
            given = marks_of(one)
            wait = waiting(one)
            marks = {name: "" if given.get(name) is None else f"{given[name]:g}" for name in most}
            sum_, cost = f"{total(one, deadline):g}", late_penalty(one, deadline)
            late = f"-{cost:.0%}" if cost else ""
        out_of, remarks = f"{sum(most.values()):g}", "; ".join(one["remarks"])
        rows.append([student, one["status"], *marks.values(), late, sum_, out_of, " ".join(wait), remarks])
    rows += [[student, "no submission", *[""] * (len(rows[0]) - 2)] for student in missing(course, lab, results)]
    target = course.folder / f"marks_{lab.name}.csv"
    write_csv(target, rows)
    return target


def lateness(course: Course, lab: Lab, results: Results) -> str:
    """When hand-ins were due, and how many are late: nearly all, where a copy has renewed their time stamps."""
    if not (deadline := course.deadline(lab)):
        return ""
    every = results.graded().values()
    late = sum(days_late(one, deadline) > 0 for one in every)
    says = (
        f"due {moment(deadline[0])}, {deadline[1]:g} % off for each day begun after it: "
        f"{late or 'none'} of {len(every)} graded {'is' if late < 2 else 'are'} late"
    )
    hint = " by the time stamps of the files; if copying has renewed those, copy with `cp -p` and grade with --again"
    return says + (hint if late else "")


def not_here(module: str) -> str:
    """What to do about a module that an answer wants, be it a package or a name that the student made up."""
    return (
        f"the module {module}, which is not here: if it is a package that you know, install it and grade with --again; "
        "if it is a file of the student's own, ask for it"
    )


def wanted(results: Results) -> dict[str, list[str]]:
    """Modules that are not here, and the answers that stopped at each."""
    found = defaultdict(list)
    for student, one in results.graded().items():
        for name, feedback in one["exercises"].items():
            if module := feedback.get("wants"):
                found[module].append(f"{student}'s answer to {name}")
    return dict(found)


def missing(course: Course, lab: Lab, results: Results) -> list[str]:
    """Who was given a variant and has handed in nothing."""
    return sorted(set(course.students(lab)) - results.by_student.keys())


def write_csv(path: Path, rows: list[list]) -> None:
    """Write a table that spreadsheets read with every name intact: they know UTF-8 by the mark at its beginning."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write(path, "\ufeff" + text.getvalue())
