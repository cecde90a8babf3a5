"""Lab 05: the recipe of arXiv 2605.06870 on CIFAR-10, with a VQGAN small enough for two cores."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from vqlab import measures
from vqlab.data import cifar10, photo_patches
from vqlab.sweeps import Arrays, Axis, Experiment
from vqlab.sweeps.images import ImageRecorder, patches_of
from vqlab.sweeps.recorder import Snapshot
from vqlab.sweeps.threads import one_thread

if TYPE_CHECKING:
    from vqlab.training import Trainer

CODEBOOK_SIZE, WIDTH = 1024, 8  # what is varied elsewhere has these
SEEDS = (0, 1)
HEADLINE = ("mse", "perceptual", "latent_dim")
WARMUPS = (0, 200, 600)
# Dense where codes are placed: the frame of a warm-up's last step is that of the codes just placed.
FRAMES = (0, 100, 200, 400, 600, 900, 1200, 1500)
_SETTING = {
    "steps": 1500,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "loss": "l1+perceptual",
    "optimizer": "adam",
    "update": "ema",
    "decay": 0.99,
    "commitment_weight": 1.0,
    "replace_below": 0.1,
    "initialisation_latents": 20_000,
}
_TRAINING, _HELD_OUT = 20_000, 1000
# Pictures are of crops of photographs: no image of the data set is stored. Those of the first seed only.
_PATCHES = 6
# How often the loss is kept, and during a warm-up the spectrum of some latents, which the adaptive rule looks at.
_EVERY, _WATCHED = 25, 2048
_TOKENS = 16

# What is changed at K = 1,024 and width 8.
VARIANTS = {
    "gradient codebook": {"update": "gradient"},
    "β = 0.25": {"commitment_weight": 0.25},
    "discriminator": {"discriminator_start": 750},
}
_COMMON = {
    "model": "VQGAN tiny",
    "training": _TRAINING,
    "held_out": _HELD_OUT,
    "patches": _PATCHES,
    "frames": list(FRAMES),
    "every": _EVERY,
    "perceptual": "distance by a small CIFAR-10 classifier",
    "images": "CIFAR-10 as a third party's JPEG copy, median PSNR 30.5 dB to the originals",
}


@cache
def images() -> tuple[np.ndarray, np.ndarray]:
    """The images trained on and those held out, (n, 3, 32, 32) uint8.

    Raises: LabError if CIFAR-10 is not there.
    """
    return tuple(cifar10(split).x[:n].copy() for split, n in (("train", _TRAINING), ("test", _HELD_OUT)))


class VQGANRecorder(ImageRecorder):
    """An image recorder of what VQGAN is judged by.

    More arrays (seeds, frames): l1, mean absolute error of pixels in [0, 1]; perceptual, distance by a small CIFAR-10
    classifier; frechet, Fréchet distance in its features between the images and their reconstructions.
    patches (frames, n, 3, 32, 32): crops of photographs, as they come back.
    loss (seeds, steps / 25): the mean total loss of each 25 steps; warmup_spectrum (seeds, checks, d): the principal
    variances of some latents of the training images, every 25 steps of the warm-up, then NaN.
    """

    def __init__(self, steps: Sequence[int], held_out: np.ndarray, checks: int) -> None:
        import torch

        from vqlab.models.classifier import embeddings

        super().__init__(steps, held_out)
        self.patches = photo_patches(_PATCHES).x
        self.held_out = torch.from_numpy(self.pixels)
        self.embedded = embeddings(held_out)
        self.checks, self.losses, self.spectra, self.shown = checks, [], [], []

    def __call__(self, trainer) -> None:
        if trainer.step:
            self.losses.append(trainer.losses.item())
        if trainer.step % _EVERY == 0 and not trainer.quantizing and len(self.spectra) < self.checks:
            watched = trainer.latents(trainer.data[: _WATCHED // _TOKENS])
            self.spectra.append(measures.principal_variances(watched)[0])
        super().__call__(trainer)

    def _numbers(self, look: Snapshot) -> Arrays:
        import torch

        from vqlab.models.classifier import PerceptualDistance, embeddings

        reconstruction = look.reconstruction[0]
        distance, back = PerceptualDistance(), torch.from_numpy(reconstruction)
        parts = zip(self.held_out.split(250), back.split(250), strict=True)
        with torch.no_grad():
            perceptual = torch.cat([distance(2 * x - 1, 2 * y - 1) for x, y in parts]).mean().item()
        self.shown.append(patches_of(look.trainer, self.patches))
        return super()._numbers(look) | {
            "l1": np.array([np.abs(reconstruction - self.pixels).mean()]),
            "perceptual": np.array([perceptual]),
            "frechet": np.array([measures.frechet_distance(self.embedded, embeddings(reconstruction))]),
        }

    def cell(self) -> Arrays:
        dim = self.last.latents.shape[2]
        spectra = np.full((self.checks, dim), np.nan)
        spectra[: len(self.spectra)] = np.reshape(self.spectra, (-1, dim))
        loss = np.reshape(self.losses, (-1, _EVERY)).mean(1)
        more = {"loss": loss[None], "warmup_spectrum": spectra[None]}
        return super().cell() | {key: value.astype(np.float32) for key, value in more.items()}


def train_vqgan(
    position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict, frames: Sequence[int]
) -> Arrays:
    """Train on CIFAR-10 at a position (warmup and, if given, codebook_size, width, variant), one seed after the other.

    Raises: LabError if CIFAR-10 is not there.
    """
    cells, pictures = [], {}
    with one_thread():
        for seed in seeds:
            recorder = VQGANRecorder(frames, images()[1], checks=max(WARMUPS) // _EVERY)
            trainer(position, seed, base).run(recorder, *callbacks)
            cells.append(recorder.cell())
            counts = recorder.last.counts[0].astype(np.uint16)
            pictures = pictures or {"patches": np.stack(recorder.shown), "usage": counts}
    return {key: np.concatenate([cell[key] for cell in cells]) for key in cells[0]} | pictures


def trainer(position: dict, seed: int, base: dict = _SETTING) -> "Trainer":
    """An untrained `Trainer` at a position of `train_vqgan`."""
    import torch

    from vqlab.models import VQGAN
    from vqlab.training import Settings, Trainer

    settings = Settings(
        codebook_size=position.get("codebook_size", CODEBOOK_SIZE),
        warmup=position["warmup"],
        **base | VARIANTS.get(position.get("variant"), {}),
    )
    model = VQGAN.of("tiny", seed, width=position.get("width", WIDTH))
    return Trainer(model, torch.from_numpy(images()[0]), settings, [seed])


EXPERIMENTS = (
    Experiment(
        name="vqgan_warmup",
        title="A tiny VQGAN on CIFAR-10: warm-up × codebook size × encoder width",
        axes=(
            # The warm-up last: cells are computed in this order, and a start is worth little without the others.
            Axis("width", "encoder width", (8, 16), "channels"),
            Axis("codebook_size", "codebook size K", (256, 1024), "codes"),
            Axis("warmup", "warm-up length", WARMUPS, "steps"),
        ),
        seeds=SEEDS,
        settings=_SETTING | _COMMON,
        run=partial(train_vqgan, base=_SETTING, frames=FRAMES),
        headline=HEADLINE,
    ),
    Experiment(
        name="vqgan_variants",
        title="Width 8, K = 1,024: a gradient codebook, a smaller commitment weight, a discriminator",
        axes=(
            Axis("variant", "what is changed", tuple(VARIANTS)),
            Axis("warmup", "warm-up length", (0, 600), "steps"),
        ),
        seeds=(0,),
        settings=_SETTING | _COMMON | {"variants": VARIANTS, "codebook_size": CODEBOOK_SIZE, "width": WIDTH},
        run=partial(train_vqgan, base=_SETTING, frames=FRAMES),
        headline=HEADLINE,
    ),
)
