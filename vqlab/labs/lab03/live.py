"""A cold start and a warm-up of Lab 03 trained side by side, now, with a picture that moves."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from vqlab.figures.side_by_side import Curve, Plan, codes_in_words
from vqlab.widgets.side_by_side import SideBySide, training_images

if TYPE_CHECKING:
    from vqlab.training import Trainer

_LATENT_DIM = 64
_PLAN = Plan(steps=600, warmup=150, width=16, every=25)


class LiveComparison(SideBySide):
    """Codes in use while both train; see `SideBySide`."""

    def __init__(self, plan: Plan = _PLAN, images: Callable[[], tuple] = training_images) -> None:
        size = plan.codebook_size
        ticks = 4 ** np.arange(1, np.log2(size) / 2 + 0.1).astype(int)
        curve = Curve(
            "active_codes", f"Codes in use, of {size}", "codes in use", ticks, (2, 1.4 * size), codes_in_words
        )
        super().__init__(plan, curve, images)

    def begin(self, images: np.ndarray, warmup: int, seed: int) -> "Trainer":
        import torch

        from vqlab.models import ConvAutoencoder
        from vqlab.training import Settings, Trainer

        model = ConvAutoencoder(seed, _LATENT_DIM, self.plan.width)
        settings = Settings(self.plan.codebook_size, self.plan.steps, warmup, batch_size=32, learning_rate=1e-3)
        return Trainer(model, torch.from_numpy(images), settings, [seed])
