"""What is asked of every picture, whichever lab it is from."""

import re
from collections.abc import Collection, Sequence

from vqlab import figures
from vqlab.figures import View

MOST_BYTES, MOST_HTML_BYTES = 60_000, 100_000
SMALLEST_TEXT = 11  # points


def check(view: View, stored: bool = True) -> None:
    """Small, legible, inside its frame, and described in numbers. stored: a notebook may keep it as PNG as well."""
    assert not stored or len(figures.png(view.figure)) <= MOST_BYTES
    html = view.html()
    assert len(html) <= MOST_HTML_BYTES
    assert view.figure.get_facecolor()[3] == 1
    assert len(view.figure.axes) <= 3
    for sentence in (view.alt, view.figure._suptitle.get_text()):
        assert any(character.isdigit() for character in sentence), sentence
    assert "nan" not in view.alt + view.status + view.figure._suptitle.get_text()
    axes = view.figure.axes
    written = [view.figure._suptitle, *(text for axis in axes for text in (*axis.texts, axis.title, axis._left_title))]
    written += [label for axis in axes for label in (axis.xaxis.label, axis.yaxis.label)]
    written += [text for axis in axes if axis.get_legend() for text in axis.get_legend().get_texts()]
    ticks = [label for axis in axes for label in (*axis.get_xticklabels(), *axis.get_yticklabels())]
    assert min(text.get_fontsize() for text in [*written, *ticks]) >= SMALLEST_TEXT
    renderer = view.figure.canvas.get_renderer()
    for text in written:
        extent = text.get_window_extent(renderer)
        inside = extent.x0 >= 0 and extent.y0 >= 0 and extent.x1 <= view.figure.bbox.x1
        assert inside or not text.get_text(), text.get_text()
    _check_that_panels_can_part(view, [int(width) for width in re.findall(r"flex:(\d+) ", html)], renderer)


def _check_that_panels_can_part(view: View, widths: Sequence[int], renderer) -> None:
    """On a narrow page each panel stands alone: nothing that it writes may reach into the next. widths: in pixels."""
    for i, axis in enumerate(view.figure.panels):
        left, right = sum(widths[:i]), sum(widths[: i + 1])
        extent = axis.get_tightbbox(renderer)
        assert extent.x0 >= left - 1, axis.get_title(loc="left")
        assert extent.x1 <= right + 1, axis.get_title(loc="left")
    assert len(widths) == len(view.figure.panels)


def check_that_nothing_moves(shown: Sequence[View], may_move: Collection[str] = ()) -> None:
    """Panels and limits are the same in every view; may_move: the axes that need not be, as "x0" for x of panel 0."""
    places = [[axis.get_position().bounds for axis in view.figure.axes] for view in shown]
    assert all(place == places[0] for place in places)
    limits = [
        {f"{which}{i}": getattr(axis, f"get_{which}lim")() for i, axis in enumerate(view.figure.axes) for which in "xy"}
        for view in shown
    ]
    for axis in limits[0].keys() - set(may_move):
        assert len({one[axis] for one in limits}) == 1, axis
