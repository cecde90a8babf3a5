"""Widgets: one generic explorer that binds named sliders to a view, with "Train it live"."""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from math import ceil

import ipywidgets as w

from vqlab import LabError
from vqlab.figures import PAGE_PX, View, as_html, png, recycle
from vqlab.sweeps import Arrays, StoredSweep
from vqlab.widgets.sliders import ROW_PX, PlayButton, Slider, nearest_position, widgets_for

LIVE_SEEDS = (100, 101, 102, 103)
_NARROWEST_PX = 640  # where a page is narrower, the picture scrolls: smaller, nobody could read it
_SCROLLING = "overflow-x:auto;width:0;min-width:100%"  # as wide as the page allows, not as the picture asks
_LINE = 150  # characters of a status that surely fit in one line of that width
# As many controls side by side as fit. On a narrow page a track goes under its number box instead of being squeezed.
_COLUMNS = f"repeat(auto-fill, minmax(min({ROW_PX}px, 100%), 1fr))"
_WRAPPING = {"flex_flow": "row wrap", "align_items": "center"}
# Two explorers may redraw at the same time, one from its live training; matplotlib's settings are global.
_DRAWING = threading.Lock()


class Explorer(w.VBox):
    """Named sliders, a picture, and a sentence with its numbers.

    Args:
        sliders: the controls, from top to bottom.
        view: (state) -> View, or (state, live) -> View when `train` is given; state maps slider names to values.
        train: (state, seeds, callback) -> live result; adds the button "Train it live", a progress bar and Cancel.
            The callback wants the trainer after every step.
    Every slider has a number box (or is a list of words). What is typed is moved to the nearest position, with
    a sentence. `state`, `set(name=value)` and `train_live()` do from Python what hands do on the page.
    """

    def __init__(
        self, sliders: Sequence[Slider], view: Callable[..., View], train: Callable[..., Arrays] | None = None
    ) -> None:
        self.sliders = {slider.name: slider for slider in sliders}
        self.state = {slider.name: slider.start for slider in sliders}
        self._view, self._train = view, train
        self._live: dict[tuple, Arrays] = {}
        self._updating = False
        self._picture, self._status = w.HTML(), w.HTML()
        self._inputs = {slider.name: widgets_for(slider) for slider in sliders}
        for name, inputs in self._inputs.items():
            for widget in inputs:
                widget.observe(partial(self._on_input, name), "value")
        rows = [w.HBox(inputs, layout=_WRAPPING) for inputs in self._inputs.values()]
        buttons = [PlayButton(slider.label, partial(self._advance, slider)) for slider in sliders if slider.play]
        if self.trains:
            buttons += self._live_controls()
        below = [w.HBox(buttons, layout=_WRAPPING)] if buttons else []
        controls = w.GridBox(rows, layout={"grid_template_columns": _COLUMNS})
        super().__init__([controls, *below, self._picture, self._status], layout={"max_width": f"{PAGE_PX + 4}px"})
        self._redraw()

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
        return self._train is not None

    def train_live(self) -> None:
        """Train the shown position now, on this machine, and draw it over the stored seeds; returns when done."""
        self._start()
        self._thread.join()

    def _live_controls(self) -> list[w.Widget]:
        self._button = w.Button(description="Train it live", button_style="primary", tooltip="train this position now")
        self._cancel = w.Button(description="Cancel", disabled=True, tooltip="stop the live training")
        self._progress = w.FloatProgress(max=1.0, layout=w.Layout(width="200px", visibility="hidden"))
        self._progress_text = w.HTML(layout=w.Layout(width="150px"))
        self._button.on_click(lambda _: self._start())
        self._cancel.on_click(lambda _: self._cancelled.set())
        self._cancelled, self._thread = threading.Event(), threading.Thread()
        return [self._button, self._cancel, self._progress, self._progress_text]

    def _advance(self, slider: Slider) -> bool:
        """To the next position of a slider, or from its last to its first; whether there is one after it."""
        position = (slider.values.index(self.state[slider.name]) + 1) % len(slider.values)
        self._move(slider.name, slider.values[position])
        return position + 1 < len(slider.values)

    def _on_input(self, name: str, change: Mapping) -> None:
        if not self._updating:
            try:
                self._move(name, change["new"])
            except LabError as error:
                self._say(str(error))

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
        self._redraw(remark)

    def _position(self) -> tuple:
        return tuple(self.state[name] for name, slider in self.sliders.items() if slider.trained)

    def current(self) -> View:
        """The view of the present state, as drawn."""
        if self.trains:
            return self._view(self.state, self._live.get(self._position()))
        return self._view(self.state)

    def _redraw(self, remark: str = "") -> None:
        with _DRAWING:
            try:
                view = self.current()
            except Exception as error:
                self._say(f"This position cannot be drawn: {error}")
                if isinstance(error, LabError):
                    return
                raise
            picture = png(view.figure)
            width, height = view.figure.canvas.get_width_height()
            recycle(view.figure)
        # With its ratio the page keeps the picture's place while it is exchanged.
        style = f"display:block;min-width:{_NARROWEST_PX}px;aspect-ratio:{width}/{height}"
        self._picture.value = f'<div style="{_SCROLLING}">{as_html(picture, view.alt, style)}</div>'
        self._say(f"{remark} {view.status}".strip())

    def _say(self, sentence: str) -> None:
        if not self._status.value:
            self._height = 1.5 * (1 + ceil(len(sentence) / _LINE))
        style = f"margin:0;min-height:{self._height:g}em;line-height:1.5"
        self._status.value = f'<p role="status" style="{style}">{escape(sentence)}</p>'

    def _start(self) -> None:
        if self._thread.is_alive():
            return
        self._cancelled.clear()
        self._button.disabled, self._cancel.disabled = True, False
        self._progress.value, self._progress.layout.visibility = 0.0, "visible"
        self._progress_text.value = "loading PyTorch…"
        self._thread = threading.Thread(target=self._work, args=(dict(self.state), self._position()), daemon=True)
        self._thread.start()

    def _work(self, state: dict, position: tuple) -> None:
        remark = ""
        try:
            from vqlab.training import Cancelled

            try:
                self._live[position] = self._train(state, LIVE_SEEDS, self._report)
            except Cancelled:
                remark = "Live training cancelled; nothing was kept."
        except Exception as error:
            remark = f"Live training stopped: {error}"
            if not isinstance(error, LabError):
                raise
        finally:
            self._button.disabled, self._cancel.disabled = False, True
            self._progress.layout.visibility = "hidden"
            self._progress_text.value = ""
            self._redraw(remark)

    def _report(self, trainer) -> None:
        from vqlab.training import Cancelled

        if self._cancelled.is_set():
            raise Cancelled
        if trainer.step % 20 == 0:
            self._progress.value = trainer.step / trainer.settings.steps
            self._progress_text.value = f"step {trainer.step:,} of {trainer.settings.steps:,}"

    def _repr_mimebundle_(self, **kwargs: object) -> dict | tuple:
        """The widget where there is a kernel; the picture at the default position where there is none."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        picture, described = self.current()._repr_mimebundle_()
        return {**(data or {}), **picture}, {**metadata, **described}


def live(sweep: StoredSweep) -> Callable[..., Arrays]:
    """The `train` argument for an explorer of a stored sweep: the same cell, other seeds, trained now."""

    def train(state: dict, seeds: Sequence[int], callback: Callable) -> Arrays:
        return sweep.experiment().run(state, seeds, callback)

    return train
