"""Trained VQGANs of both widths, from a cold start and after a warm-up.

python -m vqlab.labs.lab05.checkpoints    retrains and stores them (CIFAR-10 must be there; minutes)
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vqlab.sweeps.tokenizers import Shelf
from vqlab.widgets.own_image import OwnImage

if TYPE_CHECKING:
    from vqlab.models import VQGAN

WARMUPS, WIDTHS = (0, 500), (8, 16)


def _model_of(tensors: dict) -> "VQGAN":
    from vqlab.models import VQGAN

    return VQGAN.of("tiny", width=tensors["encoder.0.weight"].shape[0])


SHELF = Shelf(
    "vqgan_corners",
    "python -m vqlab.labs.lab05.checkpoints",
    tuple({"warmup": warmup, "width": width} for width in WIDTHS for warmup in WARMUPS),
    _model_of,
)


def own_image() -> OwnImage:
    """Your own image, by the tokens of each."""
    return OwnImage(SHELF, tuple(f"width {width}" for width in WIDTHS))


def main(folder: Path | None = None) -> None:
    """Train and store all."""
    from vqlab.labs.lab05.experiments import EXPERIMENTS, images, trainer

    SHELF.remake(trainer, images()[1], EXPERIMENTS[0].settings["images"], folder)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
