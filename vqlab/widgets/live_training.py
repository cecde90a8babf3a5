""" "Train it live": a training of the shown position, now, in a thread of its own, with progress and Cancel."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial

import ipywidgets as w

from vqlab import LabError
from vqlab.sweeps import Arrays

SEEDS = (100, 101, 102, 103)


class LiveTraining:
    """Buttons that train the shown position and keep what came out, by position.

    train: (state, seeds, callback) -> live result; the callback wants the trainer after every step.
    redraw: called with a remark, perhaps empty, when there is something else to show. With a running event loop (a
    notebook's kernel) that is on its thread, where the cells of the notebook draw, too: never beside one of them.
    """

    def __init__(self, train: Callable[..., Arrays], redraw: Callable[[str], None]) -> None:
        self._train, self._redraw = train, redraw
        self._results: dict[tuple, Arrays] = {}
        self._position: tuple = ()
        self._shows_live = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self.cancelled, self.thread = threading.Event(), threading.Thread()
        self.button = w.Button(description="Train it live", button_style="primary", tooltip="train this position now")
        self._cancel = w.Button(description="Cancel", disabled=True, tooltip="stop the live training")
        self._toggle = w.Button(layout=w.Layout(visibility="hidden"))
        self.progress = w.FloatProgress(max=1.0, layout=w.Layout(width="200px", visibility="hidden"))
        self._progress_text = w.HTML(layout=w.Layout(width="150px"))
        self._cancel.on_click(lambda _: self.cancelled.set())
        self._toggle.on_click(lambda _: self._flip())
        self.widgets = [self.button, self._cancel, self._toggle, self.progress, self._progress_text]

    def at(self, position: tuple) -> Arrays | None:
        """What to draw over the stored seeds of a position: its live result, unless the stored panel is asked for."""
        self._position = position
        self._show_toggle()
        return self._results.get(position) if self._shows_live else None

    def start(self, state: dict, position: tuple) -> None:
        """Begin to train in a thread, unless one is at it."""
        if self.thread.is_alive():
            return
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._begin()
        self.thread = threading.Thread(target=self._work, args=(state, position), daemon=True)
        self.thread.start()

    def run(self, state: dict, position: tuple) -> None:
        """Train in this thread; returns when the result is drawn."""
        self._loop = None
        self._begin()
        self._work(state, position)

    def report(self, trainer) -> None:
        """The callback of a training: shows how far it is and ends it once it is cancelled."""
        from vqlab.training import Cancelled

        if self.cancelled.is_set():
            raise Cancelled
        if trainer.step % 20 == 0:
            self.progress.value = trainer.step / trainer.settings.steps
            self._progress_text.value = f"step {trainer.step:,} of {trainer.settings.steps:,}"

    def _begin(self) -> None:
        self.cancelled.clear()
        self.button.disabled, self._cancel.disabled = True, False
        self.progress.value, self.progress.layout.visibility = 0.0, "visible"
        self._progress_text.value = "loading PyTorch…"

    def _work(self, state: dict, position: tuple) -> None:
        remark = ""
        try:
            from vqlab.training import Cancelled

            try:
                self._results[position] = self._train(state, SEEDS, self.report)
                self._shows_live = True
            except Cancelled:
                remark = "Live training cancelled; it is not kept."
        except Exception as error:
            remark = f"Live training stopped: {error}"
            if not isinstance(error, LabError):
                raise
        finally:
            end = partial(self._end, remark)
            if self._loop is None:
                end()
            else:
                self._loop.call_soon_threadsafe(end)

    def _end(self, remark: str) -> None:
        self.button.disabled, self._cancel.disabled = False, True
        self.progress.layout.visibility = "hidden"
        self._progress_text.value = ""
        self._redraw(remark)

    def _flip(self) -> None:
        self._shows_live = not self._shows_live
        self._redraw("")

    def _show_toggle(self) -> None:
        self._toggle.description = "Show stored" if self._shows_live else "Show live"
        self._toggle.tooltip = "what the third panel shows: the stored seeds, or the live training over them"
        self._toggle.layout.visibility = "visible" if self._position in self._results else "hidden"
