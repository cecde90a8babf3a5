"""A tiny VQGAN trained twice side by side, now: from a cold start and after a warm-up."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from vqlab.figures.side_by_side import Curve, Plan
from vqlab.widgets.side_by_side import SideBySide, training_images

if TYPE_CHECKING:
    from vqlab.training import Trainer

_TICKS, _LIMITS = (1, 2, 4, 8, 16, 32, 64), (0.9, 72)
_PLAN = Plan(steps=240, warmup=80)


class LiveVQGAN(SideBySide):
    """Dimensions of the latents while both train; see `SideBySide`."""

    def __init__(self, plan: Plan = _PLAN, images: Callable[[], tuple] = training_images) -> None:
        curve = Curve(
            "latent_dimension",
            "Dimensions of the latents",
            "effective dimension",
            _TICKS,
            _LIMITS,
            say=lambda dimension: f"{dimension:.0f} dimensions",
        )
        super().__init__(plan, curve, images)

    def begin(self, images: np.ndarray, warmup: int, seed: int) -> "Trainer":
        import torch

        from vqlab.labs.lab05.experiments import SETTING
        from vqlab.models import VQGAN
        from vqlab.training import Settings, Trainer

        plan = self.plan
        changed = {"steps": plan.steps, "codebook_size": plan.codebook_size, "initialisation_latents": 4096}
        model, settings = VQGAN.of("tiny", seed, width=plan.width), Settings(warmup=warmup, **SETTING | changed)
        return Trainer(model, torch.from_numpy(images), settings, [seed])
