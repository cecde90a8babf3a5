"""Trainings side by side, now, with a picture that moves."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets as w
import numpy as np

from vqlab import data
from vqlab.widgets.live_training import LiveTraining
from vqlab.widgets.picture_box import WRAPPING, PictureBox

if TYPE_CHECKING:
    from vqlab.training import Trainer

PATCHES = 6


class Moment(NamedTuple):
    """Trainings at one step: reconstructions (trainings, n, 3, 32, 32) uint8, and numbers (trainings,) by name."""

    step: int
    reconstructions: np.ndarray
    numbers: dict[str, np.ndarray]


class SideBySide(PictureBox):
    """Buttons, a progress bar, a moving picture and its numbers in words.

    Who inherits makes the trainings in `begin`, one seed each, measures them in `look` and draws in `current`.
    steps: of all trainings.   every: steps between two pictures.
    `train_live()` does from Python what the button does; `moments` holds what has been drawn.
    """

    def __init__(self, steps: int, every: int) -> None:
        self.steps, self.every = steps, every
        self.moments: list[Moment] = []
        self.originals = data.photo_patches(PATCHES, seed=1).x  # not among those trained on
        self._training = LiveTraining(self._train, self.redraw)
        self._training.button.on_click(lambda _: self._training.start({}, ()))
        self.fill([w.HBox(self._training.widgets, layout=WRAPPING)])

    def begin(self, seed: int) -> list["Trainer"]:
        """The trainings, not begun."""
        raise NotImplementedError

    def look(self, trainer: "Trainer") -> dict[str, float]:
        """The numbers of one training as it stands."""
        raise NotImplementedError

    def train_live(self) -> None:
        """Train all now; returns when done."""
        self._training.run({}, ())

    def _train(self, state: dict, seeds: Sequence[int], callback: Callable) -> dict:
        from vqlab.sweeps.threads import one_thread

        self.moments = []
        trainers = self.begin(seeds[0])
        with one_thread():
            for step in [*range(0, self.steps, self.every), self.steps]:
                for trainer in trainers:
                    trainer.run(callback, until=step)
                self.moments.append(self._moment(step, trainers))
                self.redraw()
        return {}

    def _moment(self, step: int, trainers: list["Trainer"]) -> Moment:
        from vqlab.sweeps.images import patches_of

        shown = np.stack([patches_of(trainer, self.originals) for trainer in trainers])
        looks = [self.look(trainer) for trainer in trainers]
        return Moment(step, shown, {name: np.array([look[name] for look in looks], float) for name in looks[0]})
