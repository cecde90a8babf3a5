"""A cold start and a warm-up of Lab 03 trained side by side, now, with a picture that moves."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vqlab import LabError, data, measures
from vqlab.figures import View
from vqlab.labs.lab03.pictures.live import live_view
from vqlab.labs.lab03.readings import TOKENS
from vqlab.widgets.side_by_side import SideBySide

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


class LiveComparison(SideBySide):
    """See `SideBySide`. plan: see `Plan`.   images: as `training_images`."""

    def __init__(self, plan: Plan | None = None, images: Callable[[], tuple] = training_images) -> None:
        self.plan, self._images, self._sentence = plan or Plan(), images, ""
        super().__init__(self.plan.steps, self.plan.every)

    def begin(self, seed: int) -> list:
        import torch

        from vqlab.models import ConvAutoencoder
        from vqlab.training import Settings, Trainer

        plan = self.plan
        train, self._held_out, self._sentence = self._images()
        common = {"codebook_size": plan.codebook_size, "steps": plan.steps, "batch_size": 32, "learning_rate": 1e-3}
        model = {"seed": seed, "latent_dim": _LATENT_DIM, "hidden": plan.width}
        return [
            Trainer(ConvAutoencoder(**model), torch.from_numpy(train), Settings(warmup=warmup, **common), [seed])
            for warmup in (0, plan.warmup)
        ]

    def look(self, trainer) -> dict[str, float]:
        import torch

        reconstruction, tokens = trainer.reconstruct(torch.from_numpy(self._held_out))
        error = measures.mean_squared_error(self._held_out / 255, reconstruction.numpy())[0]
        return {"active": np.nan if tokens is None else len(np.unique(tokens)), "psnr": float(measures.psnr(error))}

    def current(self) -> View:
        plan = self.plan
        return live_view(self.originals, self.moments, plan.steps, plan.warmup, plan.codebook_size)

    def words(self, view: View) -> str:
        counted = f"Codes are counted on {_HELD_OUT * TOKENS:,} held-out tokens." if self.moments else ""
        return f"{view.status} {counted} {self._sentence}".strip()
