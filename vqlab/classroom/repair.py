"""Put right what can be put right in a notebook handed in, and say so: deleted and copied cells, misplaced answers."""

from collections.abc import Iterator
from itertools import takewhile

import nbformat
from nbformat import NotebookNode

from vqlab.classroom.collect import HandIn


class Unreadable(Exception):
    """A hand-in that cannot be graded; the message says why and what to ask the student for."""


def repaired(hand_in: HandIn, released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The notebook with every graded cell of the release, once, and remarks. Raises: Unreadable."""
    notebook = read(hand_in)
    remarks = [*hand_in.remarks, *join_copies(notebook), *put_back(notebook, released)]
    return notebook, [*remarks, *take_in_answers(notebook, released)]


def read(hand_in: HandIn) -> NotebookNode:
    """The notebook of a hand-in. Raises: Unreadable if it is missing or not a notebook."""
    if hand_in.notebook is None:
        raise Unreadable(f"no notebook to grade: {hand_in.remarks[0]}")
    try:
        notebook = nbformat.reads(hand_in.notebook.read_text(encoding="utf-8-sig"), as_version=4)
        for cell in notebook.cells:
            if "nbgrader" in cell.metadata and not grade_id(cell):
                del cell.metadata["nbgrader"]
        # Half of an emoji is legal JSON, but no text that could be written.
        text = nbformat.writes(notebook).encode("utf-8", "replace").decode("utf-8")
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # whatever a file may hold, it is this one that cannot be read
        reason = (str(error).splitlines() or [""])[0][:120] or type(error).__name__
        raise Unreadable(f"{hand_in.notebook.name} is no valid notebook ({reason}): ask for it again") from error
    return notebook


def grade_id(cell: NotebookNode) -> str | None:
    """The name that nbgrader knows a cell by, None if it does not."""
    known = cell.metadata.get("nbgrader")
    name = known.get("grade_id") if isinstance(known, dict) else None
    return name if isinstance(name, str) else None


def _named(notebook: NotebookNode) -> Iterator[tuple[int, str, NotebookNode]]:
    """Place, name and cell of all that nbgrader knows."""
    return ((i, name, cell) for i, cell in enumerate(notebook.cells) if (name := grade_id(cell)))


def join_copies(notebook: NotebookNode) -> list[str]:
    """A copied cell keeps its name: the first keeps it and takes in copied text; nbgrader would keep the last only."""
    first: dict[str, NotebookNode] = {}
    copied = []
    for _, name, cell in list(_named(notebook)):
        if first.setdefault(name, cell) is not cell:
            copied.append(name)
            del cell.metadata["nbgrader"]
            if cell.cell_type == "markdown" and cell.source not in first[name].source:
                first[name].source += f"\n\n{cell.source}"
    return [f"the cell {name} occurred more than once" for name in dict.fromkeys(copied)]


def put_back(notebook: NotebookNode, released: NotebookNode) -> list[str]:
    """Add the cells of the release that are missing, each after the one before it; nbgrader adds back checks only."""
    here = {name for _, name, _ in _named(notebook)}
    if not here & {name for _, name, _ in _named(released)}:
        raise Unreadable("it has none of this lab's exercise cells: is it another notebook?")
    lost, at = [], 0
    for _, name, cell in _named(released):
        if name in here:
            at = next(i for i, other, _ in _named(notebook) if other == name) + 1
        else:
            notebook.cells.insert(at, cell)
            lost.append(name)
            at += 1
    return [f"put back the deleted cells {', '.join(lost)}"] if lost else []


def take_in_answers(notebook: NotebookNode, released: NotebookNode) -> list[str]:
    """Move an open answer that stands below its cell into it: nbgrader gives an untouched cell no points, unread."""
    blank = {name: cell.source.strip() for _, name, cell in _named(released) if cell.cell_type == "markdown"}
    given = {cell.source for cell in released.cells}
    remarks = []
    for i, name, cell in list(_named(notebook)):
        if cell.source.strip() != blank.get(name):
            continue
        below = takewhile(lambda other: not grade_id(other) and other.source not in given, notebook.cells[i + 1 :])
        if added := [other.source for other in below if other.cell_type != "code" and other.source.strip()]:
            cell.source = "\n\n".join(added)
            remarks.append(f"the answer to {name} stood below its cell")
    return remarks
