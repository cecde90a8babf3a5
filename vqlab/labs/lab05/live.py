"""A tiny VQGAN trained twice side by side, now: from a cold start and after a warm-up."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vqlab import LabError, data, measures
from vqlab.figures import View
from vqlab.labs.lab05.pictures.live import live_view
from vqlab.widgets.side_by_side import SideBySide

_TRAINING, _HELD_OUT = 4000, 128


class Plan(NamedTuple):
    """What both trainings share; the cold one has no warm-up."""

    steps: int = 240
    warmup: int = 80
    codebook_size: int = 256
    width: int = 8
    every: int = 20  # steps between two pictures


def training_images() -> tuple[np.ndarray, str]:
    """Training images (n, 3, 32, 32) uint8, and a sentence on what they are: CIFAR-10 if it is there."""
    try:
        train = data.cifar10("train").x[:_TRAINING].copy()
    except LabError as error:
        return data.photo_patches(_TRAINING).x, f"Trained on crops of two photographs: {error}."
    return train, f"Trained on {len(train):,} images of CIFAR-10; the pictures are crops of photographs."


class LiveVQGAN(SideBySide):
    """See `SideBySide`. plan: see `Plan`.   images: as `training_images`."""

    def __init__(self, plan: Plan | None = None, images: Callable[[], tuple] = training_images) -> None:
        self.plan, self._images, self._sentence = plan or Plan(), images, ""
        super().__init__(self.plan.steps, self.plan.every)

    def begin(self, seed: int) -> list:
        import torch

        from vqlab.labs.lab05.experiments import SETTING
        from vqlab.models import VQGAN
        from vqlab.training import Settings, Trainer

        plan = self.plan
        train, self._sentence = self._images()
        self._held_out = data.photo_patches(_HELD_OUT, seed=1).x
        changed = {"steps": plan.steps, "codebook_size": plan.codebook_size, "initialisation_latents": 4096}
        return [
            Trainer(
                VQGAN.of("tiny", seed, width=plan.width),
                torch.from_numpy(train),
                Settings(warmup=warmup, **SETTING | changed),
                [seed],
            )
            for warmup in (0, plan.warmup)
        ]

    def look(self, trainer) -> dict[str, float]:
        import torch

        latents = trainer.latents(torch.from_numpy(self._held_out))
        reconstruction, tokens = trainer.reconstruct_latents(latents, len(self._held_out))
        error = measures.mean_squared_error(self._held_out / 255, reconstruction.numpy())[0]
        return {
            "dimension": measures.effective_dimension(latents).item(),
            "active": np.nan if tokens is None else len(np.unique(tokens)),
            "psnr": float(measures.psnr(error)),
        }

    def current(self) -> View:
        plan = self.plan
        return live_view(self.originals, self.moments, plan.steps, plan.warmup, plan.codebook_size)

    def words(self, view: View) -> str:
        return f"{view.status} {self._sentence}".strip()
