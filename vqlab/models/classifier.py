"""A small classifier of CIFAR-10 whose features measure how alike images look; trained by `vqlab.training.classifier`.

It stands where LPIPS and the Inception network stand in the literature, so that nothing has to be downloaded. Its
numbers are its own: a perceptual distance by a small CIFAR-10 classifier is no LPIPS, and a Fréchet distance in its
features is no FID.
"""

import hashlib
import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import fuse_conv_bn_eval

from vqlab import LabError
from vqlab.files import kept

WIDTHS = (32, 64, 128)
NAME = "cifar10_classifier"
COMMAND = "python -m vqlab.training.classifier"
_CLASSES = 10


class Classifier(nn.Module):
    """Images (B, 3, H, W) in [−1, 1] -> scores (B, 10): three times 3×3 convolution, pooling and ReLU, a mean, a layer.

    norms: batch normalisation behind each convolution, to train with; `folded` takes it into the convolutions.
    """

    def __init__(self, norms: bool = False) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise((3, *WIDTHS)))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) if norms else nn.Identity() for width in WIDTHS)
        self.scores = nn.Linear(WIDTHS[-1], _CLASSES)

    def stages(self, x: Tensor) -> list[Tensor]:
        """Features (B, C, H/s, W/s) of the three stages, s = 2, 4, 8."""
        h, found = x.contiguous(memory_format=torch.channels_last), []  # convolves and pools faster, on a CPU, too
        for conv, norm in zip(self.convs, self.norms, strict=True):
            h = functional.relu(norm(functional.max_pool2d(conv(h), 2)))
            found.append(h)
        return found

    def embed(self, x: Tensor) -> Tensor:
        """One feature vector an image: (B, 3, H, W) -> (B, 128)."""
        return self.stages(x)[-1].mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.scores(self.embed(x))

    @torch.no_grad()
    def folded(self) -> "Classifier":
        """The same function in evaluation mode, without normalisation layers."""
        plain = Classifier()
        plain.convs = nn.ModuleList(map(fuse_conv_bn_eval, self.convs, self.norms))
        plain.scores.load_state_dict(self.scores.state_dict())
        return plain.requires_grad_(False)


class PerceptualDistance(nn.Module):
    """How differently a classifier sees two batches of images (B, 3, H, W) in [−1, 1]: -> (B,), 0…2.

    At each position of each stage the features are scaled to length 1; the distance is their squared difference, as a
    mean over positions and stages. The recipe of LPIPS (Zhang et al. 2018, arXiv 1801.03924, §3) without its learnt
    weights. Whatever else maps two such batches to a distance an image, `lpips.LPIPS(net="vgg")` for one, can stand in
    its place.
    """

    def __init__(self, classifier: Classifier | None = None) -> None:
        super().__init__()
        self.classifier = load_classifier() if classifier is None else classifier

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        with torch.no_grad():
            first = self.classifier.stages(x)
        return torch.stack(
            [
                (_unit(a) - _unit(b)).square().sum(1).mean((1, 2))
                for a, b in zip(first, self.classifier.stages(y), strict=True)
            ]
        ).mean(0)


def _unit(features: Tensor) -> Tensor:
    return features * torch.rsqrt(features.square().sum(1, keepdim=True) + 1e-8)


@torch.no_grad()
def embeddings(images: np.ndarray | Tensor, batch: int = 500) -> np.ndarray:
    """Features of the shipped classifier of images (n, 3, H, W), bytes or floats in [0, 1] -> (n, 128).

    For `measures.frechet_distance`.
    """
    x, network = torch.as_tensor(images), load_classifier()
    x = x / 255 if x.dtype == torch.uint8 else x
    return torch.cat([network.embed(2 * part.float() - 1) for part in x.split(batch)]).numpy()


def home() -> Path:
    """Where the classifier is stored: data/checkpoints of the repository, or the package."""
    return kept("checkpoints", __file__)


@cache
def load_classifier(folder: Path | None = None) -> Classifier:
    """The classifier that is shipped, frozen (default folder: `home()`).

    Raises: LabError if its file is missing or damaged.
    """
    from safetensors.torch import load

    path = (folder or home()) / f"{NAME}.safetensors"
    mend = f"restore it from the repository, or remake it with `{COMMAND}`"
    try:
        raw, described = path.read_bytes(), json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError):
        raise LabError(f"the classifier {path} or the .json beside it is missing or damaged: {mend}") from None
    if hashlib.sha256(raw).hexdigest() != described.get("sha256"):
        raise LabError(f"the classifier {path} is damaged (it is truncated or was edited): {mend}")
    network = Classifier()
    network.load_state_dict({name: tensor.float() for name, tensor in load(raw).items()})
    return network.requires_grad_(False)
