"""The command `python -m vqlab train`: a convolutional VQ autoencoder on images, stopped and resumed at will."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vqlab import LabError

if TYPE_CHECKING:
    import torch

    from vqlab.training import Trainer

INTERRUPTED = 130
_HELD_OUT_IMAGES = 512
_HELD_OUT_SHARE = 0.1


def add_train(subcommands: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subcommands.add_parser("train", help="train a VQ autoencoder on small real images and report how it did")

    def number(name: str, default: float, help: str) -> None:
        parser.add_argument(name, type=type(default), default=default, help=f"{help} (default: {default})")

    parser.add_argument(
        "--data",
        metavar="cifar10|photos|FOLDER",
        help="CIFAR-10, crops of two photographs, or a folder of your own pictures "
        "(default: cifar10 if VQLAB_DATA names it or it was downloaded, else photos)",
    )
    number("--images", 20_000, "training images, at most")
    number("--codebook-size", 512, "codes in the codebook, K")
    number("--dim", 16, "dimension of a latent, d")
    number("--hidden", 32, "channels of the encoder and decoder")
    number("--steps", 3000, "training steps in all, warm-up included")
    parser.add_argument("--warmup", type=int, help="steps as a plain autoencoder first (default: a third of --steps)")
    number("--batch-size", 32, "images per step")
    number("--lr", 2e-3, "learning rate")
    number("--seed", 0, "decides weights, batches and codes")
    parser.add_argument("--checkpoint", type=Path, help="save here at the end or at Ctrl-C, resume if it exists")
    parser.add_argument("--save-every", type=int, metavar="N", help="save to --checkpoint every N steps, too")
    parser.add_argument(
        "--export", type=Path, metavar="FILE.npz", help="write latents, tokens and codebook of the training images here"
    )
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    from vqlab.models import ConvAutoencoder
    from vqlab.training import Cancelled, Settings, Trainer

    _check(chosen)
    settings = Settings(
        codebook_size=chosen.codebook_size,
        steps=chosen.steps,
        warmup=chosen.steps // 3 if chosen.warmup is None else chosen.warmup,
        batch_size=chosen.batch_size,
        learning_rate=chosen.lr,
        initialisation_latents=max(20_000, 20 * chosen.codebook_size),
    )
    images, held_out = _images(chosen)
    model = ConvAutoencoder(chosen.seed, chosen.dim, chosen.hidden)
    trainer = Trainer(model, images, settings, [chosen.seed])
    latents = len(images) * trainer.latents(images[:1]).shape[1]
    if latents < settings.codebook_size:
        raise LabError(
            f"{len(images)} images give {latents:,} latents, fewer than the {settings.codebook_size:,} codes: "
            "raise --images or lower --codebook-size"
        )
    if chosen.checkpoint and chosen.checkpoint.exists():
        trainer.load(chosen.checkpoint)
    elif chosen.checkpoint:
        trainer.save(chosen.checkpoint)  # a file that cannot be written is found out before the training
    try:
        with _progress_bar(trainer) as bar, _cancelled_by_ctrl_c() as cancel:
            trainer.run(bar, _save_every(chosen, trainer.step), cancel)
    except Cancelled:
        saved = "nothing was saved, because no --checkpoint was given"
        if chosen.checkpoint:
            trainer.save(chosen.checkpoint)
            saved = f"saved to {chosen.checkpoint}, so the same command resumes from here"
        print(f"Stopped at step {trainer.step:,} of {settings.steps:,}; {saved}.", file=sys.stderr)
        return INTERRUPTED
    if chosen.checkpoint:
        trainer.save(chosen.checkpoint)
    print(_summary(trainer, held_out))
    if chosen.export:
        _export(trainer, images, chosen.export)
    return 0


def _check(chosen: argparse.Namespace) -> None:
    """Refuse what cannot work before anything is read or made."""
    from vqlab.inputs import LARGEST_SEED, number, whole

    ranges = {"images": (1, 2**24), "dim": (1, 4096), "hidden": (2, 4096), "seed": (0, LARGEST_SEED)}
    for name, (least, most) in ranges.items():
        whole(getattr(chosen, name), f"--{name}", least, most)
    number(chosen.lr, "--lr", above=0)
    if chosen.save_every is not None:
        whole(chosen.save_every, "--save-every")
        if not chosen.checkpoint:
            raise LabError("--save-every needs a file to save to: name it with --checkpoint")
    if chosen.export and (chosen.export.suffix != ".npz" or chosen.export.is_dir()):
        raise LabError(f"--export writes one .npz file, and {chosen.export} is none: name it FILE.npz")
    if chosen.export and not (chosen.export.parent.is_dir() and os.access(chosen.export.parent, os.W_OK)):
        raise LabError(f"--export {chosen.export} cannot be written: its folder must exist and be yours to write to")


def _images(chosen: argparse.Namespace) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Images to train on and images held out, as bytes (n, 3, H, W)."""
    import torch

    from vqlab import data
    from vqlab.commands.pictures import read_pictures

    count, seed = chosen.images, chosen.seed
    if chosen.data == "cifar10" or (chosen.data is None and data.find_cifar10()):
        found = data.cifar10("train").x[:count], data.cifar10("test").x[:_HELD_OUT_IMAGES]
    elif chosen.data in ("photos", None):
        found = data.photo_patches(count, seed).x, data.photo_patches(_HELD_OUT_IMAGES, seed + 1).x
    else:
        pictures, skipped = read_pictures(Path(chosen.data).expanduser(), count + _HELD_OUT_IMAGES, seed)
        for line in skipped:
            print(line, file=sys.stderr)
        aside = min(_HELD_OUT_IMAGES, max(1, int(_HELD_OUT_SHARE * len(pictures))))
        found = pictures[aside:][:count], pictures[:aside]
    images, held_out = map(torch.from_numpy, found)
    return images, held_out


@contextmanager
def _progress_bar(trainer: "Trainer") -> Iterator[Callable[["Trainer"], None]]:
    from tqdm import tqdm

    with tqdm(total=trainer.settings.steps, initial=trainer.step, unit="step", file=sys.stderr) as bar:

        def show(trainer: "Trainer") -> None:
            phase = "quantized" if trainer.quantizing else "warm-up"
            bar.set_description(phase, refresh=not bar.desc.startswith(phase))
            bar.set_postfix(loss=f"{trainer.losses.item():.4f}", refresh=False)
            bar.update(trainer.step - bar.n)

        yield show


def _save_every(chosen: argparse.Namespace, saved_at: int) -> Callable[["Trainer"], None]:
    def save(trainer: "Trainer") -> None:
        if chosen.save_every and trainer.step % chosen.save_every == 0 and trainer.step != saved_at:
            trainer.save(chosen.checkpoint)

    return save


@contextmanager
def _cancelled_by_ctrl_c() -> Iterator[Callable[["Trainer"], None]]:
    """A callback that stops the training between two steps after a first Ctrl-C; a second one stops at once."""
    from vqlab.training import Cancelled

    pressed = False

    def press(number: int, frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def stop_if_pressed(trainer: "Trainer") -> None:
        if pressed:
            raise Cancelled

    before = signal.signal(signal.SIGINT, press)
    try:
        yield stop_if_pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _summary(trainer: "Trainer", held_out: "torch.Tensor") -> str:
    from vqlab import measures

    reconstruction, tokens = trainer.reconstruct(held_out)
    error = measures.mean_squared_error(held_out.numpy() / 255, reconstruction).item()
    dimension = measures.effective_dimension(trainer.latents(held_out)).item()
    parts = [f"reconstruction error {error:.5f} (PSNR {measures.psnr(error):.1f} dB)"]
    if tokens is None:
        return " · ".join([*parts, f"effective dimension {dimension} (encoder output); not quantized"])
    k, codebook = trainer.settings.codebook_size, trainer.quantizer.codebook
    counts = measures.code_usage(tokens, k)
    all_codes, used = measures.effective_dimension(codebook).item(), measures.used_dimension(codebook, counts).item()
    parts += [
        f"perplexity {measures.perplexity(counts).item():.0f} of {k:,} at {tokens.numel():,} tokens",
        f"active codes {measures.active_codes(counts).item():,}",
        f"effective dimension {dimension} (encoder output) / {all_codes} (codebook) / {used} (codes in use)",
    ]
    return " · ".join(parts)


def _export(trainer: "Trainer", images: "torch.Tensor", path: Path) -> None:
    """Write latents (n, tokens of an image, d) and, once quantized, tokens (n, …) and the codebook (K, d)."""
    import numpy as np

    from vqlab.files import write_atomically
    from vqlab.quantizers import nearest_code

    latents = trainer.latents(images)
    arrays: dict[str, np.ndarray] = {"latents": latents.reshape(len(images), -1, latents.shape[2]).numpy()}
    if trainer.quantizing:
        codebook = trainer.quantizer.codebook.detach()
        arrays |= {
            "tokens": nearest_code(latents, codebook).reshape(len(images), -1).numpy(),
            "codebook": codebook[0].numpy(),
        }
    try:
        write_atomically(path, lambda file: np.savez(file, **arrays))
    except OSError as error:
        raise LabError(f"could not write {path} ({error.strerror}): make room or choose another file") from error
    print(f"wrote {', '.join(f'{key} {array.shape}' for key, array in arrays.items())} to {path}", file=sys.stderr)
