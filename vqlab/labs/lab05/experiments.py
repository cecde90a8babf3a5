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
SEEDS, MORE_SEEDS = (0, 1), (2, 3, 4)
HEADLINE = ("mse", "perceptual", "latent_dim")
WARMUPS = (0, 200, 500, 1000)
# The frame of a warm-up's last step is that of the codes just placed: autoencoder and k-means, nothing else yet.
FRAMES = (0, 100, 200, 500, 1000, 1500, 2000)
SETTING = {
    "steps": 2000,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "loss": "l1+perceptual",
    "optimizer": "adam",
    "update": "ema",
    "decay": 0.99,
    "commitment_weight": 1.0,
    "replace_below": 0.1,
    "initialisation_latents": 40_960,  # ten for each of the most codes
}
FEW_FRAMES = (0, 500, 2000)  # where only the end and the switch are asked for
LONG_FRAMES = (0, 500, 1000, 2000, 3000, 4000)
_LONG = SETTING | {"steps": LONG_FRAMES[-1]}
_TRAINING, _HELD_OUT = 20_000, 1000
# Pictures are of crops of photographs: no image of the data set is stored. Those of the first seed only.
_PATCHES = 6
# How often the loss and the spectrum of some latents are kept, at which the adaptive rule looks, too.
EVERY, _WATCHED_IMAGES, _WATCHED = 25, 128, 2048
# Fixed before any of these trainings was run: 75 steps without a gain, at most half of the training.
RULE = {"every": EVERY, "patience": 75, "latest": 0.5, "probe": _WATCHED}

# What is changed at K = 1,024 and width 8; the network of "8×8 tokens" has one level less.
VARIANTS = {
    "gradient codebook": {"update": "gradient"},
    "8×8 tokens": {},
}
ABLATIONS = {
    "β = ¼": {"commitment_weight": 0.25},
    "β = 0": {"commitment_weight": 0.0},
    "no replacement": {"replace_below": None},
}
_NETWORKS = {"8×8 tokens": {"multipliers": (1, 2, 4)}}
_COMMON = {
    "model": "VQGAN tiny",
    "training": _TRAINING,
    "held_out": _HELD_OUT,
    "patches": _PATCHES,
    "every": EVERY,
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
    loss (seeds, steps / 25): the mean total loss of each 25 steps; watched (seeds, 1 + steps / 25, d): the principal
    variances of 2,048 latents of training images, before each 25 steps and at the end; switched (seeds,): the step at
    which the codes were placed.
    """

    def __init__(self, steps: Sequence[int], held_out: np.ndarray) -> None:
        import torch

        from vqlab.models.classifier import embeddings

        super().__init__(steps, held_out)
        self.patches = photo_patches(_PATCHES).x
        self.held_out = torch.from_numpy(self.pixels)
        self.embedded = embeddings(held_out)
        self.losses, self.spectra, self.shown, self.switched = [], [], [], np.nan

    def __call__(self, trainer) -> None:
        if trainer.step:
            self.losses.append(trainer.losses.item())
        if trainer.step % EVERY == 0:
            watched = trainer.latents(trainer.data[:_WATCHED_IMAGES])[:, :_WATCHED]
            self.spectra.append(measures.principal_variances(watched)[0])
        if trainer.quantizing and np.isnan(self.switched):
            self.switched = trainer.step
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
        more = {
            "loss": np.reshape(self.losses, (-1, EVERY)).mean(1),
            "watched": np.stack(self.spectra),
            "switched": np.array(self.switched),
        }
        return super().cell() | {key: value[None].astype(np.float32) for key, value in more.items()}


def train_vqgan(
    position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict, frames: Sequence[int]
) -> Arrays:
    """Train on CIFAR-10 at a position, one seed after the other.

    position: see `trainer`; without a warmup the adaptive rule `RULE` ends it.
    Raises: LabError if CIFAR-10 is not there.
    """
    from vqlab.training import AdaptiveSwitch

    cells, pictures = [], {}
    with one_thread():
        for seed in seeds:
            recorder = VQGANRecorder(frames, images()[1])
            rule = [] if "warmup" in position else [AdaptiveSwitch(**RULE)]
            trainer(position, seed, base).run(*rule, recorder, *callbacks)
            cells.append(recorder.cell())
            counts = recorder.last.counts[0].astype(np.uint16)
            pictures = pictures or {"patches": np.stack(recorder.shown), "usage": counts}
    return {key: np.concatenate([cell[key] for cell in cells]) for key in cells[0]} | pictures


def trainer(position: dict, seed: int, base: dict = SETTING) -> "Trainer":
    """An untrained `Trainer` at a position: codebook_size, width, variant and warmup, each if it is given.

    Without a warmup the codes are placed by nobody but a callback.
    """
    import torch

    from vqlab.models import VQGAN
    from vqlab.training import Settings, Trainer

    variant = position.get("variant")
    settings = Settings(
        codebook_size=position.get("codebook_size", CODEBOOK_SIZE),
        warmup=position.get("warmup", base["steps"]),
        **base | (VARIANTS | ABLATIONS).get(variant, {}),
    )
    model = VQGAN.of("tiny", seed, width=position.get("width", WIDTH), **_NETWORKS.get(variant, {}))
    return Trainer(model, torch.from_numpy(images()[0]), settings, [seed])


def _experiment(
    name: str,
    title: str,
    *axes: Axis,
    base: dict = SETTING,
    frames: Sequence[int] = FRAMES,
    seeds: Sequence[int] = SEEDS,
    **more: object,
) -> Experiment:
    return Experiment(
        name=name,
        title=title,
        axes=axes,
        seeds=seeds,
        settings=base | _COMMON | {"frames": list(frames)} | more,
        run=partial(train_vqgan, base=base, frames=frames),
        headline=HEADLINE,
    )


def _one_changed(name: str, title: str, changes: dict[str, dict]) -> Experiment:
    return _experiment(
        name,
        title,
        Axis("variant", "what is changed", tuple(changes)),
        Axis.warmup(0, 500),
        frames=FEW_FRAMES,
        variants=changes,
        codebook_size=CODEBOOK_SIZE,
        width=WIDTH,
    )


_WIDTHS = Axis("width", "encoder width", (8, 16), "channels")

EXPERIMENTS = (
    _experiment(
        "vqgan_warmup",
        "A tiny VQGAN on CIFAR-10, K = 1,024: warm-up × encoder width",
        _WIDTHS,
        Axis.warmup(*WARMUPS),
        codebook_size=CODEBOOK_SIZE,
    ),
    _experiment(
        "vqgan_sizes",
        "A tiny VQGAN of width 8: codebook size, cold and after a warm-up",
        Axis.codebook_size(64, 1024, 4096),
        Axis.warmup(0, 500),
        frames=FEW_FRAMES,
        width=WIDTH,
    ),
    _one_changed(
        "vqgan_variants",
        "Width 8, K = 1,024, one thing changed, cold and after a warm-up",
        VARIANTS,
    ),
    _experiment(
        "vqgan_seeds",
        "Width 8, K = 1,024, cold and after a warm-up, with seeds that no other sweep has",
        Axis.warmup(0, 500),
        frames=FEW_FRAMES,
        seeds=MORE_SEEDS,
        codebook_size=CODEBOOK_SIZE,
        width=WIDTH,
    ),
    _one_changed(
        "vqgan_ablations",
        "Width 8, K = 1,024, less commitment or no replacement, cold and after a warm-up",
        ABLATIONS,
    ),
    _experiment(
        "vqgan_longer",
        "Width 8, K = 1,024, twice the steps, cold and after a warm-up of the same share",
        Axis.warmup(0, 1000),
        base=_LONG,
        frames=LONG_FRAMES,
        codebook_size=CODEBOOK_SIZE,
        width=WIDTH,
    ),
    _experiment(
        "vqgan_adaptive",
        "The adaptive rule ends the warm-up, K = 1,024",
        _WIDTHS,
        frames=FEW_FRAMES,
        rule=RULE,
        codebook_size=CODEBOOK_SIZE,
    ),
)
