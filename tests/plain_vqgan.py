"""VQGAN's autoencoder and perceptual distance put together plainly from torch's modules: the yardstick of `bench.py`.

Layers have the names of `models.VQGAN`'s, so that the state of one loads into the other.
"""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from vqlab.models import VQGAN, PerceptualDistance
from vqlab.models.vqgan import CONFIGURATIONS


class Residual(nn.Module):
    def __init__(self, into: int, out: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, into, 1e-6), nn.Conv2d(into, out, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(groups, out, 1e-6), nn.Conv2d(out, out, 3, padding=1)
        self.shortcut = nn.Conv2d(into, out, 1) if into != out else nn.Identity()
        self.swish = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(self.swish(self.norm1(x)))
        return self.shortcut(x) + self.conv2(self.swish(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, 1e-6)
        self.q, self.k, self.v, self.out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (part(h).flatten(2) for part in (self.q, self.k, self.v))  # (B, C, H, W) -> (B, C, H·W)
        weights = (q.mT @ k / q.shape[1] ** 0.5).softmax(-1)
        return x + self.out((v @ weights.mT).reshape(x.shape))


class Named(nn.Sequential):
    """A sequence whose one layer with weights is called conv."""

    def __init__(self, conv: nn.Module, before: nn.Module) -> None:
        super().__init__(OrderedDict(first=before, conv=conv))


def down(channels: int) -> nn.Module:
    return Named(nn.Conv2d(channels, channels, 3, stride=2), nn.ZeroPad2d((0, 1, 0, 1)))


def up(channels: int) -> nn.Module:
    return Named(nn.Conv2d(channels, channels, 3, padding=1), nn.Upsample(scale_factor=2))


class PlainVQGAN(nn.Module):
    """The network of `VQGAN.of(configuration, **changes)`, with its weights: images (B, 3, H, W) ⇄ (B, d, h, w)."""

    def __init__(self, configuration: str, **changes: object) -> None:
        super().__init__()
        numbers = CONFIGURATIONS[configuration] | changes
        width, blocks, d = numbers["width"], numbers["blocks"], numbers["latent_dim"]
        channels, groups = [width * one for one in numbers["multipliers"]], min(32, width // 4)
        attends = [numbers["side"] // 2**level in numbers["attention"] for level in range(len(channels))]
        last = channels[-1]

        def level(into: int, out: int, blocks: int, attend: bool) -> list[nn.Module]:
            return [
                layer
                for a, b in pairwise([into, *[out] * blocks])
                for layer in (Residual(a, b, groups), *([Attention(b, groups)] if attend else []))
            ]

        def middle() -> list[nn.Module]:
            return [Residual(last, last, groups), Attention(last, groups), Residual(last, last, groups)]

        def end(into: int, out: int) -> list[nn.Module]:
            return [nn.GroupNorm(groups, into, 1e-6), nn.SiLU(), nn.Conv2d(into, out, 3, padding=1)]

        encoder, decoder = [nn.Conv2d(3, width, 3, padding=1)], [nn.Conv2d(d, last, 3, padding=1), *middle()]
        for i, (into, out) in enumerate(pairwise([channels[0], *channels])):
            encoder += [*([down(into)] if i else []), *level(into, out, blocks, attends[i])]
        for i, (into, out) in enumerate(pairwise([last, *channels[::-1]])):
            decoder += [*([up(into)] if i else []), *level(into, out, blocks + 1, attends[::-1][i])]
        self.encoder = nn.Sequential(*encoder, *middle(), *end(last, d))
        self.decoder = nn.Sequential(*decoder, *end(width, 3))
        self.before, self.after = nn.Conv2d(d, d, 1), nn.Conv2d(d, d, 1)
        self.load_state_dict(VQGAN.of(configuration, **changes).state_dict())

    def encode(self, x: Tensor) -> Tensor:
        return self.before(self.encoder(2 * x - 1))

    def decode(self, z: Tensor) -> Tensor:
        return (self.decoder(self.after(z)) + 1) / 2


class PlainDistance(nn.Module):
    """`PerceptualDistance` of images (B, 3, H, W) in [−1, 1]: -> (B,)."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = PerceptualDistance().classifier.convs

    def features(self, x: Tensor) -> list[Tensor]:
        found = []
        for conv in self.convs:
            x = functional.relu(functional.max_pool2d(conv(x), 2))
            found.append(x / (x.square().sum(1, keepdim=True) + 1e-8).sqrt())
        return found

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        with torch.no_grad():
            first = self.features(x)
        parts = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(first, self.features(y), strict=True)]
        return torch.stack(parts).mean(0)
