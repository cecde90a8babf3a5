"""The command `python -m vqlab train`: a VQ autoencoder or VQGAN on images, on a laptop or on many GPUs, stopped and
resumed at will."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vqlab import LabError
from vqlab.commands.callbacks import cancelled_by_ctrl_c, logs, progress_bar, saver, speaks
from vqlab.commands.options import add_options, settle

if TYPE_CHECKING:
    import torch

    from vqlab.models import Autoencoder
    from vqlab.training import Settings, Trainer

INTERRUPTED = 130
_HELD_OUT_IMAGES = 512
_HELD_OUT_SHARE = 0.1
_SMALL = 32


def add_train(subcommands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subcommands.add_parser("train", help="train a VQ autoencoder or VQGAN on images and report how it did")
    add_options(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from vqlab.training import Cancelled, Trainer, launch

    chosen = settle(given)
    _check(chosen)
    settings, model = _settings(chosen), _model(chosen)
    launcher = launch(chosen.device, chosen.precision)
    images, held_out, draw = _images(chosen)
    trainer = Trainer(model, images, settings, [chosen.seed], draw, launcher=launcher)
    latents = len(images) * trainer.latents(images[:1]).shape[1]
    if latents < settings.codebook_size:
        raise LabError(
            f"{len(images)} images give {latents:,} latents, fewer than the {settings.codebook_size:,} codes: "
            "raise --images or lower --codebook-size"
        )
    _resume(trainer, chosen.checkpoint)
    try:
        with progress_bar(trainer) as bar, cancelled_by_ctrl_c() as cancel:
            trainer.run(bar, saver(chosen, trainer.step), *logs(chosen, held_out, trainer.step), cancel)
    except Cancelled:
        saved = "nothing was saved, because no --checkpoint was given"
        if chosen.checkpoint:
            trainer.save(chosen.checkpoint)
            saved = f"saved to {chosen.checkpoint}, so the same command resumes from here"
        if speaks():
            print(f"Stopped at step {trainer.step:,} of {settings.steps:,}; {saved}.", file=sys.stderr)
        return INTERRUPTED
    if chosen.checkpoint:
        trainer.save(chosen.checkpoint)
    if speaks():
        from vqlab.training.evaluation import summary

        print(summary(trainer, held_out))
        if chosen.export:
            _export(trainer, images, chosen.export)
    return 0


def _check(chosen: argparse.Namespace) -> None:
    """Refuse what cannot work before anything is read or made."""
    from vqlab.inputs import LARGEST_SEED, number, whole

    ranges = {"images": (1, 2**24), "hidden": (2, 4096), "seed": (0, LARGEST_SEED), "metrics_every": (1, 2**24)}
    ranges |= {"dim": (1, 4096), "side": (8, 4096), "save_every": (1, 2**24), "evaluate_every": (1, 2**24)}
    values = vars(chosen) | {"dim": chosen.latent_dim}
    for name, (least, most) in ranges.items():
        if values[name] is not None:
            whole(values[name], f"--{name.replace('_', '-')}", least, most)
    number(chosen.learning_rate, "--lr", above=0)
    if chosen.save_every is not None and not chosen.checkpoint:
        raise LabError("--save-every needs a file to save to: name it with --checkpoint")
    if chosen.model == "conv" and chosen.width is not None:
        raise LabError("--width is VQGAN's, and the model conv has --hidden: give that, or --model tiny")
    if chosen.export and (chosen.export.suffix != ".npz" or chosen.export.is_dir()):
        raise LabError(f"--export writes one .npz file, and {chosen.export} is none: name it FILE.npz")
    if chosen.export and not (chosen.export.parent.is_dir() and os.access(chosen.export.parent, os.W_OK)):
        raise LabError(f"--export {chosen.export} cannot be written: its folder must exist and be yours to write to")


def _settings(chosen: argparse.Namespace) -> "Settings":
    from dataclasses import fields

    from vqlab.training import Settings

    derived = {"warmup": chosen.steps // 3, "initialisation_latents": max(20_000, 20 * chosen.codebook_size)}
    given = {field.name: getattr(chosen, field.name) for field in fields(Settings)}
    return Settings(**given | {name: value for name, value in derived.items() if given[name] is None})


def _model(chosen: argparse.Namespace) -> "Autoencoder":
    """The model, and in `chosen.side` the side of its images."""
    from vqlab.models import VQGAN, ConvAutoencoder
    from vqlab.models.vqgan import CONFIGURATIONS

    if chosen.model == "conv":
        chosen.side = chosen.side or _SMALL
        return ConvAutoencoder(chosen.seed, chosen.latent_dim or 16, chosen.hidden)
    chosen.side = chosen.side or CONFIGURATIONS[chosen.model]["side"]
    changes = {"width": chosen.width, "latent_dim": chosen.latent_dim, "side": chosen.side}
    return VQGAN.of(chosen.model, chosen.seed, **{name: value for name, value in changes.items() if value is not None})


def _images(chosen: argparse.Namespace) -> "tuple[torch.Tensor, torch.Tensor, Callable | None]":
    """Images to train on and held out, as bytes (n, 3, H, W), and what draws those of a step, if not just any."""
    import torch

    from vqlab import data
    from vqlab.commands.pictures import centre_crops, random_crops, read_pictures

    count, seed, side = chosen.images, chosen.seed, chosen.side
    cifar10 = chosen.data == "cifar10" or (chosen.data is None and data.find_cifar10())
    if side != _SMALL and (cifar10 or chosen.data in ("photos", None)):
        raise LabError(
            f"these images are {_SMALL} pixels wide and the model wants {side}: give --data a folder of pictures"
        )
    if cifar10:
        found = data.cifar10("train").x[:count], data.cifar10("test").x[:_HELD_OUT_IMAGES]
    elif chosen.data in ("photos", None):
        found = data.photo_patches(count, seed).x, data.photo_patches(_HELD_OUT_IMAGES, seed + 1).x
    else:
        folder = Path(chosen.data).expanduser()
        pictures, skipped = read_pictures(folder, count + _HELD_OUT_IMAGES, seed, side, square=not chosen.augment)
        if speaks():
            print("\n".join(skipped), file=sys.stderr, end="\n" * bool(skipped))
        aside = min(_HELD_OUT_IMAGES, max(1, int(_HELD_OUT_SHARE * len(pictures))))
        found = pictures[aside:][:count], pictures[:aside]
    draw = random_crops(found[0], side) if chosen.augment else None
    if isinstance(found[0], list):
        return *(centre_crops(part, side) for part in found), draw
    return *(torch.from_numpy(part) for part in found), draw


def _resume(trainer: "Trainer", checkpoint: Path | None) -> None:
    """Go on from a checkpoint if there is one; a file that cannot be written is found out before the training."""
    import torch

    from vqlab.quantizers import ranks

    if not checkpoint:
        return
    there = torch.tensor([float(checkpoint.exists())], device=trainer.device)
    ranks.agree([there])  # or the first would have written one before the others look
    if there.item():
        trainer.load(checkpoint)
    else:
        trainer.save(checkpoint)


def _export(trainer: "Trainer", images: "torch.Tensor", path: Path) -> None:
    """Write latents (n, tokens of an image, d) and, once quantized, tokens (n, …) and the codebook (K, d)."""
    import numpy as np

    from vqlab.files import write_atomically
    from vqlab.quantizers import nearest_code

    latents = trainer.latents(images)
    arrays: dict[str, np.ndarray] = {"latents": latents.reshape(len(images), -1, latents.shape[2]).cpu().numpy()}
    if trainer.quantizing:
        codebook = trainer.quantizer.codebook.detach()
        arrays |= {
            "tokens": nearest_code(latents, codebook).reshape(len(images), -1).cpu().numpy(),
            "codebook": codebook[0].cpu().numpy(),
        }
    try:
        write_atomically(path, lambda file: np.savez(file, **arrays))
    except OSError as error:
        raise LabError(f"could not write {path} ({error.strerror}): make room or choose another file") from error
    print(f"wrote {', '.join(f'{key} {array.shape}' for key, array in arrays.items())} to {path}", file=sys.stderr)
