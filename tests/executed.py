"""Each lab, solved, executed once: whoever asks first runs it, the others read what came out."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
from filelock import FileLock

from vqlab.labs import Lab
from vqlab.notebooks.build import ROOT, SOLVED, build


class Run(NamedTuple):
    """An executed notebook; its code cells run once more, the last one first; seconds and megabytes of the first walk.

    The seconds are those of the processor, so they do not depend on what else runs.
    """

    notebook: nbformat.NotebookNode
    again: list[nbformat.NotebookNode]
    seconds: float
    megabytes: float


def solved(lab: Lab, shared: Path) -> Run:
    """The lab with every answer right, run in one kernel with one thread. shared: a folder of this test session."""
    notebook = build(lab.source, SOLVED)
    # The notebook holds a hash of every module and sweep that it depends on.
    text = nbformat.writes(notebook)
    path = shared / f"{lab.notebook}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.ipynb"
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            partial = path.with_suffix(".partial")
            partial.write_text(text, encoding="utf-8")
            start = [ROOT / "binder" / "start"] if sys.platform != "win32" else []
            command = [*start, sys.executable, ROOT / "tests" / "one_core.py", partial]
            run = subprocess.run(command, cwd=ROOT / "labs", capture_output=True, text=True, check=False)
            assert run.returncode == 0, run.stderr[-3000:]
            partial.rename(path)
    cells = nbformat.read(path, 4).cells
    once = len(notebook.cells)
    notebook.cells, spent, again = cells[:once], cells[once], cells[once + 1 :]
    said = "".join(output.text for output in spent.outputs)  # on a busy machine a line may come in pieces
    return Run(notebook, again, *map(float, said.split()))
