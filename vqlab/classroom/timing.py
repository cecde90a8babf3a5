"""A plan for a 90-minute class, from the minutes that a lab and its exercises state."""

import re

from nbformat import NotebookNode

CLASS = 90
_OPENING, _CLOSING = 5, 10
_EXERCISE = re.compile(
    r"^### (Exercise \d+ .*?|Open question)\s*\((?:★\S* )?(?:.*?, )?(\d+) minutes?, (\d+) points?", re.M
)


def plan(notebook: NotebookNode) -> str:
    """Minute by minute: opening, the lab, its exercises, closing; what does not fit in is homework."""
    title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    exploring = int(re.search(r"\| Time \| (\d+) minutes", notebook.cells[0].source)[1])
    steps = [("Open the lab; everybody commits a prediction", _OPENING), ("Explore, read, break it", exploring)]
    homework = []
    left = CLASS - _OPENING - _CLOSING - exploring
    for name, minutes, points in exercises(notebook):
        text = f"{name}, {points} point{'s' * (points != 1)}"
        if minutes <= left and not homework:
            steps.append((text, minutes))
            left -= minutes
        else:
            homework.append(f"- {text}, {minutes} minutes")
    steps.append(("Compare predictions; the last section, what the paper claims and what we measured", _CLOSING + left))
    lines, at = [f"# {title}: a class of {CLASS} minutes", "", "| minute | what |", "|---|---|"], 0
    for text, minutes in steps:
        lines.append(f"| {at}–{at + minutes} | {text} |")
        at += minutes
    if homework:
        lines += ["", "Homework:", "", *homework]
    return "\n".join([*lines, ""])


def exercises(notebook: NotebookNode) -> list[tuple[str, int, int]]:
    """Name, minutes and points of every exercise and open question, from the headings."""
    found = (_EXERCISE.search(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
    return [(match[1].replace("`", "").strip(" ·"), int(match[2]), int(match[3])) for match in found if match]
