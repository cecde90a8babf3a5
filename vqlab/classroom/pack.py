"""The teacher's pack of a lab: solved notebook, answer key, rubric, wrong answers with their hints, a timing plan."""

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import jupytext
from nbformat import NotebookNode

from vqlab import LabError
from vqlab.classroom.course import Assignment, Course, write
from vqlab.classroom.timing import plan
from vqlab.exercises import check

_BETWEEN_MARKS = re.compile(r"^[ \t]*### BEGIN SOLUTION\n(.*?)\n[ \t]*### END SOLUTION", re.DOTALL | re.MULTILINE)


def pack(course: Course, one: Assignment, students: list[str]) -> Path:
    """Write the pack of a lab to the course's pack/LAB folder, built from the lab's one source; returns the folder.

    With individual variants the answer key lists the answer of each of `students`, by default of all.
    Raises: LabError if one of them was given no variant in this course: another course has other answers.
    """
    course.prepare()
    released = course.students(one)
    if unknown := sorted(set(students) - set(released)):
        raise LabError(f"{one.name} was not released to {', '.join(unknown)} in {course.folder}: is it another course?")
    students = students or released
    solved = course.build_source(one, "solved")
    folder = course.folder / "pack" / one.name
    write(folder / solved.name, solved.read_text(encoding="utf-8"))
    notebook = jupytext.read(one.source)
    write(folder / "answer_key.md", _answer_key(course, one, notebook, students))
    write(folder / "rubric.md", _rubric(notebook))
    write(folder / "wrong_answers.md", _wrong_answers(one))
    write(folder / "timing.md", plan(notebook))
    return folder


def _answer_key(course: Course, one: Assignment, notebook: NotebookNode, students: list[str]) -> str:
    lines = [f"# {_title(notebook)}: answer key", ""]
    for cell in notebook.cells:
        if name := cell.metadata.get("exercise") or cell.metadata.get("open"):
            solved = _BETWEEN_MARKS.sub(lambda marked: marked[1], cell.source)
            shown = _fenced(solved) if cell.cell_type == "code" else [solved, ""]
            lines += [f"## {name}", "", *shown]
    if students:
        lines += ["## Answers of each student", "", *_individual_answers(course, one, notebook, students)]
    return "\n".join([*lines, ""])


def _individual_answers(course: Course, one: Assignment, notebook: NotebookNode, students: list[str]) -> Iterator[str]:
    """A table with the value that every exercise with a variant asks of every student."""
    from vqlab.classroom.variation import questions_and_answers

    names = [cell.metadata["exercise"] for cell in notebook.cells if "stub" in cell.metadata]
    yield f"| student | {' | '.join(f'{name}: asked for | answer' for name in names)} |"
    yield "|---" * (2 * len(names) + 1) + "|"
    for student in students:
        pairs = questions_and_answers(one, names, course.seed(one, student))
        yield f"| {student} | {' | '.join(f'{question} | {answer}' for question, answer in pairs)} |"


def _rubric(notebook: NotebookNode) -> str:
    parts = [f"# {_title(notebook)}: the open question\n"]
    for i, cell in enumerate(notebook.cells):
        if "rubric" in cell.metadata:
            question, answer = notebook.cells[i - 2].source, _BETWEEN_MARKS.search(notebook.cells[i - 1].source)[1]
            parts += [question.replace("### ", "## ", 1), "", cell.source, "", "**A full answer**", "", answer, ""]
    return "\n".join(parts)


def _wrong_answers(one: Assignment) -> str:
    """What students do write, taken from the table the tests use, and what the check says to it."""
    path = one.source.parent / "answers.py"
    if not path.exists():
        raise LabError(f"lab {one.number} has no table of answers at {path}: write one")
    table, tree = runpy.run_path(str(path))["WRONG"], ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    written, exercises = _table_entries(tree, "WRONG"), one.lab.exercises()
    lines = [f"# Lab {one.number}: typical wrong answers, and what the check says", ""]
    for name, answers in table.items():
        lines += [f"## {name}", ""]
        if used := _used(written[name], functions):
            lines += ["What the answers below are made of:", "", *_fenced(*map(ast.unparse, used))]
        for (answer, _), node in zip(answers, written[name], strict=True):
            lines += [*_fenced(ast.unparse(node)), f"> {check(exercises[name], answer, seed=0).says}", ""]
    return "\n".join(lines)


def _used(answers: list[ast.expr], functions: dict[str, ast.FunctionDef]) -> list[ast.FunctionDef]:
    """The functions that the answers call, and those that these call, in the order they are written."""
    todo, found = list(answers), set()
    while todo:
        names = {node.id for node in ast.walk(todo.pop()) if isinstance(node, ast.Name)} & functions.keys() - found
        found |= names
        todo += [functions[name] for name in names]
    return [functions[name] for name in functions if name in found]


def _fenced(*code: str) -> list[str]:
    return ["```python", "\n\n\n".join(code), "```", ""]


def _table_entries(tree: ast.Module, table: str) -> dict[str, list[ast.expr]]:
    """The expressions of the answers in a table {name: [(answer, word), …]}, as written."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == table:
            pairs = zip(node.value.keys, node.value.values, strict=True)
            return {key.value: [entry.elts[0] for entry in entries.elts] for key, entries in pairs}
    raise LabError(f"the table {table} is not written as a plain dictionary: keep it one")


def _title(notebook: NotebookNode) -> str:
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")
