"""What `python -m vqlab train` can be told, by flags or in a configuration file; flags win."""

import argparse
import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vqlab import LabError


class Option(NamedTuple):
    """One setting: `--codebook-size` as a flag, `codebook_size` in a file. kind: its type, or a tuple of words."""

    name: str
    kind: type | tuple[str, ...]
    default: object
    help: str
    flags: tuple[str, ...] = ()
    metavar: str | None = None


OPTIONS = (
    Option(
        "data",
        str,
        None,
        "CIFAR-10, crops of two photographs, or a folder of your own pictures "
        "(default: cifar10 if VQLAB_DATA names it or it was downloaded, else photos)",
        metavar="cifar10|photos|FOLDER",
    ),
    Option("images", int, 20_000, "training images, at most"),
    Option("augment", bool, False, "random crops of the pictures of a folder, half of all images mirrored"),
    Option("model", ("conv", "tiny", "small", "paper"), "conv", "a convolutional autoencoder, or VQGAN in three sizes"),
    Option("side", int, None, "of the images, in pixels (default: 32, small 64, paper 128)"),
    Option(
        "latent_dim", int, None, "dimension of a latent, d (default: 16, tiny 64, small 128, paper 256)", ("--dim",)
    ),
    Option("hidden", int, 32, "channels of the convolutional autoencoder"),
    Option("width", int, None, "channels of VQGAN's first level (default: tiny 16, small 64, paper 128)"),
    Option("codebook_size", int, 512, "codes in the codebook, K"),
    Option("steps", int, 3000, "training steps in all, warm-up included"),
    Option("warmup", int, None, "steps as a plain autoencoder first (default: a third of --steps)"),
    Option("batch_size", int, 32, "images per step, of all processes together"),
    Option("learning_rate", float, 2e-3, "learning rate, constant", ("--lr",)),
    Option("optimizer", ("adamw", "adam", "sgd"), "adamw", "adam has VQGAN's betas (0.5, 0.9)"),
    Option("loss", ("mse", "l1", "l1+perceptual"), "mse", "error of a reconstruction"),
    Option("perceptual_weight", float, 1.0, "weight of the perceptual distance"),
    Option("update", ("ema", "gradient"), "ema", "how the codes learn"),
    Option("decay", float, 0.99, "of the running means that EMA codes follow, and of usage counts"),
    Option("commitment_weight", float, 0.25, "pulls latents towards their codes"),
    Option("codebook_weight", float, 1.0, "pulls codes that learn by gradient towards their latents"),
    Option("replace_below", float, None, "replace codes used less than this share of the mean use (default: none)"),
    Option("initialisation", str, "kmeans", "of the codebook, at the end of the warm-up"),
    Option("initialisation_latents", int, None, "latents it sees (default: 20,000, and at least 20 a code)"),
    Option("discriminator_start", int, None, "step from which a discriminator takes part (default: never)"),
    Option("discriminator_weight", float, 0.8, "its weight"),
    Option("seed", int, 0, "decides weights, batches and codes"),
    Option("device", ("auto", "cpu", "cuda"), "auto", "auto takes a CUDA GPU if there is one"),
    Option("precision", ("float32", "bfloat16"), None, "of the networks' products (default: bfloat16 on such a GPU)"),
    Option("checkpoint", Path, None, "save here at the end or at Ctrl-C, resume if it exists"),
    Option("save_every", int, None, "save to --checkpoint every N steps, too", metavar="N"),
    Option("metrics", Path, None, "a folder for metrics.jsonl and TensorBoard's files", metavar="FOLDER"),
    Option("metrics_every", int, 50, "steps between two lines there"),
    Option("evaluate_every", int, 1000, "steps between two looks at images held out"),
    Option(
        "export",
        Path,
        None,
        "write latents, tokens and codebook of the training images here",
        metavar="FILE.npz",
    ),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """A flag for every option, and `--config`. What is not given stays out of the namespace."""
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="options from a file; flags win")
    for option in OPTIONS:
        flags = [f"--{option.name.replace('_', '-')}", *option.flags]
        shown = f"{option.help}{'' if option.default is None else f' (default: {option.default})'}".replace("%", "%%")
        how: dict = {"dest": option.name, "default": argparse.SUPPRESS, "help": shown}
        if option.kind is bool:
            how["action"] = argparse.BooleanOptionalAction
        elif isinstance(option.kind, tuple):
            how["choices"] = option.kind
        else:
            how |= {"type": option.kind, "metavar": option.metavar}
        parser.add_argument(*flags, **how)


def settle(given: argparse.Namespace) -> argparse.Namespace:
    """Every option's value: the flag's, or else the file's, or else the default.

    Raises: LabError if the file cannot be read, or names an unknown option or a value of another kind.
    """
    file = {} if given.config is None else read_config(given.config)
    return argparse.Namespace(**({option.name: option.default for option in OPTIONS} | file | vars(given)))


def read_config(path: Path) -> dict[str, object]:
    """The options that a TOML file sets.   Raises: LabError as `settle`."""
    try:
        with open(path, "rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise LabError(f"the configuration {path} cannot be read ({error.strerror}): mend the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LabError(f"the configuration {path} is no TOML ({error}): mend that line") from None
    known = {option.name: option for option in OPTIONS}
    for name in found.keys() - known.keys():
        raise LabError(f"{path} sets the unknown option '{name}': {_hint(name, list(known))}")
    return {name: _value(value, known[name], path) for name, value in found.items()}


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else "`python -m vqlab train --help` lists them, - in a flag is _ here"


def _value(value: object, option: Option, path: Path) -> object:
    if isinstance(option.kind, tuple):
        if value in option.kind:
            return value
        raise LabError(f"{option.name} in {path} cannot be {value!r}: choose from {', '.join(option.kind)}")
    wanted = {Path: str, float: (int, float)}.get(option.kind, option.kind)
    if not isinstance(value, wanted) or (isinstance(value, bool) and option.kind is not bool):
        kinds = {bool: "true or false", int: "a whole number", float: "a number"}
        raise LabError(f"{option.name} in {path} must be {kinds.get(option.kind, 'text')}, got {value!r}")
    return option.kind(value)
