"""Trained tokenizers for the corners of Lab 03's grid, stored in half precision, so that anybody can encode an image.

python -m vqlab.labs.lab03.checkpoints    retrains and stores them (CIFAR-10 must be there; minutes)
"""

import hashlib
import json
import os
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqlab import LabError, measures
from vqlab.labs.lab03.readings import TOKENS, WIDTH

if TYPE_CHECKING:
    from vqlab.training import Trainer

WARMUPS, SIZES = (0, 1000), (64, 4096)
CORNERS = tuple({"warmup": warmup, "codebook_size": k, "width": WIDTH} for k in SIZES for warmup in WARMUPS)
SEED = 0
_SIDE = int(TOKENS**0.5)
_DESCRIPTION = "images_corners.json"
_COMMAND = "python -m vqlab.labs.lab03.checkpoints"


def home() -> Path:
    """Where checkpoints are stored: data/checkpoints of the repository."""
    return Path(__file__).resolve().parents[3] / "data" / "checkpoints"


def file_name(corner: dict) -> str:
    """The file of a corner."""
    return f"images_warmup{corner['warmup']}_k{corner['codebook_size']}.safetensors"


def start_names() -> list[str]:
    """The starts of the corners in words."""
    return [f"warm-up {warmup:,}" if warmup else "cold" for warmup in WARMUPS]


def corner_name(corner: dict) -> str:
    """A corner in words."""
    return f"{start_names()[WARMUPS.index(corner['warmup'])]}, K = {corner['codebook_size']:,}"


class Tokenizer:
    """An encoder, a codebook and a decoder from a file of `store`.

    Raises: LabError if the file is missing, damaged or of another shape.
    """

    def __init__(self, path: Path, sha256: str | None = None) -> None:
        import torch
        from safetensors.torch import load

        from vqlab.models import ConvAutoencoder

        mend = f"restore it from the repository, or remake it with `{_COMMAND}`"
        try:
            raw = Path(path).read_bytes()
        except OSError:
            raise LabError(f"the checkpoint {path} is missing: {mend}") from None
        if sha256 and hashlib.sha256(raw).hexdigest() != sha256:
            raise LabError(f"the checkpoint {path} is damaged (it is truncated or was edited): {mend}")
        try:
            tensors = {name: tensor.to(torch.float32) for name, tensor in load(raw).items()}
            self.codebook = tensors.pop("codebook")  # (K, d)
            hidden = tensors["encoder.0.weight"].shape[0]
            self.model = ConvAutoencoder(latent_dim=self.codebook.shape[1], hidden=hidden)
            self.model.load_state_dict(tensors)
        except Exception as error:  # a damaged file can break its readers in any way
            raise LabError(f"the checkpoint {path} is damaged or not one of ours: {mend}") from error

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Images (n, 3, 32, 32) uint8 -> tokens (n, 8, 8), 0…K−1."""
        import torch

        from vqlab.quantizers import nearest_code

        with torch.no_grad():
            latents = self.model.encode(torch.from_numpy(images)[None] / 255)  # (1, n·64, d)
            return nearest_code(latents, self.codebook[None])[0].reshape(-1, _SIDE, _SIDE).numpy()

    def decode(self, tokens: np.ndarray) -> np.ndarray:
        """Tokens (n, 8, 8) -> images (n, 3, 32, 32), float32 and mostly in [0, 1]."""
        import torch

        codes = self.codebook[torch.from_numpy(tokens).reshape(-1)]  # (n·64, d)
        self.model.grid = tokens.shape[1:]
        with torch.no_grad():
            return self.model.decode(codes[None])[0].numpy()


@cache
def load(index: int, folder: Path | None = None) -> Tokenizer:
    """The stored tokenizer of CORNERS[index] (default folder: `home()`).

    Raises: LabError if a file is missing or damaged.
    """
    folder, name = folder or home(), file_name(CORNERS[index])
    try:
        described = json.loads((folder / _DESCRIPTION).read_text())["files"][name]
    except (OSError, ValueError, KeyError):
        raise LabError(f"{folder / _DESCRIPTION} does not describe {name}: remake both with `{_COMMAND}`") from None
    return Tokenizer(folder / name, described["sha256"])


def store(trainer: "Trainer", path: Path) -> str:
    """Write model and codebook of a trained run in half precision; returns the file's SHA-256."""
    import torch
    from safetensors.torch import save

    tensors = dict(trainer.model.state_dict()) | {"codebook": trainer.quantizer.codebook.data[0]}
    raw = save({name: tensor.detach().to(torch.float16).contiguous() for name, tensor in tensors.items()})
    path.write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def main(folder: Path | None = None) -> None:
    """Train every corner and store it with its error before and after rounding, settings and versions."""
    import torch

    from vqlab.labs.lab03.experiments import EXPERIMENTS, images, trainer
    from vqlab.sweeps.runner import provenance
    from vqlab.sweeps.threads import one_thread

    folder = folder or home()
    folder.mkdir(parents=True, exist_ok=True)
    x, files = images()[1].x, {}
    for corner in CORNERS:
        with one_thread():
            trained = trainer(corner, SEED).run(_report)
            exact = trained.reconstruct(torch.from_numpy(x))[0][0].numpy()
            sha256 = store(trained, folder / file_name(corner))
            tokenizer = Tokenizer(folder / file_name(corner))
            rounded = tokenizer.decode(tokenizer.encode(x))
        errors = [float(measures.mean_squared_error(x / 255, back[None])[0]) for back in (exact, rounded)]
        settings = asdict(trained.settings) | {"width": corner["width"], "seed": SEED}
        files[file_name(corner)] = {"sha256": sha256, "mse": errors[1], "mse_float32": errors[0], "settings": settings}
        print(f"\rstored {file_name(corner)}: error {errors[1]:.5f}, {errors[0]:.5f} before rounding")
    described = {
        "images": EXPERIMENTS[0].settings["images"],
        "files": files,
        "provenance": provenance(_COMMAND),
    }
    (folder / _DESCRIPTION).write_text(json.dumps(described, indent=1) + "\n")


def _report(trainer: "Trainer") -> None:
    if trainer.step % 100 == 0:
        print(f"\rstep {trainer.step:,} of {trainer.settings.steps:,}", end="", file=sys.stderr)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
