"""Trained tokenizers of a lab, stored in half precision with errors and provenance, so that anybody can encode."""

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqlab import LabError, measures
from vqlab.files import kept

if TYPE_CHECKING:
    from vqlab.models import Autoencoder
    from vqlab.training import Trainer


def home() -> Path:
    """Where tokenizers are stored: data/checkpoints of the repository; an installed vqlab has none."""
    return kept("checkpoints", __file__)


class Tokenizer:
    """An encoder, a codebook (K, d) and a decoder of images, read from a file that `store` wrote.

    model_of: makes the model that fits the stored tensors, by name.   mend: how to get a good file.
    Raises: LabError if the file is missing, damaged, of another shape, or not the one with the hash `sha256`.
    """

    def __init__(self, path: Path, model_of: Callable[[dict], "Autoencoder"], mend: str, sha256: str = "") -> None:
        import torch
        from safetensors.torch import load

        try:
            raw = Path(path).read_bytes()
        except OSError:
            raise LabError(f"the checkpoint {path} is missing: {mend}") from None
        if sha256 and hashlib.sha256(raw).hexdigest() != sha256:
            raise LabError(f"the checkpoint {path} is damaged (it is truncated or was edited): {mend}")
        try:
            tensors = {name: tensor.to(torch.float32) for name, tensor in load(raw).items()}
            self.codebook = tensors.pop("codebook")  # (K, d)
            self.model = model_of(tensors)
            self.model.load_state_dict(tensors)
        except Exception as error:  # a damaged file can break its readers in any way
            raise LabError(f"the checkpoint {path} is damaged or not one of ours: {mend}") from error

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Images (n, 3, H, W) uint8 -> tokens (n, h, w), 0…K−1."""
        import torch

        from vqlab.quantizers import nearest_code

        with torch.no_grad():
            latents = self.model.encode(torch.from_numpy(images)[None] / 255)  # (1, n·h·w, d)
            return nearest_code(latents, self.codebook[None])[0].reshape(-1, *self.model.grid).numpy()

    def decode(self, tokens: np.ndarray) -> np.ndarray:
        """Tokens (n, h, w) -> images (n, 3, H, W), float32 and mostly in [0, 1]."""
        import torch

        codes = self.codebook[torch.from_numpy(tokens).reshape(-1)]  # (n·h·w, d)
        self.model.grid = tokens.shape[1:]
        with torch.no_grad():
            return self.model.decode(codes[None])[0].numpy()


def store(trainer: "Trainer", path: Path) -> str:
    """Write model and codebook of a trained run in half precision; returns the file's SHA-256."""
    import torch
    from safetensors.torch import save

    tensors = dict(trainer.model.state_dict()) | {"codebook": trainer.quantizer.codebook.data[0]}
    raw = save({name: tensor.detach().to(torch.float16).contiguous() for name, tensor in tensors.items()})
    path.write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True)
class Shelf:
    """The stored tokenizers of a lab, one for each of some positions of its sweep.

    name: of the .json that describes them.   command: remakes them.   positions: with a warmup each.
    model_of: see `Tokenizer`.
    """

    name: str
    command: str
    positions: Sequence[dict]
    model_of: Callable[[dict], "Autoencoder"]
    _loaded: dict = field(default_factory=dict, init=False, compare=False)

    def file_name(self, position: dict) -> str:
        """The file of a position, as in images_warmup0_k64_width32.safetensors."""
        short = {"codebook_size": "k"}
        words = (f"{short.get(axis, axis)}{value}" for axis, value in position.items())
        return "_".join([self.name.partition("_")[0], *words]) + ".safetensors"

    def load(self, index: int, folder: Path | None = None) -> Tokenizer:
        """The tokenizer of the position of this index (default folder: `home()`).

        Raises: LabError if a file is missing or damaged.
        """
        folder = folder or home()
        if (index, folder) not in self._loaded:
            self._loaded[index, folder] = self._read(self.file_name(self.positions[index]), folder)
        return self._loaded[index, folder]

    def _read(self, name: str, folder: Path) -> Tokenizer:
        description = folder / f"{self.name}.json"
        try:
            described = json.loads(description.read_text())["files"][name]
        except (OSError, ValueError, KeyError):
            raise LabError(f"{description} does not describe {name}: remake both with `{self.command}`") from None
        return Tokenizer(folder / name, self.model_of, self.mend, described["sha256"])

    @property
    def mend(self) -> str:
        """How to get a good file, in words."""
        return f"restore it from the repository, or remake it with `{self.command}`"

    def remake(
        self, trainer: Callable[[dict, int], "Trainer"], held_out: np.ndarray, images: str, folder: Path | None = None
    ) -> None:
        """Train every position and store it with its error before and after rounding, settings and versions.

        trainer: (position, seed) -> one that has not begun.   held_out: images (n, 3, H, W) uint8 to judge by.
        images: what they are, in words.
        """
        import torch

        from vqlab.sweeps.runner import provenance
        from vqlab.sweeps.threads import one_thread

        folder, seed, files = folder or home(), 0, {}
        folder.mkdir(parents=True, exist_ok=True)
        for position in self.positions:
            path = folder / self.file_name(position)
            with one_thread():
                trained = trainer(position, seed).run(_report)
                exact = trained.reconstruct(torch.from_numpy(held_out))[0][0].numpy()
                sha256 = store(trained, path)
                tokenizer = Tokenizer(path, self.model_of, self.mend)
                parts = np.array_split(held_out, max(1, len(held_out) // 500))
                rounded = np.concatenate([tokenizer.decode(tokenizer.encode(part)) for part in parts])
            errors = [float(measures.mean_squared_error(held_out / 255, x[None])[0]) for x in (exact, rounded)]
            settings = asdict(trained.settings) | position | {"seed": seed}
            files[path.name] = {"sha256": sha256, "mse": errors[1], "mse_float32": errors[0], "settings": settings}
            print(f"\rstored {path.name}: error {errors[1]:.5f}, {errors[0]:.5f} before rounding")
        described = {"images": images, "files": files, "provenance": provenance(self.command)}
        (folder / f"{self.name}.json").write_text(json.dumps(described, indent=1) + "\n")


def _report(trainer: "Trainer") -> None:
    if trainer.step % 100 == 0:
        print(f"\rstep {trainer.step:,} of {trainer.settings.steps:,}", end="", file=sys.stderr)
