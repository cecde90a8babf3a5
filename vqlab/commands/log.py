"""What a training leaves behind while it runs: a line of JSON for every so many steps, and TensorBoard's files."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vqlab import LabError
from vqlab.files import write_atomically
from vqlab.training.evaluation import evaluate

if TYPE_CHECKING:
    import torch

    from vqlab.training import Trainer

NAME = "metrics.jsonl"
_SHOWN = 8


class Log:
    """A callback for `Trainer.run` that writes FOLDER/metrics.jsonl and, with tensorboardX, TensorBoard's files.

    Each line has step, phase, loss and images_per_second; every `evaluate_every` steps also what `evaluate` says of
    the images held out. A log of an earlier run goes on at `step`: what lies behind it is taken out.
    Raises: LabError if the folder cannot be written.
    """

    def __init__(self, folder: Path, every: int, evaluate_every: int, held_out: "torch.Tensor", step: int) -> None:
        self.every, self.evaluate_every, self.held_out = every, evaluate_every, held_out
        self.path, self.since = folder / NAME, (step, time.perf_counter())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            kept = "".join(f"{json.dumps(line)}\n" for line in read(self.path) if line["step"] < step)
            write_atomically(self.path, lambda file: file.write(kept.encode()))
            self.writer = _tensorboard(folder, step)
        except OSError as error:
            raise LabError(f"--metrics {folder} cannot be written ({error.strerror}): choose another folder") from error

    def __call__(self, trainer: "Trainer") -> None:
        looked = trainer.step and (trainer.step % self.evaluate_every == 0 or trainer.step == trainer.settings.steps)
        if not looked and (trainer.step % self.every or not trainer.step):
            return
        step, now = trainer.step, time.perf_counter()
        images = (step - self.since[0]) * trainer.settings.batch_size
        phase = "quantized" if trainer.quantizing else "warm-up"
        line = {"step": step, "phase": phase, "loss": trainer.losses.item()}
        line["images_per_second"] = round(images / (now - self.since[1]), 1)
        if looked:
            line |= evaluate(trainer, self.held_out)
        with open(self.path, "a") as file:
            file.write(f"{json.dumps(line)}\n")
        if self.writer:
            self._draw(trainer, line, bool(looked))
        self.since = (step, time.perf_counter())

    def _draw(self, trainer: "Trainer", line: dict, looked: bool) -> None:
        for name, value in line.items():
            if isinstance(value, float | int) and name != "step":
                self.writer.add_scalar(name, value, trainer.step)
        if looked:
            shown = self.held_out[:_SHOWN]
            self.writer.add_images("held_out", shown.numpy(), trainer.step)
            self.writer.add_images(
                "reconstructed", trainer.reconstruct(shown)[0][0].clamp(0, 1).cpu().numpy(), trainer.step
            )
        self.writer.flush()


def read(path: Path) -> list[dict]:
    """The lines of a log; one that a kill has cut off does not count."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def _tensorboard(folder: Path, step: int):
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        print(f"{folder} gets {NAME} alone; TensorBoard's files need: pip install 'vqlab[train]'", file=sys.stderr)
        return None
    return SummaryWriter(str(folder), purge_step=step)
