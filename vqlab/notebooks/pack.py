"""The teacher's pack of a lab: solved notebook, answer key, rubric, wrong answers with their hints, a timing plan."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from vqlab import LabError
from vqlab.exercises import check, variants
from vqlab.labs import Lab
from vqlab.notebooks.build import SOLVED, build

CLASS = 90  # minutes
_OPENING, _CLOSING = 5, 10
_HEADING = re.compile(
    r"^### (Exercise \d+ .*?|Open question)\s*\((?:★\S* )?(?:.*?, )?(\d+) minutes?, (\d+) points?", re.M
)
_BETWEEN_MARKS = re.compile(r"^[ \t]*### BEGIN SOLUTION\n(.*?)\n[ \t]*### END SOLUTION", re.DOTALL | re.MULTILINE)


def write_pack(lab: Lab, folder: Path, seeds: Mapping[str, int]) -> None:
    """Write the pack of a lab, built from its one source, into a folder.

    seeds: student -> seed, of those whose own answers the answer key lists; none: all were asked the same.
    Raises: LabError if the lab has no table of answers, or the folder cannot be written.
    """
    notebook = jupytext.read(lab.source)
    title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    key = [*_answer_key(notebook), *(_individual_answers(lab, seeds) if seeds else ())]
    pages = {
        "answer_key": (f"{title}: answer key", key),
        "rubric": (f"{title}: the open question", _rubric(notebook)),
        "wrong_answers": (f"{title}: typical wrong answers, and what the check says", _wrong_answers(lab)),
        "timing": (f"{title}: a class of {CLASS} minutes", _timing(notebook)),
    }
    texts = {f"{name}.md": "\n".join([f"# {heading}", "", *lines, ""]) for name, (heading, lines) in pages.items()}
    texts[f"{lab.notebook}.ipynb"] = nbformat.writes(build(lab.source, SOLVED, assignment=True))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LabError(f"the pack could not be written to {folder} ({error}): make room there") from error


def _answer_key(notebook: NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        if name := cell.metadata.get("exercise") or cell.metadata.get("open"):
            solved = _BETWEEN_MARKS.sub(lambda marked: marked[1], cell.source)
            yield from (f"## {name}", "", *(_code(solved) if cell.cell_type == "code" else (solved, "")))


def _figures(answer: float | tuple[float, ...]) -> str:
    return ", ".join(f"{number:.5g}" for number in (answer if isinstance(answer, tuple) else (answer,)))


def _individual_answers(lab: Lab, seeds: Mapping[str, int]) -> Iterator[str]:
    """A table of what every exercise with a variant asks of every student, and the answer."""
    drawn = lab.module("exercises").VARIANTS
    yield from ("## Answers of each student", "")
    yield f"| student | {' | '.join(f'{name}: asked for | answer' for name in drawn)} |"
    yield "|---" * (2 * len(drawn) + 1) + "|"
    for student, seed in seeds.items():
        with variants.asking(seed):
            answers = [
                f"{variants.in_words(asked())} | {_figures(answer()) if answer else 'the solution above'}"
                for asked, answer in drawn.values()
            ]
        yield f"| {student} | {' | '.join(answers)} |"


def _rubric(notebook: NotebookNode) -> Iterator[str]:
    for i, cell in enumerate(notebook.cells):
        if "rubric" in cell.metadata:
            question, answer = notebook.cells[i - 2].source, _BETWEEN_MARKS.search(notebook.cells[i - 1].source)[1]
            yield from (question.replace("### ", "## ", 1), "", cell.source, "", "**A full answer**", "", answer, "")


def _wrong_answers(lab: Lab) -> Iterator[str]:
    """What students do write, as the lab's answers.py has it, and what the check says to it."""
    answers = lab.module("answers")
    if answers is None:
        raise LabError(f"lab {lab.number} has no table of answers: write answers.py beside its source")
    tree = ast.parse(inspect.getsource(answers))
    made_of = [ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)]
    yield from ("What the answers below are made of:", "", *_code("\n\n\n".join(made_of)))
    (table,) = (n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "WRONG")
    for key, written in zip(table.keys, table.values, strict=True):
        yield from (f"## {key.value}", "")
        for entry, (answer, _) in zip(written.elts, answers.WRONG[key.value], strict=True):
            yield from _code(ast.unparse(entry.elts[0]))
            yield from (f"> {check(lab.exercises()[key.value], answer, seed=0).says}", "")


def _code(text: str) -> tuple[str, ...]:
    return "```python", text, "```", ""


def exercises(notebook: NotebookNode) -> list[tuple[str, int, int]]:
    """Name, minutes and points of every exercise and open question of a source, from the headings."""
    found = (_HEADING.search(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
    return [(match[1].replace("`", "").strip(" ·"), int(match[2]), int(match[3])) for match in found if match]


def _timing(notebook: NotebookNode) -> Iterator[str]:
    """Minute by minute: opening, the lab, its exercises, closing; what does not fit in is homework."""
    exploring = int(re.search(r"\| Time \| (\d+) minutes", notebook.cells[0].source)[1])
    steps = [("Open the lab; everybody commits a prediction", _OPENING), ("Explore, read, break it", exploring)]
    todo = [(f"{name}, {points} point{'s' * (points != 1)}", minutes) for name, minutes, points in exercises(notebook)]
    left = CLASS - _OPENING - _CLOSING - exploring
    while todo and todo[0][1] <= left:
        left -= todo[0][1]
        steps.append(todo.pop(0))
    steps.append(("Compare predictions; the last section, what the paper claims and what we measured", _CLOSING + left))
    yield from ("| minute | what |", "|---|---|")
    at = 0
    for text, minutes in steps:
        yield f"| {at}–{at + minutes} | {text} |"
        at += minutes
    if todo:
        yield from ("", "Homework:", "", *(f"- {text}, {minutes} minutes" for text, minutes in todo))
