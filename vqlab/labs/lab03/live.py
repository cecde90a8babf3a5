"""A cold start and a warm-up trained side by side, now, with a picture that moves."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import ipywidgets as w
import numpy as np

from vqlab import LabError, data, measures
from vqlab.figures import View
from vqlab.labs.lab03.pictures.live import Moment, live_view
from vqlab.labs.lab03.readings import TOKENS
from vqlab.widgets.live_training import LiveTraining
from vqlab.widgets.picture_box import WRAPPING, PictureBox

PATCHES = 6
_TRAINING, _HELD_OUT = 4000, 200
_LATENT_DIM = 64


class Plan(NamedTuple):
    """What both trainings share; the cold one has no warm-up."""

    steps: int = 600
    warmup: int = 150
    codebook_size: int = 256
    width: int = 16
    every: int = 25  # steps between two pictures


def training_images() -> tuple[np.ndarray, np.ndarray, str]:
    """Training and held-out images (n, 3, 32, 32) uint8, and a sentence on what they are: CIFAR-10 if it is there."""
    try:
        train, test = (data.cifar10(split).x[:n].copy() for split, n in (("train", _TRAINING), ("test", _HELD_OUT)))
    except LabError as error:
        train, test = data.photo_patches(_TRAINING).x, data.photo_patches(_HELD_OUT, seed=1).x
        return train, test, f"Trained on crops of two photographs: {error}."
    return train, test, f"Trained on {len(train):,} images of CIFAR-10; the pictures are crops of photographs."


class LiveComparison(PictureBox):
    """Buttons, a progress bar, a moving picture and its numbers in words.

    plan: see `Plan`.   images: as `training_images`.
    `train_live()` does from Python what the button does; `moments` holds what has been drawn.
    """

    def __init__(self, plan: Plan | None = None, images: Callable[[], tuple] = training_images) -> None:
        self.plan, self._images = plan or Plan(), images
        self.moments: list[Moment] = []
        self.originals = data.photo_patches(PATCHES, seed=1).x  # not among those trained on
        self._sentence = ""
        self._training = LiveTraining(self._train, self.redraw)
        self._training.button.on_click(lambda _: self._training.start({}, ()))
        self.fill([w.HBox(self._training.widgets, layout=WRAPPING)])

    def train_live(self) -> None:
        """Train both starts now; returns when done."""
        self._training.run({}, ())

    def current(self) -> View:
        """The view of what there is so far."""
        plan = self.plan
        return live_view(self.originals, self.moments, plan.steps, plan.warmup, plan.codebook_size)

    def words(self, view: View) -> str:
        """The view's status, on how many tokens it counts, and what was trained on."""
        counted = f"Codes are counted on {_HELD_OUT * TOKENS:,} held-out tokens." if self.moments else ""
        return f"{view.status} {counted} {self._sentence}".strip()

    def _train(self, state: dict, seeds: Sequence[int], callback: Callable) -> dict:
        import torch

        from vqlab.models import ConvAutoencoder
        from vqlab.sweeps.threads import one_thread
        from vqlab.training import Settings, Trainer

        self.moments, plan = [], self.plan
        train, held_out, self._sentence = self._images()
        common = {"codebook_size": plan.codebook_size, "steps": plan.steps, "batch_size": 32, "learning_rate": 1e-3}
        trainers = [
            Trainer(
                ConvAutoencoder(seeds[0], _LATENT_DIM, plan.width),
                torch.from_numpy(train),
                Settings(warmup=warmup, **common),
                seeds[:1],
            )
            for warmup in (0, plan.warmup)
        ]
        with one_thread():
            for step in [*range(0, plan.steps, plan.every), plan.steps]:
                for trainer in trainers:
                    trainer.run(callback, until=step)
                self.moments.append(_moment(step, trainers, self.originals, held_out))
                self.redraw()
        return {}


def _moment(step: int, trainers: list, originals: np.ndarray, held_out: np.ndarray) -> Moment:
    import torch

    shown, active, errors = [], [], []
    for trainer in trainers:
        patches = trainer.reconstruct(torch.from_numpy(originals))[0][0].numpy()
        shown.append(np.clip(np.round(255 * patches), 0, 255).astype(np.uint8))
        reconstruction, tokens = trainer.reconstruct(torch.from_numpy(held_out))
        errors.append(measures.mean_squared_error(held_out / 255, reconstruction.numpy())[0])
        active.append(np.nan if tokens is None else len(np.unique(tokens)))
    return Moment(step, np.stack(shown), np.array(active, float), measures.psnr(np.array(errors)))
