"""Numbers in words: mean and spread over seeds, the metric line, and tables."""

import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from IPython.display import Markdown
from numpy.typing import ArrayLike

_NUMBERS = 40  # characters of the longest cell that holds but numbers


def spread(values: np.ndarray, digits: int = 3) -> str:
    """'mean ± standard deviation' over seeds, to `digits` significant digits."""
    values = np.asarray(values, float)
    mean, deviation = float(values.mean()), float(values.std())
    decimals = max(0, digits - 1 - int(np.floor(np.log10(abs(mean))))) if mean else digits
    return f"{mean:,.{decimals}f} ± {deviation:,.{decimals}f}"


def per_cent(shares: np.ndarray, digits: int = 0) -> str:
    """Shares, one a seed, as 'mean ± standard deviation' in per cent."""
    return f"{100 * np.mean(shares):z.{digits}f} ± {100 * np.std(shares):.{digits}f} %"


def range_of(values: ArrayLike) -> str:
    """'lowest–highest' over seeds, or one number if they are the same."""
    low, high = (f"{value:,.0f}" for value in (np.min(values), np.max(values)))
    return low if low == high else f"{low}–{high}"


def seeds_apart(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether the ranges of two samples of seeds do not overlap."""
    return bool(first.max() < second.min() or second.max() < first.min())


def metric_line(mse: np.ndarray, perplexity: np.ndarray, k: int, n: int, active, latent_dim, code_dim) -> str:
    """The house order: reconstruction error · perplexity · active codes · effective dimension; each (seeds,)."""
    dims = f"effective dimension {range_of(latent_dim)} (encoder output)"
    if np.isnan(perplexity).any():
        return f"Reconstruction error {spread(mse)} · no codes yet · {dims}"
    return (
        f"Reconstruction error {spread(mse)} · perplexity {spread(perplexity)} of {k} at {n:,} tokens · "
        f"active codes {spread(active)} · {dims} / {range_of(code_dim)} (codebook)"
    )


class Table(Markdown):
    """A Markdown table that scrolls inside its own box where the page is narrow. data: its Markdown."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        lines = [header, ["---"] * len(header), *rows]
        super().__init__("\n".join(f"| {' | '.join(line)} |" for line in lines))
        self._header, self._rows = header, rows

    def _repr_html_(self) -> str:
        # Sentences begin at the left; numbers stand where the page wants them.
        columns = zip(*self._rows, strict=True) if self._rows else [[] for _ in self._header]
        left = [max(map(len, column), default=0) > _NUMBERS for column in columns]
        styles = [' style="text-align:left"' if words else "" for words in left]
        head, *body = (
            "".join(f"<{tag}{style}>{_html(word)}</{tag}>" for style, word in zip(styles, row, strict=True))
            for tag, row in [("th", self._header), *(("td", row) for row in self._rows)]
        )
        shape = "margin:0;table-layout:auto"
        return (
            f'<div style="overflow-x:auto;max-width:100%"><table style="{shape}"><thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(f'<tr>{row}</tr>' for row in body)}</tbody></table></div>"
        )


def _html(word: str) -> str:
    """A word of a table, **bold** and lines <br> as Markdown has them; a number and its spread are not parted."""
    plain = escape(word.replace(" ± ", "\u00a0±\u00a0")).replace("&lt;br&gt;", "<br>")
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", plain)


def table(header: Sequence[str], rows: Iterable[Sequence]) -> Table:
    """A table. An array in a row is one number a seed, shown as mean ± standard deviation."""
    return Table([*header], [[_cell(value) for value in row] for row in rows])


def _cell(value: object) -> str:
    return spread(value) if isinstance(value, np.ndarray) and value.ndim else str(value)
