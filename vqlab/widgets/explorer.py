"""One generic explorer that binds named sliders to a view, and to a training if there is one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import ipywidgets as w

from vqlab import LabError
from vqlab.figures import View
from vqlab.sweeps import Arrays, StoredSweep
from vqlab.widgets.live_training import LiveTraining
from vqlab.widgets.picture_box import WRAPPING, PictureBox
from vqlab.widgets.sliders import ROW_PX, TRACK_STYLE, PlayButton, Slider, nearest_position, stepped, widgets_for

# As many controls side by side as fit. On a narrow page a track goes under its number box instead of being squeezed.
_COLUMNS = f"repeat(auto-fill, minmax(min({ROW_PX}px, 100%), 1fr))"


class Explorer(PictureBox):
    """Named sliders, a picture, and a sentence with its numbers.

    Args:
        sliders: the controls, from top to bottom.
        view: (state) -> View, or (state, live) -> View when `train` is given; state maps slider names to values.
        train: (state, seeds, callback) -> live result; adds the button "Train it live", a progress bar, Cancel and,
            where there is a live result, a way back to the stored picture. The callback wants the trainer after
            every step.
    Every slider has a number box (or is a list of words). What is typed is moved to the nearest position, with
    a sentence. `state`, `set(name=value)` and `train_live()` do from Python what hands do on the page.
    """

    STYLE = TRACK_STYLE
    GONE = "The kernel of these sliders is gone: run the lab from the top again."
    STILL = "Run this cell for the sliders of this picture."

    def __init__(
        self, sliders: Sequence[Slider], view: Callable[..., View], train: Callable[..., Arrays] | None = None
    ) -> None:
        self.sliders = {slider.name: slider for slider in sliders}
        self.state = {slider.name: slider.start for slider in sliders}
        self._view = view
        self._training = LiveTraining(train, self.redraw) if train else None
        self._updating = False
        self._inputs = {slider.name: widgets_for(slider) for slider in sliders}
        for name, inputs in self._inputs.items():
            for widget in inputs:
                widget.observe(partial(self._on_input, name), "value")
        rows = [w.HBox(inputs, layout=WRAPPING) for inputs in self._inputs.values()]
        buttons = [PlayButton(slider.label, partial(self._advance, slider)) for slider in sliders if slider.play]
        if self._training:
            self._training.button.on_click(lambda _: self._training.start(dict(self.state), self._position()))
            buttons += self._training.widgets
        below = [w.HBox(buttons, layout=WRAPPING)] if buttons else []
        self.fill([w.GridBox(rows, layout={"grid_template_columns": _COLUMNS}), *below])

    @classmethod
    def of(
        cls,
        sweep: StoredSweep,
        view: Callable[..., View],
        start: Mapping[str, object],
        also: Sequence[Slider] = (),
        live: bool = False,
    ) -> "Explorer":
        """An explorer of a stored sweep.

        view: (sweep, state) -> View, or (sweep, state, live) -> View if live.   start: where the sliders over axes of
        the sweep stand at first, by axis, from top to bottom.   also: more sliders, below these, which look at the
        same training differently.   live: whether a position can be trained, which takes a start for every axis.

        Raises: LabError for an axis that the sweep does not have, and for one without a start if live.
        """
        unknown = [name for name in start if name not in sweep.axes]
        missing = [name for name in sweep.axes if name not in start] if live else []
        if unknown or missing:
            fault = f"there is no {unknown[0]}" if unknown else f"no start for {missing[0]}, so nothing can be trained"
            raise LabError(f"{fault}: the axes of {sweep.name} are {', '.join(sweep.axes)}")
        axes = [Slider.of(sweep.axes[name], value) for name, value in start.items()]
        others = [replace(slider, trained=False) for slider in also]

        def train(state: dict, seeds: Sequence[int], callback: Callable) -> Arrays:
            return sweep.experiment().run({axis: state[axis] for axis in sweep.axes}, seeds, callback)

        return cls([*axes, *others], partial(view, sweep), train if live else None)

    def set(self, **values: object) -> None:
        """Move sliders by name. A number between stored positions goes to the nearest, with a sentence.

        Raises: LabError for an unknown slider or word, or for something that is not a number.
        """
        for name, value in values.items():
            if name not in self.sliders:
                raise LabError(f"there is no slider {name}: choose from {', '.join(self.sliders)}")
            self._move(name, value)

    @property
    def trains(self) -> bool:
        """Whether it has the button "Train it live"."""
        return self._training is not None

    def train_live(self) -> None:
        """Train the shown position now, on this machine, and draw it over the stored seeds; returns when done."""
        self._training.run(dict(self.state), self._position())

    def current(self) -> View:
        """The view of the present state, as drawn."""
        if self._training:
            return self._view(self.state, self._training.at(self._position()))
        return self._view(self.state)

    def _advance(self, slider: Slider) -> bool:
        """To the next position of a slider, or from its last to its first; whether there is one after it."""
        position = (slider.values.index(self.state[slider.name]) + 1) % len(slider.values)
        self._move(slider.name, slider.values[position])
        return position + 1 < len(slider.values)

    def _on_input(self, name: str, change: Mapping) -> None:
        if not self._updating:
            try:
                self._move(name, stepped(self.sliders[name], self.state[name], change["new"]))
            except LabError as error:
                self.say(str(error))

    def _move(self, name: str, wanted: object) -> None:
        slider = self.sliders[name]
        value, remark = nearest_position(slider, wanted)
        self.state[name] = value
        self._updating = True
        try:
            for widget in self._inputs[name]:
                widget.value = value
        finally:
            self._updating = False
        self.redraw(remark)

    def _position(self) -> tuple:
        return tuple(self.state[name] for name, slider in self.sliders.items() if slider.trained)
