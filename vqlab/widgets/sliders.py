"""Named positions of a setting, and the widgets that choose among them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import ipywidgets as w

from vqlab import LabError
from vqlab.sweeps import Axis

# One row of the page: a label and a box, or a list, then the track if there is one.
_LABEL_PX, _BOX_PX, _TRACK_PX = 205, 80, 140
TRACK_CLASS = "vqlab-track"
# A handle has no accessible name and cannot be given one: out of reach for Tab and screen readers, which have the
# number box of the same setting, it is drawn by a part of itself that still feels mouse and touch.
TRACK_STYLE = (
    f".{TRACK_CLASS} .noUi-handle{{visibility:hidden}}.{TRACK_CLASS} .noUi-touch-area{{visibility:visible;"
    "box-sizing:border-box;width:100%;height:100%;border-radius:50%;border:2px solid var(--jp-brand-color1,#1976d2);"
    "background:var(--jp-layout-color1,#fff);cursor:grab}"
)
ROW_PX = _LABEL_PX + _BOX_PX + _TRACK_PX + 40
_PLAY_SECONDS = 0.6
# What ↑ and ↓ add to the number in a box: so little that nobody types it, which tells a key from a typed number.
_NUDGE = 1e-6
_MOST_NUDGES = 100  # of keys pressed faster than they are answered


@dataclass(frozen=True)
class Slider:
    """One named control. values: its positions, numbers in rising order or words; start: the first one shown.

    trained: whether moving it asks for another training (else it only looks at the same one differently).
    play: add a play button that steps through the values.
    """

    name: str
    label: str
    values: tuple
    start: object
    unit: str = ""
    trained: bool = True
    play: bool = False

    def __post_init__(self) -> None:
        if self.start not in self.values:
            raise LabError(f"slider {self.name} cannot start at {self.start}: choose from {list(self.values)}")

    @classmethod
    def of(cls, axis: Axis, start: object) -> "Slider":
        """The slider over a stored axis."""
        return cls(axis.name, axis.label, axis.values, start, axis.unit)


def widgets_for(slider: Slider) -> tuple[w.Widget, ...]:
    """A number box and a track for numbers, a list for words. The label belongs to the box, which names it aloud."""
    label = f"{slider.label} ({slider.unit})" if slider.unit else slider.label
    named = {"description": label, "tooltip": label, "style": {"description_width": f"{_LABEL_PX}px"}}
    if isinstance(slider.start, str):
        layout = w.Layout(width=f"{_LABEL_PX + 2 * _BOX_PX}px", max_width="100%")
        return (w.Dropdown(options=slider.values, value=slider.start, layout=layout, **named),)
    layout = w.Layout(width=f"{_LABEL_PX + _BOX_PX}px", max_width="100%", flex="0 0 auto")
    # Not IntText, which reads "2.7" as 27.
    box = w.FloatText(value=slider.start, step=_NUDGE, continuous_update=False, layout=layout, **named)
    # The page itself waits for an answer before it sends where the hand is by then: never a queue.
    track = w.SelectionSlider(
        options=[(f"{value:,}", value) for value in slider.values],
        value=slider.start,
        continuous_update=True,
        readout=False,
        layout=w.Layout(flex=f"1 1 {_TRACK_PX}px", width="auto", margin="2px 14px 2px 6px"),
    )
    track.add_class(TRACK_CLASS)
    return box, track


def stepped(slider: Slider, shown: object, wanted: object) -> object:
    """The position after or before `shown` if `wanted` is what ↑ or ↓ makes of it in a number box, else `wanted`."""
    if isinstance(shown, str) or not isinstance(wanted, float):
        return wanted
    nudges = (wanted - shown) / _NUDGE
    if not 0.5 < abs(nudges) < _MOST_NUDGES:
        return wanted
    at = slider.values.index(shown) + (1 if nudges > 0 else -1)
    return slider.values[min(max(at, 0), len(slider.values) - 1)]


class PlayButton(w.Button):
    """Plays through positions, one every 0.6 s; pressed again it pauses. It needs a running kernel.

    label: what it plays.   advance: goes to the next position and says whether there is one after it.
    (The buttons of ipywidgets' own Play have no accessible names.)
    """

    def __init__(self, label: str, advance: Callable[[], bool]) -> None:
        self._label, self._advance = label, advance
        self._playing: asyncio.Task | None = None
        super().__init__(layout=w.Layout(width="auto"))
        self._show(playing=False)
        self.on_click(lambda _: self._toggle())

    def _toggle(self) -> None:
        if self._playing:
            self._playing.cancel()
        else:
            self._playing = asyncio.get_running_loop().create_task(self._play())

    async def _play(self) -> None:
        self._show(playing=True)
        try:
            while self._advance():
                await asyncio.sleep(_PLAY_SECONDS)
        finally:
            self._playing = None
            self._show(playing=False)

    def _show(self, playing: bool) -> None:
        self.description = f"{'Pause' if playing else 'Play'} {self._label}"
        self.icon = "pause" if playing else "play"


def nearest_position(slider: Slider, wanted: object) -> tuple[object, str]:
    """The position nearest to what was asked for, and a sentence if it is another one.

    Raises: LabError for an unknown word or something that is not a number.
    """
    if wanted in slider.values:
        return slider.values[slider.values.index(wanted)], ""  # 8, not the 8.0 of a number box
    if isinstance(slider.start, str):
        raise LabError(f"{slider.label} has no choice {wanted!r}: choose from {', '.join(slider.values)}")
    try:
        number = float(wanted)
    except (TypeError, ValueError):
        raise LabError(f"{slider.label} takes a number, got {wanted!r}: type one of {_listed(slider)}") from None
    if number != number:
        raise LabError(f"{slider.label} takes a number, got {wanted!r}: type one of {_listed(slider)}")
    inside = min(max(number, slider.values[0]), slider.values[-1])
    value = min(slider.values, key=lambda stored: abs(stored - inside))
    return value, f"{slider.label} {number:g} is not stored: showing {value:,}, the nearest of {_listed(slider)}."


def _listed(slider: Slider) -> str:
    if len(slider.values) > 12:
        return f"{slider.values[0]:,}…{slider.values[-1]:,}"
    return ", ".join(f"{value:,}" for value in slider.values)
