"""Trained tokenizers for the corners of Lab 03's grid.

python -m vqlab.labs.lab03.checkpoints    retrains and stores them (CIFAR-10 must be there; minutes)
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vqlab.labs.lab03.readings import WIDTH
from vqlab.sweeps.tokenizers import Shelf
from vqlab.widgets.own_image import OwnImage

if TYPE_CHECKING:
    from vqlab.models import ConvAutoencoder

WARMUPS, SIZES = (0, 1000), (64, 4096)


def _model_of(tensors: dict) -> "ConvAutoencoder":
    from vqlab.models import ConvAutoencoder

    latent_dim = tensors["decoder.0.weight"].shape[1]
    return ConvAutoencoder(latent_dim=latent_dim, hidden=tensors["encoder.0.weight"].shape[0])


SHELF = Shelf(
    "images_corners",
    "python -m vqlab.labs.lab03.checkpoints",
    tuple({"warmup": warmup, "codebook_size": k, "width": WIDTH} for k in SIZES for warmup in WARMUPS),
    _model_of,
)


def own_image() -> OwnImage:
    """Your own image at every corner of the grid."""
    return OwnImage(SHELF, tuple(f"K = {k:,}" for k in SIZES))


def main(folder: Path | None = None) -> None:
    """Train every corner and store it."""
    from vqlab.labs.lab03.experiments import EXPERIMENTS, images, trainer

    SHELF.remake(trainer, images()[1].x, EXPERIMENTS[0].settings["images"], folder)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
