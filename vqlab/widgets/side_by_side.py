"""A cold start and a warm-up trained side by side, now, with a picture that moves."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import ipywidgets as w
import numpy as np

from vqlab import LabError, data
from vqlab.figures import View
from vqlab.figures.side_by_side import Curve, Moment, Plan, side_by_side_view
from vqlab.widgets.live_training import LiveTraining
from vqlab.widgets.picture_box import WRAPPING, PictureBox

if TYPE_CHECKING:
    from vqlab.training import Trainer

PATCHES = 6
_TRAINING, _HELD_OUT = 4000, 200


def training_images() -> tuple[np.ndarray, np.ndarray, str]:
    """Training and held-out images (n, 3, 32, 32) uint8, and a sentence on what they are: CIFAR-10 if it is there."""
    try:
        train, test = (data.cifar10(split).x[:n].copy() for split, n in (("train", _TRAINING), ("test", _HELD_OUT)))
    except LabError as error:
        train, test = data.photo_patches(_TRAINING).x, data.photo_patches(_HELD_OUT, seed=1).x
        return train, test, f"Trained on crops of two photographs: {error}."
    return train, test, f"Trained on {len(train):,} images of CIFAR-10; the pictures are crops of photographs."


class SideBySide(PictureBox):
    """Buttons, a progress bar, a moving picture and its numbers in words.

    Who inherits makes the trainings in `begin`.
    curve: the number that is drawn, of those that `training.evaluation.evaluate` finds of held-out images.
    images: as `training_images`.
    `train_live()` does from Python what the button does; `moments` holds what has been drawn.
    """

    def __init__(self, plan: Plan, curve: Curve, images: Callable[[], tuple] = training_images) -> None:
        self.plan, self.curve, self._images = plan, curve, images
        self.moments: list[Moment] = []
        self.originals = data.photo_patches(PATCHES, seed=1).x  # not among those trained on
        self._sentence = ""
        self._training = LiveTraining(self._train, self.redraw)
        self._training.button.on_click(lambda _: self._training.start({}, ()))
        self.fill([w.HBox(self._training.widgets, layout=WRAPPING)])

    def begin(self, images: np.ndarray, warmup: int, seed: int) -> "Trainer":
        """One training of the plan on these images, not begun."""
        raise NotImplementedError

    def train_live(self) -> None:
        """Train both now; returns when done."""
        self._training.run({}, ())

    def current(self) -> View:
        return side_by_side_view(self.originals, self.moments, self.plan, self.curve)

    def words(self, view: View) -> str:
        return f"{view.status} {self._sentence}".strip()

    def _train(self, state: dict, seeds: Sequence[int], callback: Callable) -> dict:
        from vqlab.sweeps.threads import one_thread

        self.moments = []
        images, held_out, self._sentence = self._images()
        trainers = [self.begin(images, warmup, seeds[0]) for warmup in (0, self.plan.warmup)]
        with one_thread():
            for step in [*range(0, self.plan.steps, self.plan.every), self.plan.steps]:
                for trainer in trainers:
                    trainer.run(callback, until=step)
                self.moments.append(self._moment(step, trainers, held_out))
                self.redraw()
        return {}

    def _moment(self, step: int, trainers: list["Trainer"], held_out: np.ndarray) -> Moment:
        import torch

        from vqlab.sweeps.images import patches_of
        from vqlab.training.evaluation import evaluate

        shown = np.stack([patches_of(trainer, self.originals) for trainer in trainers])
        cold, warm = (evaluate(trainer, torch.from_numpy(held_out)) for trainer in trainers)
        return Moment(step, shown, {name: np.array([cold[name], warm.get(name, np.nan)]) for name in cold})
