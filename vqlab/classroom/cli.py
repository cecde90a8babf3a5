"""The commands of a teacher: `python -m vqlab assignment`, `grade` and `pack`."""

import argparse
import importlib.util
import sys
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

from vqlab import LabError


def add_assignment(subcommands: argparse._SubParsersAction) -> None:
    """`assignment LAB`: release a lab."""
    parser = _parser(subcommands, "assignment", "release a lab as an assignment", _assignment)
    parser.add_argument("--students", type=Path, help="text file, one id a line: a variant of the questions for each")
    parser.add_argument("--common", action="store_true", help="the same questions for all, although variants are out")


def add_grade(subcommands: argparse._SubParsersAction) -> None:
    """`grade LAB SUBMISSIONS`: grade what students handed in."""
    parser = _parser(subcommands, "grade", "grade a folder of submissions: marks as CSV, feedback as HTML", _grade)
    parser.add_argument("submissions", type=Path, help="a folder with one folder (or notebook) a student")
    parser.add_argument("--again", action="store_true", help="also what was graded before and has not changed")
    parser.add_argument("--minutes", type=float, default=1, help="time for one exercise (default: 1)")
    parser.add_argument("--gigabytes", type=float, default=2.5, help="memory for one submission (default: 2.5)")
    parser.add_argument("--due", help="deadline: the end of 2026-12-01, or 2026-12-01T18:00; kept for later rounds")
    parser.add_argument("--late", type=float, help="per cent that each day begun after it costs (at first 0); kept")


def add_pack(subcommands: argparse._SubParsersAction) -> None:
    """`pack LAB`: the teacher's pack."""
    help = "write the teacher's pack: solutions, key, rubric, wrong answers, timing"
    parser = _parser(subcommands, "pack", help, _pack)
    parser.add_argument("--students", type=Path, help="only these; default: all who were given a variant")


def _parser(subcommands: argparse._SubParsersAction, name: str, help: str, run: Callable) -> argparse.ArgumentParser:
    parser = subcommands.add_parser(name, help=help)
    parser.add_argument("lab", help="number of the lab, such as 01")
    parser.add_argument("--course", type=Path, default=Path("course"), help="folder of the course (default: course)")

    def checked(chosen: argparse.Namespace) -> int:
        for package in ("jinja2", "jupytext", "nbconvert", "psutil"):
            if importlib.util.find_spec(package) is None:
                raise LabError(f"{package} is not installed: run `pip install -e .[classroom]` in the repository")
        from vqlab import labs
        from vqlab.classroom import course, students

        listed = students.read_list(chosen.students) if getattr(chosen, "students", None) else []
        return run(chosen, course.Course(chosen.course), labs.find(chosen.lab), listed)

    parser.set_defaults(run=checked)
    return parser


def _assignment(chosen: argparse.Namespace, course, lab, students: list[str]) -> int:
    from vqlab.classroom.release import release

    folder = release(course, lab, students, chosen.common)
    each = f", one folder for each of {len(students)} students" if students else ""
    print(f"{lab.name} is released: give out {folder}{each}")
    return 0


def _grade(chosen: argparse.Namespace, course, lab, _: list[str]) -> int:
    from vqlab.classroom import grade

    if chosen.minutes <= 0 or chosen.gigabytes < 1:
        raise LabError("a submission needs more than 0 minutes and at least 1 gigabyte")
    if chosen.late is not None and not 0 <= chosen.late <= 100:
        raise LabError(f"a day costs from 0 to 100 per cent, not {chosen.late:g}")
    if chosen.due is not None or chosen.late is not None:
        course.set_deadline(lab, None if chosen.due is None else _due(chosen.due), chosen.late)
    limits = {"minutes": chosen.minutes, "gigabytes": chosen.gigabytes}
    try:
        print(grade.grade(course, lab, chosen.submissions, again=chosen.again, **limits))
    except KeyboardInterrupt:
        print("Stopped; graded submissions are kept, so the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _due(text: str) -> datetime:
    """The moment that a teacher has typed; a day without a time is due at its end."""
    try:
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59))
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise LabError(
            f"{text!r} is not understood as a due date: type year, month and day as in 2026-12-01, which means the "
            "end of that day, or add a time as in 2026-12-01T18:00"
        ) from error


def _pack(chosen: argparse.Namespace, course, lab, students: list[str]) -> int:
    from vqlab.notebooks.pack import write_pack

    folder = course.folder / "pack" / lab.name
    write_pack(lab, folder, course.prepare().seeds(lab, students))
    print(f"the teacher's pack is in {folder}: keep it from students")
    return 0
