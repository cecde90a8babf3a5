"""Trains the small classifier behind the perceptual distance, and stores it in half precision.

python -m vqlab.training.classifier    retrains and stores it (CIFAR-10 must be there; four minutes of one core)
"""

import hashlib
import json
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vqlab import data
from vqlab.models.classifier import COMMAND, NAME, WIDTHS, Classifier, home

RECIPE = {"epochs": 4, "batch_size": 128, "learning_rate": 0.01, "weight_decay": 5e-4, "flips": 0.5, "seed": 0}


def train(x: Tensor, y: Tensor, recipe: dict | None = None) -> Classifier:
    """A classifier of images x (n, 3, 32, 32) uint8 with labels y (n,), frozen and without normalisation layers.

    AdamW whose learning rate rises and falls once (Smith & Topin 2017, arXiv 1708.07120); half of the images mirrored.
    """
    recipe = RECIPE | (recipe or {})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe["seed"])
        network = Classifier(norms=True).to(memory_format=torch.channels_last)  # in a third less time
    generator = torch.Generator().manual_seed(recipe["seed"])
    batches = -(-len(x) // recipe["batch_size"])
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=recipe["weight_decay"], fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe["learning_rate"], total_steps=recipe["epochs"] * batches
    )
    for epoch in range(recipe["epochs"]):
        for number, rows in enumerate(torch.randperm(len(x), generator=generator).split(recipe["batch_size"])):
            images = (x[rows] / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            mirrored = torch.rand(len(rows), 1, 1, 1, generator=generator) < recipe["flips"]
            images = torch.where(mirrored, images.flip(3), images)
            loss = nn.functional.cross_entropy(network(images), y[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            if number % 50 == 0:
                print(f"\repoch {epoch + 1}, batch {number}: loss {loss.item():.2f}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return network.eval().folded()


@torch.no_grad()
def accuracy(network: Classifier, x: Tensor, y: Tensor) -> float:
    """Share of images x (n, 3, 32, 32) uint8 that get their label."""
    answers = torch.cat([network(part / 127.5 - 1).argmax(1) for part in x.split(500)])
    return (answers == y).float().mean().item()


def store(network: Classifier, described: dict, folder: Path) -> Path:
    """Write the weights in half precision, and beside them what they are."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    raw = save({name: tensor.half().contiguous() for name, tensor in network.state_dict().items()})
    path = folder / f"{NAME}.safetensors"
    path.write_bytes(raw)
    path.with_suffix(".json").write_text(
        json.dumps(described | {"sha256": hashlib.sha256(raw).hexdigest()}, indent=1) + "\n"
    )
    return path


def main(folder: Path | None = None) -> None:
    """Train it on CIFAR-10's training images, judge it on the test images, and store it."""
    torch.set_num_threads(1)
    sets = [data.cifar10(split) for split in ("train", "test")]
    (x, y), (held_out, labels) = ((torch.from_numpy(s.x), torch.from_numpy(s.y.astype(np.int64))) for s in sets)
    began = time.process_time()
    network = train(x, y)
    seconds = time.process_time() - began
    right = accuracy(network, held_out, labels)
    described = {
        "what": "a small classifier of CIFAR-10, for the perceptual distance and the Fréchet distance of Lab 05",
        "command": COMMAND,
        "recipe": RECIPE | {"widths": WIDTHS, "images": len(x)},
        "test_accuracy": right,
        "core_seconds": round(seconds),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    print(f"stored {store(network, described, folder or home())}: {100 * right:.1f} % of the test images right")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
