"""Each lab, solved, executed once: whoever asks first runs it, the others read what came out."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
from filelock import FileLock

from vqlab.labs import Lab
from vqlab.notebooks.build import ROOT, SOLVED, build


class Run(NamedTuple):
    """An executed notebook, and the seconds and megabytes that it took on one core."""

    notebook: nbformat.NotebookNode
    seconds: float
    megabytes: float


def solved(lab: Lab, shared: Path) -> Run:
    """The lab with every answer right, run from top to bottom on one core. shared: a folder of this test session."""
    # The notebook holds a hash of every module and sweep that it depends on.
    text = nbformat.writes(build(lab.source, SOLVED))
    path = shared / f"{lab.notebook}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.ipynb"
    cost = path.with_suffix(".json")
    with FileLock(path.with_suffix(".lock")):
        if not cost.exists():
            path.write_text(text, encoding="utf-8")
            # Only Linux pins a process to one core; elsewhere a lab has to do with all of them.
            start = [ROOT / "binder" / "start"] if hasattr(os, "sched_setaffinity") else []
            command = [*start, sys.executable, ROOT / "tests" / "one_core.py", path]
            run = subprocess.run(command, cwd=ROOT / "labs", capture_output=True, text=True, check=False)
            assert run.returncode == 0, run.stderr[-3000:]
            cost.write_text(run.stdout)
    spent = json.loads(cost.read_text())
    return Run(nbformat.read(path, 4), spent["seconds"], spent["megabytes"])
