"""Tables in a notebook."""

from collections.abc import Iterable, Sequence

import numpy as np
from IPython.display import Markdown

from vqlab.views import spread


def table(header: Sequence[str], rows: Iterable[Sequence]) -> Markdown:
    """A Markdown table. An array in a row is one number a seed, shown as mean ± standard deviation."""
    lines = [[*header], ["---"] * len(header), *([_cell(value) for value in row] for row in rows)]
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _cell(value: object) -> str:
    return spread(value) if isinstance(value, np.ndarray) and value.ndim else str(value)
