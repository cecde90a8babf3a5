"""Lab 03: both collapses on CIFAR-10, with a convolutional autoencoder, as arXiv 2411.16550 has them on real images."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from vqlab.data import Samples, cifar10, photo_patches
from vqlab.labs.lab03 import codecs
from vqlab.labs.lab03.readings import CODEBOOK_SIZE, WIDTH
from vqlab.sweeps import Arrays, Axis, Experiment
from vqlab.sweeps.images import ImageRecorder, patches_of
from vqlab.sweeps.recorder import Snapshot, packed
from vqlab.sweeps.threads import one_thread

if TYPE_CHECKING:
    from vqlab.training import Trainer

SEEDS = (0, 1, 2)
HEADLINE = ("mse", "perplexity", "latent_dim")
FRAMES = (0, 250, 500, 1000, 2000, 3000)
LATENT_DIM = 64
_SETTING = {
    "steps": 3000,
    "batch_size": 32,
    "learning_rate": 1e-3,
    "optimizer": "adamw",
    "decay": 0.99,
    "commitment_weight": 0.25,
    "replace_below": None,
    "initialisation_latents": 32_768,
}
_LONGER = _SETTING | {"steps": 6000}
_LONGER_FRAMES = (*FRAMES, 4000, 5000, 6000)
_TRAINING, _HELD_OUT = 20_000, 1000
# The probe learns from the first training images and is judged on the held-out ones.
_PROBE = 3000
# Pictures are of crops of photographs: no image of the data set is stored. Those of the first seed only.
_PATCHES, _DRAWN = 6, 256

# What is changed at K = 1,024 and width 32.
VARIANTS = {
    "β = 1, replacement": {"commitment_weight": 1.0, "replace_below": 0.1},
    "4×4 tokens, β = 1, replacement": {"downsampling": 8, "commitment_weight": 1.0, "replace_below": 0.1},
    "L1 loss": {"loss": "l1"},
    "width 8, leaky ReLU": {"hidden": 8, "activation": "leaky relu"},
    "width 4": {"hidden": 4},
    "width 16": {"hidden": 16},
    "random latents": {"initialisation": "latents"},
    "β = 1": {"commitment_weight": 1.0},
    "replacement": {"replace_below": 0.1},
    "width 4, leaky ReLU": {"hidden": 4, "activation": "leaky relu"},
    "random codes": {"initialisation": "normal:1"},
}
_OF_THE_MODEL = {"hidden", "activation", "downsampling"}
_COMMON = {
    "latent_dim": LATENT_DIM,
    "training": _TRAINING,
    "held_out": _HELD_OUT,
    "probe": _PROBE,
    "patches": _PATCHES,
    "frames": list(FRAMES),
    "images": "CIFAR-10 as a third party's JPEG copy, median PSNR 30.5 dB to the originals",
}


@cache
def images() -> tuple[Samples, Samples]:
    """The images trained on and those held out."""
    train, test = cifar10("train"), cifar10("test")
    parts = (train, _TRAINING), (test, _HELD_OUT)
    return tuple(Samples(whole.x[:n].copy(), whole.y[:n]) for whole, n in parts)


class ProbeRecorder(ImageRecorder):
    """An image recorder that also tells the three collapses apart.

    Of the end alone, probe_latents and probe_tokens (seeds,): held-out accuracy of a linear classifier of the classes.
    """

    def __init__(self, steps: Sequence[int], held_out: Samples, training: Samples) -> None:
        super().__init__(steps, held_out.x)
        self.held_out, self.training = held_out, training

    def cell(self) -> Arrays:
        trainer = self.last.trainer
        return super().cell() | self._probes(trainer)

    def _probes(self, trainer) -> Arrays:
        import torch

        sets = (Samples(self.training.x[:_PROBE], self.training.y[:_PROBE]), self.held_out)
        latents, quantized = [], []
        for samples in sets:
            z = trainer.latents(torch.from_numpy(samples.x))
            codebook, tokens = trainer.quantizer.codebook, trainer.reconstruct(torch.from_numpy(samples.x))[1]
            latents.append(z[0].reshape(len(samples.x), -1).numpy())
            quantized.append(codebook[0][tokens[0]].detach().reshape(len(samples.x), -1).numpy())
        labels = [samples.y for samples in sets]
        return {"probe_latents": _accuracy(latents, labels), "probe_tokens": _accuracy(quantized, labels)}


def _accuracy(features: Sequence[np.ndarray], labels: Sequence[np.ndarray]) -> np.ndarray:
    """Held-out accuracy of a ridge classifier on standardised features (n, p) of training and held-out images: (1,)."""
    from sklearn.linear_model import RidgeClassifier

    mean, deviation = features[0].mean(0), features[0].std(0)
    fitted, judged = ((x - mean) / np.where(deviation > 1e-6, deviation, np.inf) for x in features)
    probe = RidgeClassifier(alpha=features[0].shape[1]).fit(fitted, labels[0])
    return np.array([probe.score(judged, labels[1])], np.float32)


def _pictures(look: Snapshot) -> Arrays:
    """What is drawn of one training: patches, photographs after the detour by tokens; how often each code is used (K,);
    latents and codebook along the first two principal axes of the latents."""
    latents = look.latents[0].astype(float)
    middle = latents.mean(0)
    axes = np.linalg.eigh(np.cov(latents.T))[1][:, ::-1][:, :2]  # (d, 2)
    shown = packed({"latents": (latents[:_DRAWN] - middle) @ axes, "codebook": (look.codebook[0] - middle) @ axes})
    return shown | {
        "patches": patches_of(look.trainer, photo_patches(_PATCHES).x),
        "usage": look.counts[0].astype(np.uint16),
    }


def train_images(
    position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict, frames: Sequence[int]
) -> Arrays:
    """Train on CIFAR-10 at a position (warmup and, if given, codebook_size, width, variant), one seed after the other.

    Raises: LabError if CIFAR-10 is not there.
    """
    training, held_out = images()
    cells, pictures = [], {}
    with one_thread():
        for seed in seeds:
            recorder = ProbeRecorder(frames, held_out, training)
            trainer(position, seed, base).run(recorder, *callbacks)
            cells.append(recorder.cell())
            pictures = pictures or _pictures(recorder.last)
    numbers = {key: np.concatenate([cell[key] for cell in cells]) for key in cells[0]}
    return numbers | pictures


def trainer(position: dict, seed: int, base: dict = _SETTING) -> "Trainer":
    """An untrained `Trainer` at a position of `train_images`."""
    import torch

    from vqlab.models import ConvAutoencoder
    from vqlab.training import Settings, Trainer

    variant = VARIANTS.get(position.get("variant"), {})
    changed = {key: value for key, value in variant.items() if key not in _OF_THE_MODEL}
    codebook_size = position.get("codebook_size", CODEBOOK_SIZE)
    settings = Settings(codebook_size=codebook_size, warmup=position["warmup"], **base | changed)
    shape = {"hidden": position.get("width", WIDTH)} | {key: variant[key] for key in variant.keys() & _OF_THE_MODEL}
    model = ConvAutoencoder(seed, LATENT_DIM, **shape)
    return Trainer(model, torch.from_numpy(images()[0].x), settings, [seed])


def measure_codecs(position: dict, seeds: Sequence[int], *_: Callable) -> Arrays:
    """Bits per pixel and error of a codec at each of its settings, on the held-out images; nothing is trained.

    Raises: LabError if CIFAR-10 is not there.
    """
    rate, error = codecs.rate_and_error(position["codec"], images()[1].x)
    return {"rate": np.tile(rate, (len(seeds), 1)), "mse": np.tile(error, (len(seeds), 1))}


EXPERIMENTS = (
    Experiment(
        name="images_collapse",
        title="A convolutional VQ autoencoder on CIFAR-10: warm-up × codebook size × encoder width",
        axes=(
            Axis.warmup(0, 250, 1000),
            Axis.codebook_size(64, 256, 1024, 4096),
            Axis("width", "encoder width", (8, 32), "channels"),
        ),
        seeds=SEEDS,
        settings=_SETTING | _COMMON,
        run=partial(train_images, base=_SETTING, frames=FRAMES),
        headline=HEADLINE,
    ),
    Experiment(
        name="images_variants",
        title="The same at K = 1,024 and width 32, with one setting changed",
        axes=(
            Axis("variant", "what is changed", tuple(VARIANTS)),
            Axis.warmup(0, 1000),
        ),
        seeds=SEEDS,
        settings=_SETTING | _COMMON | {"variants": VARIANTS},
        run=partial(train_images, base=_SETTING, frames=FRAMES),
        headline=HEADLINE,
    ),
    Experiment(
        name="images_longer",
        title="The same with few codes and twice the steps",
        axes=(
            Axis.warmup(0, 250, 1000),
            Axis.codebook_size(64),
        ),
        seeds=SEEDS,
        settings=_LONGER | _COMMON | {"frames": list(_LONGER_FRAMES)},
        run=partial(train_images, base=_LONGER, frames=_LONGER_FRAMES),
        headline=HEADLINE,
    ),
    Experiment(
        name="images_codecs",
        title="JPEG and plain downsampling on the same held-out images",
        axes=(Axis("codec", "codec", codecs.CODECS),),
        seeds=(0,),
        settings={
            "qualities": codecs.QUALITIES,
            "sides": codecs.SIDES,
            "columns": codecs.COLUMNS,
            "held_out": _HELD_OUT,
            "images": _COMMON["images"],
        },
        run=measure_codecs,
        headline=("rate", "mse"),
    ),
)
