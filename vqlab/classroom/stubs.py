"""What stands where a solution stood in a released notebook."""

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions


class ClearToStubs(ClearSolutions):
    """nbgrader's `ClearSolutions`, with the stub that the cell itself names; so a blank notebook runs to its end."""

    def preprocess_cell(self, cell: NotebookNode, resources: dict, cell_index: int) -> tuple[NotebookNode, dict]:
        if "stub" in cell.metadata:
            self.code_stub = {**self.code_stub, "python": cell.metadata["stub"]}
            self.text_stub = cell.metadata.pop("stub")
        return super().preprocess_cell(cell, resources, cell_index)
