"""What widgets with a picture share: drawing it anew, the sentence below it, and what is left without a kernel."""

from collections.abc import Sequence
from html import escape
from math import ceil

import ipywidgets as w

from vqlab import LabError
from vqlab.figures import PAGE_PX, THEME, View, drawing, recycle
from vqlab.widgets import hosts

WRAPPING = {"flex_flow": "row wrap", "align_items": "center"}
_LINE = 120  # characters of a status that surely fit in one line of a wide page


class PictureBox(w.VBox):
    """Controls, a picture below them, and a sentence with its numbers.

    Who inherits says in `current()` what is to be seen, ends its `__init__` with `fill(controls)`, and calls `redraw()`
    whenever there is something else to see.
    """

    STYLE = ""  # CSS of its controls
    GONE = "The kernel of this cell is gone: run it again."
    STILL = ""  # said below the picture of a saved notebook

    def fill(self, controls: Sequence[w.Widget]) -> None:
        """Lay out the controls, from top to bottom, and draw for the first time."""
        self._picture, self._status = w.HTML(), w.HTML()
        gone = f'<p class="{hosts.ASLEEP}">{self.GONE}</p>'
        style = w.HTML(f"{THEME}<style>{self.STYLE}{hosts.ASLEEP_STYLE}</style>{gone}")
        w.VBox.__init__(self, [style, *controls, self._picture, self._status], layout={"max_width": f"{PAGE_PX + 4}px"})
        self.redraw()

    def current(self) -> View:
        """The view of what is to be seen now."""
        raise NotImplementedError

    def words(self, view: View) -> str:
        """What stands below the picture."""
        return view.status

    def redraw(self, remark: str = "") -> None:
        """Draw what is to be seen now, and say the remark before its words. What cannot be drawn leaves the picture."""
        with drawing():  # also around what is shown, so that of two drawings the later one stays
            try:
                view = self.current()
            except Exception as error:
                self.say(f"This position cannot be drawn: {error}")
                if isinstance(error, LabError):
                    return
                raise
            self._picture.value = view.html()
            recycle(view.figure)
            self.say(f"{remark} {self.words(view)}".strip())

    def say(self, sentence: str) -> None:
        """Put a sentence below the picture."""
        lines = ceil(len(sentence) / _LINE)
        # Room once taken is kept, so that what stands below does not move when a shorter sentence follows.
        self._lines = max(self._lines, lines) if self._status.value else lines + 1
        style = f"margin:0;min-height:{1.5 * self._lines:g}em;line-height:1.5"
        self._status.value = f'<p role="status" style="{style}">{escape(sentence)}</p>'

    def _ipython_display_(self, **_: object) -> None:
        """The widget where there is a kernel; the picture as it is now where there is none."""
        with drawing():
            view = self.current()
            still, metadata = view._repr_mimebundle_()
            recycle(view.figure)
        note = f"<p><i>{self.STILL}</i></p>" if self.STILL else ""
        hosts.show(self, still | {"text/html": still["text/html"] + note}, metadata)
