"""The pages that people read: feedback for every student, and the open answers of all for whoever marks them.

Everything that a student or a teacher wrote is escaped, and no script runs in feedback.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import jinja2
import nbformat
from markupsafe import Markup, escape
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from vqlab.classroom.course import Course
from vqlab.classroom.course import write as write_file
from vqlab.classroom.reading import grade_id
from vqlab.classroom.record import (
    GRADED,
    LATER,
    Results,
    answer_digest,
    late_penalty,
    marks_of,
    moment,
    most_marks,
    told,
    total,
    waiting,
)
from vqlab.labs import Lab

_SHOWN = 6_000  # characters of one answer: six of them, escaped, are 200 KB at most
_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters["shown"] = lambda text: text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n… (cut here)"
_PAGES.filters["code"] = lambda text: Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))
_PAGES.filters["moment"] = moment
_PAGES.filters["points"] = lambda number: f"{number:g}"


def write(course: Course, lab: Lab, results: Results) -> None:
    """Write a page of feedback for everybody who handed something in, and one with all open answers.

    Raises: LabError if the disk is full or the folder cannot be written.
    """
    asked, most = _asked(nbformat.read(course.release(lab), as_version=4)), most_marks(course, lab)
    title = asked.pop("")
    for student, one in results.by_student.items():
        page = _feedback(course, lab, student, one, asked, most)
        write_file(course.feedback(lab, student), _PAGES.get_template("feedback.html").render(title=title, **page))
    questions = [
        {"name": name, "asked": asked[name], "most": most[name], "answers": _to_mark(name, results)} for name in most
    ]
    questions = [one for one in questions if one["answers"] or one["name"] not in lab.exercises()]
    page = _PAGES.get_template("open_answers.html").render(title=title, questions=questions, lab=lab.name)
    write_file(course.folder / f"hand_marks_{lab.name}.html", page)


def _to_mark(name: str, results: Results) -> list[dict]:
    """The answers that a person marks: all to an open question, to an exercise those that ask for a mark again."""
    found = [
        {
            "digest": answer_digest(one, name),
            "student": student,
            "text": one["texts"].get(name) or one["exercises"][name]["source"],
            "machine": one["exercises"].get(name),
            "mark": one["by_hand"].get(name),
            "earlier": one.get("earlier", {}).get(name),
        }
        for student, one in results.graded().items()
        if one["texts"].get(name) or (name in one["exercises"] and name in waiting(one))
    ]
    return sorted(found, key=lambda answer: (bool(answer["mark"]), answer["digest"]))


def _feedback(
    course: Course, lab: Lab, student: str, one: dict, asked: Mapping[str, str], most: Mapping[str, float]
) -> dict:
    """What the template of a page of feedback needs."""
    graded, deadline = one["status"] == GRADED, course.deadline(lab)
    exercises, marks = lab.exercises(), marks_of(one) if graded else {}
    parts = []
    for name in most if graded else ():
        by_hand, found = one["by_hand"].get(name), one["exercises"].get(name)
        tests = [test.says for test in exercises[name].tests] if found else []
        parts.append(
            {
                "name": name,
                "asked": asked[name],
                "mark": marks.get(name),
                "most": most[name],
                "by_hand": by_hand,
                "again": found and name in waiting(one),
                "found": found,
                "tests": list(zip(tests, (found or {}).get("tests") or [False] * len(tests), strict=True)),
                "text": one["texts"].get(name, ""),
            }
        )
    return {
        "student": student,
        "individual": bool(course.students(lab)),
        "graded": graded,
        "later": one["status"] == LATER,
        "told": told(one),
        "parts": parts,
        "total": total(one, deadline) if graded else 0.0,
        "most": sum(most.values()),
        "waits": None in marks.values(),
        "late": late_penalty(one, deadline) if graded else 0.0,
        "when": one.get("when", ""),
        "due": deadline[0] if deadline else "",
    }


def _asked(released: NotebookNode) -> dict[str, str]:
    """What each exercise and open question asks, as HTML of our own; under "" the title of the lab."""
    found = {"": released.cells[0].source.splitlines()[0].removeprefix("# ")}
    for before, cell in zip(released.cells, released.cells[1:], strict=False):
        name = grade_id(cell)
        if name and cell.metadata.nbgrader.get("solution") and before.cell_type == "markdown":
            found[name] = Markup(markdown2html(before.source))
    return found
