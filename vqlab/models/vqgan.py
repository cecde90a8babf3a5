"""The autoencoder of VQGAN (Esser et al. 2021, arXiv 2012.09841), without its codebook, from tiny to the paper's size.

Residual blocks of group normalisation, swish and 3×3 convolutions; attention over positions at chosen sizes and in the
middle; strided convolutions down, nearest neighbours and a convolution up; 1×1 convolutions before and after the codes.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from vqlab import LabError
from vqlab.inputs import one_of, whole

# paper: that of arXiv 2605.06870. Its tokens are 16 pixels wide and high, those of the others 8.
CONFIGURATIONS = {
    "tiny": {"width": 16, "multipliers": (1, 1, 2, 4), "blocks": 1, "attention": (4,), "side": 32, "latent_dim": 64},
    "small": {"width": 64, "multipliers": (1, 1, 2, 4), "blocks": 2, "attention": (8,), "side": 64, "latent_dim": 128},
    "paper": {
        "width": 128,
        "multipliers": (1, 1, 2, 2, 4),
        "blocks": 2,
        "attention": (16,),
        "side": 128,
        "latent_dim": 256,
    },
}


class _GroupNorm(nn.GroupNorm):
    """Group normalisation; behind frozen layers in PyTorch's usual order of memory.

    In torch 2.13 on a CPU, channels last, its backward crashes the process if the input needs no gradient.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if x.requires_grad else x.contiguous())


def _norm(channels: int, groups: int) -> nn.Module:
    return _GroupNorm(groups, channels, eps=1e-6)


class _Residual(nn.Module):
    def __init__(self, into: int, out: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = _norm(into, groups), nn.Conv2d(into, out, 3, padding=1)
        self.norm2, self.conv2 = _norm(out, groups), nn.Conv2d(out, out, 3, padding=1)
        self.shortcut = nn.Conv2d(into, out, 1) if into != out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(functional.silu(self.norm1(x)))
        return self.shortcut(x) + self.conv2(functional.silu(self.norm2(h)))


class _Attention(nn.Module):
    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = _norm(channels, groups)
        self.q, self.k, self.v, self.out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x).flatten(2).mT  # (B, C, H, W) -> (B, H·W, C)
        q, k, v = _pointwise(h, self.q, self.k, self.v).chunk(3, -1)
        mixed = _pointwise(functional.scaled_dot_product_attention(q, k, v), self.out)
        return x + mixed.mT.reshape(x.shape)  # (B, H·W, C) -> (B, C, H, W)


def _pointwise(x: Tensor, *convs: nn.Conv2d) -> Tensor:
    """What 1×1 convolutions make of positions (B, H·W, C), side by side, in one product: much faster than as many."""
    weight = torch.cat([conv.weight for conv in convs]).flatten(1)  # (C', C, 1, 1) -> (C', C)
    return functional.linear(x, weight, torch.cat([conv.bias for conv in convs]))


class _Down(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.pad(x, (0, 1, 0, 1)))  # one pixel right and below, as in the reference


class _Up(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


def _level(into: int, out: int, blocks: int, attends: bool, groups: int) -> list[nn.Module]:
    """Residual blocks of one image size, each with attention behind it if the size has some."""
    layers = []
    for channels, following in pairwise([into, *[out] * blocks]):
        layers += [_Residual(channels, following, groups), *([_Attention(following, groups)] if attends else [])]
    return layers


def _middle(channels: int, groups: int) -> list[nn.Module]:
    return [_Residual(channels, channels, groups), _Attention(channels, groups), _Residual(channels, channels, groups)]


class VQGAN(nn.Module):
    """Images (1, B, 3, H, W) in [0, 1] ⇄ latents (1, B·H/s·W/s, d), s = 2^(levels − 1). One run only.

    Args: seed.   width: channels of the first level, a multiple of 4; normalised in groups of at least 4 channels, and
        in at most 32 groups, as the reference's 128 are.   multipliers: of the width, one a level; each level but the
        first has half the side of the one before.   blocks: residual blocks a level in the encoder; the decoder has
        one more.   attention: the sides, in positions, of levels with attention.   side: of the images that
        `attention` is meant for, in pixels; others of sides divisible by s can be encoded, too.   latent_dim: d.
    Inside, pixels are taken to [−1, 1]. No dropout, and z has as many channels as a code, both as arXiv 2605.06870 has
    it.
    Raises: LabError for numbers out of range; `encode`, unless H and W are divisible by s.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        width: int = 16,
        multipliers: Sequence[int] = (1, 1, 2, 4),
        blocks: int = 1,
        attention: Sequence[int] = (4,),
        side: int = 32,
        latent_dim: int = 64,
    ) -> None:
        super().__init__()
        width, blocks, self.latent_dim = whole(width, "width"), whole(blocks, "blocks"), whole(latent_dim, "latent_dim")
        multipliers = [whole(one, "a multiplier of the width") for one in multipliers]
        if width % 4 or not multipliers:
            raise LabError(f"a VQGAN needs a width divisible by 4 and a multiplier a level, got {width}, {multipliers}")
        self.downsampling = 2 ** (len(multipliers) - 1)
        groups = min(32, width // 4)
        if width % groups:
            raise LabError(f"a width of {width} cannot be normalised in {groups} groups: take a multiple of {groups}")
        if whole(side, "the side of the images") % self.downsampling:
            raise LabError(
                f"{len(multipliers)} levels halve the side {len(multipliers) - 1} times, so it must be divisible by "
                f"{self.downsampling}, got {side}"
            )
        self.grid = (side // self.downsampling,) * 2
        channels = [width * one for one in multipliers]
        attends = [side // 2**level in attention for level in range(len(channels))]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = _encoder(channels, blocks, attends, groups, self.latent_dim)
            self.before, self.after = (nn.Conv2d(self.latent_dim, self.latent_dim, 1) for _ in range(2))
            self.decoder = _decoder(channels, blocks, attends, groups, self.latent_dim)

    @classmethod
    def of(cls, configuration: str, seed: int = 0, **changes: object) -> "VQGAN":
        """The model of a configuration, "tiny" (32 × 32), "small" (64 × 64) or "paper" (128 × 128), with changes.

        Raises: LabError for another name, or as the class.
        """
        return cls(seed, **CONFIGURATIONS[one_of(configuration, "configuration", tuple(CONFIGURATIONS))] | changes)

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the decoder's last convolution, where losses are weighed against each other."""
        return self.decoder[-1].weight

    def encode(self, x: Tensor) -> Tensor:
        if len(x) != 1 or x.shape[-2] % self.downsampling or x.shape[-1] % self.downsampling:
            raise LabError(
                f"images must have shape (1, B, 3, H, W) with H and W divisible by {self.downsampling}, got "
                f"{tuple(x.shape)}: train one seed at a time and crop the images"
            )
        # Convolutions of few channels are up to twice as fast in this order of memory, on a CPU, too.
        h = self.before(self.encoder((2 * x[0] - 1).contiguous(memory_format=torch.channels_last)))
        self.grid = tuple(h.shape[2:])
        return h.permute(0, 2, 3, 1).reshape(1, -1, self.latent_dim)  # (B, d, h, w) -> (1, B·h·w, d)

    def decode(self, z: Tensor) -> Tensor:
        h = z.reshape(-1, *self.grid, self.latent_dim).permute(0, 3, 1, 2)  # (1, B·h·w, d) -> (B, d, h, w)
        return (self.decoder(self.after(h))[None] + 1) / 2


def _encoder(channels: list[int], blocks: int, attends: list[bool], groups: int, latent_dim: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, channels[0], 3, padding=1)]
    for level, (into, out) in enumerate(pairwise([channels[0], *channels])):
        layers += [*([_Down(into)] if level else []), *_level(into, out, blocks, attends[level], groups)]
    last = channels[-1]
    layers += [*_middle(last, groups), _norm(last, groups), nn.SiLU(), nn.Conv2d(last, latent_dim, 3, padding=1)]
    return nn.Sequential(*layers)


def _decoder(channels: list[int], blocks: int, attends: list[bool], groups: int, latent_dim: int) -> nn.Sequential:
    last = channels[-1]
    layers: list[nn.Module] = [nn.Conv2d(latent_dim, last, 3, padding=1), *_middle(last, groups)]
    upwards = list(zip(channels, attends, strict=True))[::-1]
    for level, (into, (out, attend)) in enumerate(zip([last, *(c for c, _ in upwards)], upwards, strict=False)):
        layers += [*([_Up(into)] if level else []), *_level(into, out, blocks + 1, attend, groups)]
    return nn.Sequential(*layers, _norm(channels[0], groups), nn.SiLU(), nn.Conv2d(channels[0], 3, 3, padding=1))
