"""Read a notebook that was handed in: the code that answers each exercise, the text that answers each open question.

Of what a student hands in only the source of cells counts. Their place, their names and everything else may have
suffered: cells are known by the name that they were given, then by their text, then by what they define.
"""

import ast
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

import nbformat
from nbformat import NotebookNode

from vqlab.classroom import students
from vqlab.classroom.collect import HandIn
from vqlab.classroom.slicing import LONGEST, Cell, needed

_CHECK = "check-"
# More than anybody writes; reading costs this process time and memory, which nobody limits here.
_MOST_CELLS, _MOST_VALUES, _LONGEST_CODE = 2000, 2_000_000, 500_000


class Unreadable(Exception):
    """A hand-in that cannot be graded; the message says why and what to ask the student for.

    told: what the student reads instead.
    """

    def __init__(self, why: str, told: str) -> None:
        super().__init__(why)
        self.told = told


@dataclass(frozen=True)
class Answers:
    """What a student wrote.

    code: for each exercise what has to run, in order; nothing if it was left as it came.
    sources: the answer to each exercise as it stands in the notebook.   texts: the answer to each open question.
    told: those of the remarks that are for the student.
    """

    code: dict[str, list[Cell]]
    sources: dict[str, str]
    texts: dict[str, str]
    remarks: tuple[str, ...]
    told: tuple[str, ...]


def read(hand_in: HandIn, released: NotebookNode) -> Answers:
    """The answers in a hand-in to the exercises of the released notebook. Raises: Unreadable."""
    cells, blank = _cells(hand_in), _named(released.cells)
    if not any(name in blank for name in map(grade_id, cells)) and not _defined(cells, blank):
        none = "it has none of this lab's exercise cells"
        raise Unreadable(f"{none}: is it another notebook?", f"{none}: hand in the notebook of this lab")
    texts, remarks = _texts(cells, released)
    cells = [cell for cell in cells if cell.cell_type == "code" or grade_id(cell) in blank.keys() - texts.keys()]
    ours = [cell for cell in released.cells if cell.cell_type == "code"]
    order, checks = _in_our_order(cells, ours)
    code, sources = {}, {}
    for name, place in checks.items():
        solutions = [cell for cell in order if cell.solves == name]
        if not solutions and any(cell.binds(name) and cell.source != blank[name].source for cell in order):
            place = len(order)
            solutions = [cell for cell in order if cell.binds(name)]
            remarks.append(f"the answer to {name} was found by its name, for its cell was lost or left as it came")
        if len(solutions) > 1:
            remarks.append(f"the cell {name} occurred more than once: the last counts")
        code[name] = needed(name, order[:place], order[place:]) if solutions else []
        sources[name] = "\n\n".join(cell.source for cell in solutions)
    return Answers(code, sources, texts, (*hand_in.remarks, *remarks), (*_what_was_graded(hand_in), *remarks))


def grade_id(cell: NotebookNode) -> str | None:
    """The name that a cell was given, None if it has none."""
    known = cell.metadata.get("nbgrader")
    name = known.get("grade_id") if isinstance(known, dict) else None
    return name if isinstance(name, str) else None


def exercises(released: NotebookNode) -> list[str]:
    """The names of the exercises that a machine grades, in order."""
    return [name.removeprefix(_CHECK) for name in _named(released.cells) if name.startswith(_CHECK)]


def questions(released: NotebookNode) -> dict[str, int]:
    """The names and points of the open questions, in order."""
    graded = {name: cell.metadata.nbgrader.get("points") for name, cell in _named(released.cells).items()}
    return {name: points for name, points in graded.items() if points and not name.startswith(_CHECK)}


def _what_was_graded(hand_in: HandIn) -> list[str]:
    """Where something is odd about the files, which of them count; why is for the teacher, and may name others."""
    names = [hand_in.notebook.name, *sorted(hand_in.helpers)] if hand_in.remarks else []
    return [f"what was graded is {students.legible(', '.join(names))}"] if names else []


def _cells(hand_in: HandIn) -> list[NotebookNode]:
    if hand_in.notebook is None:
        told = "no notebook was found: hand in one, under its name, as a file of its own and without large outputs"
        raise Unreadable(f"no notebook to grade: {hand_in.remarks[0]}", told)
    log = logging.getLogger("traitlets")
    before = log.disabled
    try:
        log.disabled = True  # nbformat complains there, and in warnings, of metadata that nobody reads here
        text = hand_in.notebook.read_bytes().decode("utf-8-sig")
        if sum(map(text.count, ",[{")) > _MOST_VALUES:
            raise ValueError(f"it holds more than {_MOST_VALUES:,} values, ask for it without outputs")
        with warnings.catch_warnings(action="ignore"):
            found = nbformat.reads(text, as_version=4).cells
        if len(found) > _MOST_CELLS:
            raise ValueError(f"it has more than {_MOST_CELLS} cells")
        code = [cell.source for cell in found if cell.cell_type != "markdown"]
        if sum(min(len(source), LONGEST) for source in code) > _LONGEST_CODE:  # longer cells are not taken apart
            raise ValueError(f"its code has more than {_LONGEST_CODE:,} characters")
        for cell in found:
            # Half of an emoji is legal JSON, but no text that could be written.
            cell.source = str(cell.source).encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
            known = cell.get("metadata")
            cell.metadata = known if isinstance(known, dict) else NotebookNode()
            cell.cell_type = str(cell.cell_type)
    except Exception as error:  # whatever a file may hold, it is this one that cannot be read
        reason = (str(error).splitlines() or [""])[0][:120] or type(error).__name__
        name = students.legible(hand_in.notebook.name)
        why = f"{name} is no valid notebook ({students.legible(reason)}): ask for it again"
        told = f"{name} cannot be read: open it in Jupyter, clear its outputs, save it and hand it in again"
        raise Unreadable(why, told) from error
    finally:
        log.disabled = before
    return found


def _named(cells: list[NotebookNode]) -> dict[str, NotebookNode]:
    return {name: cell for cell in cells if (name := grade_id(cell))}


def _defined(cells: list[NotebookNode], blank: dict[str, NotebookNode]) -> bool:
    """Whether code binds what an exercise asks for: cells may have lost their names."""
    asked = [name.removeprefix(_CHECK) for name in blank if name.startswith(_CHECK)]
    code = [Cell("", cell.source) for cell in cells if cell.cell_type == "code"]
    return any(cell.binds(name) for cell in code for name in asked)


def _in_our_order(cells: list[NotebookNode], ours: list[NotebookNode]) -> tuple[list[Cell], dict[str, int]]:
    """Our own cells in order, with a student's solutions in their places, and each other cell of theirs below the one
    that it stood below. Returns: these, and for each exercise how many of them stand above its check."""
    given = {cell.source.strip(): i for i, cell in enumerate(ours)}
    by_id = {cell.id: i for i, cell in enumerate(ours)}
    by_name = {name: i for i, cell in enumerate(ours) if (name := grade_id(cell))}
    below: dict[int, list[Cell]] = {}
    solved: dict[int, list[Cell]] = {}
    last = -1
    for number, cell in enumerate(cells, 1):
        name, source = grade_id(cell), cell.source
        place = by_name.get(name, given.get(source.strip(), by_id.get(cell.get("id"))))
        last = last if place is None else place
        if source.strip() in given or not source.strip():
            continue
        if place is not None and name in by_name and not name.startswith(_CHECK):
            solved.setdefault(place, []).append(Cell(f"the cell of {name}", source, solves=name))
        else:
            below.setdefault(last, []).append(Cell(f"code cell {number}", source))
    order, checks = list(below.get(-1, [])), {}
    for i, cell in enumerate(ours):
        name = grade_id(cell) or ""
        if name.startswith(_CHECK):
            checks[name.removeprefix(_CHECK)] = len(order)
        is_solution = name and not name.startswith(_CHECK)
        given_here = _imports(cell.source) if name.startswith(_CHECK) else cell.source
        order += solved.get(i, []) if is_solution else [Cell("a cell of the lab", given_here)]
        order += below.get(i, [])
    return order, checks


def _imports(check: str) -> str:
    """The imports of a check cell: the check itself is not what counts here."""
    return "\n".join(ast.unparse(n) for n in ast.parse(check).body if isinstance(n, ast.Import | ast.ImportFrom))


def _texts(cells: list[NotebookNode], released: NotebookNode) -> tuple[dict[str, str], list[str]]:
    """The answer to each open question: what stands in its cell and its copies, or below it; and remarks."""
    blank, given = _named(released.cells), {cell.source.strip() for cell in released.cells}
    texts, remarks = {}, []
    for name in questions(released):
        own = [(i, cell.source.strip()) for i, cell in enumerate(cells) if grade_id(cell) == name]
        written = list(dict.fromkeys(text for _, text in own if text != blank[name].source.strip()))
        if own and not any(written) and (written := list(_below(cells[own[-1][0] + 1 :], given))):
            remarks.append(f"the answer to {name} stood below its cell")
        if len(own) > 1:
            remarks.append(f"the cell {name} occurred more than once")
        if not own:
            remarks.append(f"the cell {name} was deleted")
        texts[name] = "\n\n".join(written)
    return texts, remarks


def _below(cells: list[NotebookNode], given: set[str]) -> Iterator[str]:
    own = takewhile(lambda cell: not grade_id(cell) and cell.source.strip() not in given, cells)
    return (cell.source.strip() for cell in own if cell.cell_type != "code" and cell.source.strip())
