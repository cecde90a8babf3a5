"""What `python -m vqlab train` does between two steps: show how far it is, log, save, and stop when it is asked to."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from vqlab.training import Trainer

# Between two of these the bar stands still, and processes do not ask each other whether to stop.
_STEPS_BETWEEN_LOOKS = 10


def speaks() -> bool:
    """Whether this process speaks and writes for all that train together."""
    from vqlab.quantizers import ranks

    return ranks.own() == 0


def logs(chosen: argparse.Namespace, held_out: "torch.Tensor", step: int) -> list[Callable[["Trainer"], None]]:
    """The log of a training that goes on at a step, if one is wanted and this process is to write it."""
    from vqlab.commands.log import Log

    if chosen.metrics is None or not speaks():
        return []
    return [Log(chosen.metrics, chosen.metrics_every, chosen.evaluate_every, held_out, step)]


@contextmanager
def progress_bar(trainer: "Trainer") -> Iterator[Callable[["Trainer"], None]]:
    """A callback that shows on stderr how far the training is."""
    from tqdm import tqdm

    steps = trainer.settings.steps
    with tqdm(total=steps, initial=trainer.step, unit="step", file=sys.stderr, disable=not speaks()) as bar:

        def show(trainer: "Trainer") -> None:
            if bar.disable or (trainer.step % _STEPS_BETWEEN_LOOKS and trainer.step < steps):
                return
            phase = "quantized" if trainer.quantizing else "warm-up"
            bar.set_description(phase, refresh=not bar.desc.startswith(phase))
            bar.set_postfix(loss=f"{trainer.losses.item():.4f}", refresh=False)
            bar.update(trainer.step - bar.n)

        yield show


def saver(chosen: argparse.Namespace, saved_at: int) -> Callable[["Trainer"], None]:
    """A callback that saves in between, as often as is wanted; saved_at: the step already saved."""

    def save(trainer: "Trainer") -> None:
        if chosen.save_every and trainer.step % chosen.save_every == 0 and trainer.step != saved_at:
            trainer.save(chosen.checkpoint)

    return save


@contextmanager
def cancelled_by_ctrl_c() -> Iterator[Callable[["Trainer"], None]]:
    """A callback that stops the training between two steps after a first Ctrl-C; a second one stops at once."""
    import torch

    from vqlab.quantizers import ranks
    from vqlab.training import Cancelled

    pressed = False

    def press(number: int, frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def stop_if_pressed(trainer: "Trainer") -> None:
        stop = pressed
        if ranks.count() > 1:  # all at the same step
            asked = trainer.step % _STEPS_BETWEEN_LOOKS == 0
            stop = asked and ranks.mean(torch.tensor([float(pressed)], device=trainer.device)).item() > 0
        if stop:
            raise Cancelled

    before = signal.signal(signal.SIGINT, press)
    try:
        yield stop_if_pressed
    finally:
        signal.signal(signal.SIGINT, before)
