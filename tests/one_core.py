"""Run a notebook as mybinder would: on one core, with two gigabytes for data. Prints its seconds and its peak in MB.

    binder/start python tests/one_core.py labs/01_tokens_collapse.ipynb

The peak is that of the kernel's resident memory; JupyterLab itself takes another 0.1 GB of a session.
"""

import os
import resource
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SESSION_BYTES = 2 * 1024**3

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # kernels inherit both limits
resource.setrlimit(resource.RLIMIT_DATA, (SESSION_BYTES, SESSION_BYTES))

path = Path(sys.argv[1])
notebook = nbformat.read(path, 4)
start = time.perf_counter()
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
seconds = time.perf_counter() - start
# The kernel is this process's only child.
print(f"{seconds:.1f} s, {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")
