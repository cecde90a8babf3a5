"""Build the notebooks people open from their one source each, vqlab/labs/labNN/NN_name.py (py:percent).

    python -m vqlab.notebooks.build               student notebooks labs/NN_name.ipynb, executed
    python -m vqlab.notebooks.build --check       fail if a committed notebook is not what its source gives
    python -m vqlab.notebooks.build --solved DIR  solved notebooks, not executed, for tests and teachers

An exercise is a cell with metadata exercise="name"; what stands between its nbgrader marks is the solution. A cell
with check="name" is its check. An open question is a Markdown cell open="name" points=N with a model answer between
marks, graded by a person. The student build blanks exercises (`stub="…"` replaces the default) and open questions,
and all get the nbgrader metadata that releasing and grading need. A cell rubric="name" is for teachers only. A Markdown
cell model="name" ends in the model answer to that open question, folded away, for those who learn alone; an assignment
goes without it.
"""

import argparse
import hashlib
import io
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

from vqlab import LabError, labs
from vqlab.notebooks.staleness import inputs_hash

ROOT = Path(__file__).resolve().parents[2]
LABS = ROOT / "labs"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "raise NotImplementedError"
OPEN_STUB = "*Write your answer here.*"
SOLVED, BLANK = "solved", "blank"
WIDGET = "application/vnd.jupyter.widget-view+json"


def sources(names: list[str]) -> list[Path]:
    """The source files whose names start with one of `names` (all if none is given)."""
    return [lab.source for lab in labs.every() if not names or lab.source.stem.startswith(tuple(names))]


def build(source: Path, answers: str = BLANK, *, assignment: bool = False) -> NotebookNode:
    """The unexecuted notebook of a source. answers: BLANK for students, or SOLVED.

    assignment: leave out the answers that are folded in for those who learn alone.
    Raises: LabError if the source marks a solution wrongly.
    """
    notebook = jupytext.read(source)
    exercises = labs.Lab(source.stem[:2], source).exercises()
    models = {c.metadata["open"]: _model_answer(c.source, source) for c in notebook.cells if "open" in c.metadata}
    left_out = {"rubric", "model"} if assignment else {"rubric"}
    notebook.cells = [cell for cell in notebook.cells if not left_out & cell.metadata.keys()]
    for cell in notebook.cells:
        if model := cell.metadata.pop("model", None):
            if model not in models:
                raise LabError(f'{source.name}: a cell model="{model}" needs an open question open="{model}"')
            cell.source += f"\n\n<details><summary>The answer</summary>\n\n{models[model]}\n\n</details>"
        cell.metadata.pop("lines_to_next_cell", None)
        exercise, checked, question = (cell.metadata.pop(key, None) for key in ("exercise", "check", "open"))
        stub = cell.metadata.pop("stub", OPEN_STUB if question else STUB)
        if exercise or question:
            cell.source = _answered(cell.source, source, answers, stub)
            cell.metadata["nbgrader"] = _nbgrader(exercise or question, True, cell.metadata.pop("points", None))
        elif BEGIN in cell.source or END in cell.source:
            raise LabError(f'{source.name}: a solution mark stands outside an exercise cell: add exercise="name"')
        if checked:
            cell.metadata["nbgrader"] = _nbgrader(f"check-{checked}", points=len(exercises[checked].tests))
    _set_ids(notebook)
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        language_info={"name": "python"},
        vqlab={"built_from": inputs_hash(source)},
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def execute(notebook: NotebookNode) -> NotebookNode:
    """Run all cells in the labs folder; keep pictures and text, drop widget state."""
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(LABS)}}).execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}  # the kernel adds its version, which is not the source's
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_static, cell.outputs) if output is not None]
    return notebook


def is_stale(source: Path) -> bool:
    """Whether the committed student notebook differs from its source, outputs aside."""
    target = _target(source)
    if not target.exists():
        return True
    return _comparable(nbformat.read(target, 4)) != _comparable(build(source))


def _answered(text: str, source: Path, answers: str, stub: str) -> str:
    before, solution, after = _parts(text, source)
    indent = before.pop()[: -len(BEGIN)]
    return "\n".join([*before, *(solution if answers == SOLVED else [indent + stub]), *after[1:]])


def _model_answer(text: str, source: Path) -> str:
    return "\n".join(_parts(text, source)[1])


def _parts(text: str, source: Path) -> tuple[list[str], list[str], list[str]]:
    """The lines of an exercise cell: up to and with the first mark, the solution, and from the second mark on."""
    lines = text.splitlines()
    begins, ends = ([i for i, line in enumerate(lines) if line.strip() == mark] for mark in (BEGIN, END))
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise LabError(f"{source.name}: an exercise cell needs one {BEGIN} and, below it, one {END}")
    return lines[: begins[0] + 1], lines[begins[0] + 1 : ends[0]], lines[ends[0] :]


def _nbgrader(grade_id: str, solution: bool = False, points: int | None = None) -> dict:
    graded = points is not None
    locked = graded and not solution
    cell = {"grade": graded, "grade_id": grade_id, "locked": locked, "schema_version": 3, "solution": solution}
    return cell | {"task": False} | ({"points": points} if graded else {})


def _set_ids(notebook: NotebookNode) -> None:
    """Cell ids that follow the text, so that adding a cell leaves all other ids alone."""
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:10]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def _static(output: NotebookNode) -> NotebookNode | None:
    """What is kept of an output: a picture once, as PNG, and nothing that needs a kernel."""
    if "image/png" in output.get("data", {}):
        output.data.pop("text/html", None)
    if WIDGET not in output.get("data", {}):
        return output
    del output["data"][WIDGET]
    return output if {"image/png", "text/markdown"} & output["data"].keys() else None


def _comparable(notebook: NotebookNode) -> tuple:
    cells = [(cell.id, cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]
    return cells, dict(notebook.metadata)


def _target(source: Path) -> Path:
    return LABS / f"{source.stem}.ipynb"


def _draw_readme_picture() -> None:
    """The warm-up slider is dragged from a collapsed codebook to a cured one, three times, and rests there."""
    from vqlab import figures, sweeps
    from vqlab.labs.lab01.pictures import tokens

    sweep = sweeps.load("tokens_collapse")
    states = [
        {"warmup": warmup, "codebook_size": 256, "seed": 0, "step": 1000} for warmup in (0, 10, 25, 50, 100, 200, 400)
    ]
    pictures = [Image.open(io.BytesIO(figures.png(tokens.training_view(sweep, state).figure))) for state in states]
    palette = pictures[2].convert("RGB").quantize(48, dither=Image.Dither.NONE)  # half cured, it has every colour
    first, *others = [
        picture.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures
    ]
    pauses = [2500, *[1000] * (len(others) - 1), 2500]
    first.save(
        ROOT / ".github" / "cured.gif", save_all=True, append_images=others, duration=pauses, loop=2, optimize=True
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labs", nargs="*", help="lab numbers or name prefixes; all if none is given")
    parser.add_argument("--check", action="store_true", help="fail if a committed notebook is stale")
    parser.add_argument("--solved", type=Path, metavar="DIR", help="write solved notebooks there instead")
    options = parser.parse_args(arguments)
    chosen = sources(options.labs)
    if not chosen:
        sys.exit(f"no lab matches {', '.join(options.labs)}: there are {', '.join(p.stem for p in sources([]))}")
    if options.check:
        stale = [source.stem for source in chosen if is_stale(source)]
        if stale:
            sys.exit(f"stale: {', '.join(stale)}. Run `make labs` and commit the result.")
        print(f"{len(chosen)} notebooks are what their sources give.")
        return
    if options.solved:
        options.solved.mkdir(parents=True, exist_ok=True)
        for source in chosen:
            _write(build(source, SOLVED), options.solved / f"{source.stem}.ipynb")
        return
    if not options.labs:
        _draw_readme_picture()
    for source in chosen:
        _write(execute(build(source)), _target(source))


def _write(notebook: NotebookNode, target: Path) -> None:
    nbformat.write(notebook, target)
    print(f"built {target}")


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        sys.exit(str(error))
