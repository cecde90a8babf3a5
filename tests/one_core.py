"""Run a notebook in place as mybinder would, on one core, with two gigabytes for data. Prints JSON: its seconds and
its peak in MB, that of the kernel's resident memory; JupyterLab itself takes another 0.1 GB of a session.

    cd labs; ../binder/start python ../tests/one_core.py /tmp/a_copy.ipynb
"""

import json
import os
import resource
import sys
import time

import nbformat
from nbclient import NotebookClient

SESSION_BYTES = 2 * 1024**3

if hasattr(os, "sched_setaffinity"):  # kernels inherit both limits
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    resource.setrlimit(resource.RLIMIT_DATA, (SESSION_BYTES, SESSION_BYTES))

path = sys.argv[1]
notebook = nbformat.read(path, 4)
start = time.perf_counter()
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": os.getcwd()}}).execute()
seconds = time.perf_counter() - start
nbformat.write(notebook, path)
# The kernel is this process's only child.
megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps({"seconds": round(seconds, 1), "megabytes": round(megabytes)}))
