"""Run a notebook in place in a session as mybinder gives it: one thread, two gigabytes for data. Then run its code
cells once more, from the last to the first, in the same kernel: they are added to it, after a cell that prints

    the processor's seconds and the peak in MB of resident memory

that the kernel took for the first walk. JupyterLab itself takes another 0.1 GB of a session.

    cd labs; ../binder/start python ../tests/one_core.py /tmp/a_copy.ipynb
"""

import copy
import os
import resource
import sys

import nbformat
from nbclient import NotebookClient

SESSION_BYTES = 2 * 1024**3
SPENT = "print(__import__('time').process_time(), __import__('resource').getrusage(0).ru_maxrss / 1024)"

if sys.platform == "linux":  # kernels inherit the limit
    resource.setrlimit(resource.RLIMIT_DATA, (SESSION_BYTES, SESSION_BYTES))

path = sys.argv[1]
notebook = nbformat.read(path, 4)
spent = nbformat.v4.new_code_cell(SPENT, id="spent")
again = [copy.deepcopy(cell) for cell in reversed(notebook.cells) if cell.cell_type == "code"]
for i, cell in enumerate(again):
    cell.id = f"again-{i}"
    cell.metadata.tags = ["raises-exception"]  # the first walk has to succeed, of this one the tests see how it went
notebook.cells += [spent, *again]
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": os.getcwd()}}).execute()
nbformat.write(notebook, path)
print(*(output.text for output in spent.outputs), sep="")
