"""The command line: `python -m vqlab doctor`, `train`, `sweep`, `download`; for teachers `assignment`, `grade`, `pack`.

A subcommand is one function that adds its parser and sets `run`, and its name in COMMANDS.
Exit status: 0 done, 1 something cannot work (one sentence on stderr says what), 2 wrong usage, 130 stopped by Ctrl-C.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vqlab import LabError, labs
from vqlab.classroom.cli import add_assignment, add_grade, add_pack
from vqlab.sweeps.command import add_sweep

if TYPE_CHECKING:
    import numpy as np

    from vqlab.training import Trainer

INTERRUPTED = 130
_HELD_OUT_IMAGES = 512
_LEAST = {"images": 1, "dim": 1, "hidden": 2, "seed": 0}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with `arguments` (default: those of this process). Returns the exit status."""
    parser = argparse.ArgumentParser(prog="vqlab", description="A teaching lab on collapse in vector quantization.")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command(subcommands)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen)
    except LabError as error:
        print(f"vqlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("vqlab: stopped", file=sys.stderr)
        return INTERRUPTED


def _doctor(subcommands: argparse._SubParsersAction) -> None:
    parser = subcommands.add_parser("doctor", help="check that everything the labs need is here and works")

    def run(_: argparse.Namespace) -> int:
        from vqlab import doctor

        return doctor.main()

    parser.set_defaults(run=run)


def _train(subcommands: argparse._SubParsersAction) -> None:
    parser = subcommands.add_parser("train", help="train a VQ autoencoder on small real images and report how it did")

    def number(name: str, default: int, help: str) -> None:
        parser.add_argument(name, type=int, default=default, help=f"{help} (default: {default})")

    parser.add_argument(
        "--data",
        choices=["cifar10", "photos"],
        help="CIFAR-10, or crops of two photographs (default: cifar10 if VQLAB_DATA names it or it was downloaded)",
    )
    number("--images", 20_000, "training images, at most")
    number("--codebook-size", 512, "codes in the codebook, K")
    number("--dim", 16, "dimension of a latent, d")
    number("--hidden", 32, "channels of the encoder and decoder")
    number("--steps", 3000, "training steps in all, warm-up included")
    parser.add_argument("--warmup", type=int, help="steps as a plain autoencoder first (default: a third of --steps)")
    number("--batch-size", 32, "images per step")
    number("--seed", 0, "decides weights, batches and codes")
    parser.add_argument("--checkpoint", type=Path, help="save here at the end or at Ctrl-C, resume if it exists")
    parser.set_defaults(run=_run_training)


def _run_training(chosen: argparse.Namespace) -> int:
    import torch

    from vqlab.models import ConvAutoencoder
    from vqlab.training import Cancelled, Settings, Trainer

    for name, least in _LEAST.items():
        if (given := getattr(chosen, name)) < least:
            raise LabError(f"--{name} must be at least {least}, got {given}")
    settings = Settings(
        codebook_size=chosen.codebook_size,
        steps=chosen.steps,
        warmup=chosen.steps // 3 if chosen.warmup is None else chosen.warmup,
        batch_size=chosen.batch_size,
        initialisation_latents=max(20_000, 20 * chosen.codebook_size),
    )
    images, held_out = map(torch.from_numpy, _images(chosen.data, chosen.images, chosen.seed))
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
            trainer.run(bar, cancel)
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
    return 0


def _images(source: str | None, count: int, seed: int) -> tuple["np.ndarray", "np.ndarray"]:
    from vqlab import data

    if source == "cifar10" or (source is None and data.find_cifar10()):
        return data.cifar10("train").x[:count], data.cifar10("test").x[:_HELD_OUT_IMAGES]
    return data.photo_patches(count, seed).x, data.photo_patches(_HELD_OUT_IMAGES, seed + 1).x


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


def _summary(trainer: "Trainer", held_out: "np.ndarray") -> str:
    from vqlab import measures

    reconstruction, tokens = trainer.reconstruct(held_out)
    error = measures.mean_squared_error(held_out.numpy() / 255, reconstruction.numpy()).item()
    dimension = measures.effective_dimension(trainer.latents(held_out).numpy()).item()
    parts = [f"reconstruction error {error:.5f} (PSNR {measures.psnr(error):.1f} dB)"]
    if tokens is None:
        return " · ".join([*parts, f"effective dimension {dimension} (encoder output); not quantized"])
    k = trainer.settings.codebook_size
    counts = measures.code_usage(tokens.numpy(), k)
    codebook_dimension = measures.effective_dimension(trainer.quantizer.codebook.detach().numpy()).item()
    parts += [
        f"perplexity {measures.perplexity(counts).item():.0f} of {k:,} at {tokens.numel():,} tokens",
        f"active codes {measures.active_codes(counts).item():,}",
        f"effective dimension {dimension} (encoder output) / {codebook_dimension} (codebook)",
    ]
    return " · ".join(parts)


def _sweep(subcommands: argparse._SubParsersAction) -> None:
    add_sweep(subcommands, lambda: labs.experiments())  # found when the command runs


def _download(subcommands: argparse._SubParsersAction) -> None:
    parser = subcommands.add_parser("download", help="fetch CIFAR-10 (170 MB); interrupted, the same command goes on")
    parser.add_argument("name", choices=["cifar10"])
    parser.add_argument("--folder", type=Path, help="where to (default: VQLAB_DATA if set, else the labs' cache)")
    parser.set_defaults(run=_run_download)


def _run_download(chosen: argparse.Namespace) -> int:
    from vqlab.data import download, find_cifar10

    try:
        folder = download.download_cifar10(chosen.folder)
    except KeyboardInterrupt:
        print("Stopped; what has arrived is kept, so the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    hint = "" if folder == find_cifar10() else f"; set VQLAB_DATA={folder}, so that it is found there"
    print(f"CIFAR-10 is in {folder}{hint}")
    return 0


COMMANDS = (_doctor, _train, _sweep, _download, add_assignment, add_grade, add_pack)

if __name__ == "__main__":
    sys.exit(main())
