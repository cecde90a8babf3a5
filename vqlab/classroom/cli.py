"""The commands of a teacher: `python -m vqlab assignment`, `grade` and `pack`."""

import argparse
import importlib.util
import sys
from pathlib import Path

from vqlab import LabError

_COURSE = Path("course")


def add_assignment(subcommands: argparse._SubParsersAction) -> None:
    """`assignment LAB`: release a lab."""
    parser = _parser(subcommands, "assignment", "release a lab as an nbgrader assignment")
    parser.add_argument("--students", type=Path, help="text file, one id a line: a variant of the questions for each")
    parser.add_argument("--common", action="store_true", help="the same questions for all, although variants are out")

    def run(chosen: argparse.Namespace) -> int:
        from vqlab.classroom import course
        from vqlab.classroom.release import release

        students = course.read_students(chosen.students) if chosen.students else []
        one = course.assignment(chosen.lab)
        folder = release(course.Course(chosen.course), one, students, chosen.common)
        each = f", one folder for each of {len(students)} students" if students else ""
        print(f"{one.name} is released: give out {folder}{each}")
        return 0

    parser.set_defaults(run=_with_nbgrader(run))


def add_grade(subcommands: argparse._SubParsersAction) -> None:
    """`grade LAB SUBMISSIONS`: grade what students handed in."""
    parser = _parser(subcommands, "grade", "grade a folder of submissions: marks as CSV, feedback as HTML")
    parser.add_argument("submissions", type=Path, help="a folder with one folder (or notebook) a student")
    parser.add_argument("--again", action="store_true", help="also what was graded before and has not changed")
    parser.add_argument("--minutes", type=float, default=10, help="time for one submission (default: 10)")
    parser.add_argument("--gigabytes", type=float, default=2.5, help="memory for one submission (default: 2.5)")

    def run(chosen: argparse.Namespace) -> int:
        from vqlab.classroom import course, grade

        if chosen.minutes <= 0 or chosen.gigabytes < 1:
            raise LabError("a submission needs more than 0 minutes and at least 1 gigabyte")
        home, one = course.Course(chosen.course), course.assignment(chosen.lab)
        limits = {"minutes": chosen.minutes, "gigabytes": chosen.gigabytes}
        try:
            print(grade.grade(home, one, chosen.submissions, again=chosen.again, **limits))
        except KeyboardInterrupt:
            print("Stopped; graded submissions are kept, so the same command goes on from here.", file=sys.stderr)
            return 130
        return 0

    parser.set_defaults(run=_with_nbgrader(run))


def add_pack(subcommands: argparse._SubParsersAction) -> None:
    """`pack LAB`: the teacher's pack."""
    parser = _parser(subcommands, "pack", "write the teacher's pack: solutions, key, rubric, wrong answers, timing")
    parser.add_argument("--students", type=Path, help="only these; default: all who were given a variant")

    def run(chosen: argparse.Namespace) -> int:
        from vqlab.classroom import course
        from vqlab.classroom.pack import pack

        students = course.read_students(chosen.students) if chosen.students else []
        folder = pack(course.Course(chosen.course), course.assignment(chosen.lab), students)
        print(f"the teacher's pack is in {folder}: keep it from students")
        return 0

    parser.set_defaults(run=run)


def _parser(subcommands: argparse._SubParsersAction, name: str, help: str) -> argparse.ArgumentParser:
    parser = subcommands.add_parser(name, help=help)
    parser.add_argument("lab", help="number of the lab, such as 01")
    parser.add_argument("--course", type=Path, default=_COURSE, help="folder of the course (default: course)")
    return parser


def _with_nbgrader(run):
    def checked(chosen: argparse.Namespace) -> int:
        if importlib.util.find_spec("nbgrader") is None:
            raise LabError("nbgrader is not installed: run `python -m pip install -e .[classroom]` in the repository")
        return run(chosen)

    return checked
