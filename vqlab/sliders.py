"""Named positions of a setting, and the widgets that choose among them."""

from dataclasses import dataclass

import ipywidgets as w

from vqlab import LabError
from vqlab.sweeps import Axis

LABEL_STYLE = {"description_width": "150px"}


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
    """A track and a number box for numbers, a list for words."""
    if isinstance(slider.start, str):
        return (w.Dropdown(options=slider.values, value=slider.start, description=slider.label, style=LABEL_STYLE),)
    options = [(f"{value:,}", value) for value in slider.values]
    track = w.SelectionSlider(
        options=options,
        value=slider.start,
        description=slider.label,
        continuous_update=False,
        readout=False,
        style=LABEL_STYLE,
        layout=w.Layout(width="400px", max_width="100%", flex="0 0 auto"),
    )
    box_class = w.IntText if all(isinstance(value, int) for value in slider.values) else w.FloatText
    box = box_class(
        value=slider.start,
        description=f"{slider.label} ({slider.unit or 'number'})",
        continuous_update=False,
        style={"description_width": "175px"},
        layout=w.Layout(width="275px", max_width="100%", flex="0 0 auto"),
    )
    return track, box


def nearest(slider: Slider, wanted: object) -> tuple[object, str]:
    """The position nearest to what was asked for, and a sentence if it is another one.

    Raises: LabError for an unknown word or something that is not a number.
    """
    if wanted in slider.values:
        return wanted, ""
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
