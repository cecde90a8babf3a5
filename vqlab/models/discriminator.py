"""The discriminator of VQGAN: judges patches of an image (Isola et al. 2017, arXiv 1611.07004, §3.2.2)."""

import torch
from torch import Tensor, nn

from vqlab.inputs import whole


class PatchDiscriminator(nn.Module):
    """Images (B, 3, H, W) in [−1, 1] -> one score a patch (B, 1, h, w): above 0 for real, below for made.

    4×4 convolutions, `layers` of them with stride 2, each doubling the channels up to eight times `width`; batch
    normalisation, leaky ReLU of slope 0.2, weights starting normal with standard deviation 0.02, as in the reference.
    Args: seed.   width: channels of the first layer.   layers: 3 for images of 128 pixels a side and more, 2 for 32.
    Raises: LabError for numbers below 1.
    """

    def __init__(self, seed: int = 0, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        width, layers = whole(width, "width"), whole(layers, "layers")
        channels = [width * min(2**layer, 8) for layer in range(layers + 1)]
        parts: list[nn.Module] = [nn.Conv2d(3, channels[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for layer in range(1, layers + 1):
                stride = 2 if layer < layers else 1
                into, out = channels[layer - 1], channels[layer]
                parts += [nn.Conv2d(into, out, 4, stride=stride, padding=1, bias=False), nn.BatchNorm2d(out)]
                parts.append(nn.LeakyReLU(0.2))
            self.body = nn.Sequential(*parts, nn.Conv2d(channels[-1], 1, 4, padding=1))
            self.body.apply(_start)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def _start(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
