"""A convolutional autoencoder for small images."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vqlab import LabError

_RECTIFIERS = {"relu": nn.ReLU, "leaky relu": lambda: nn.LeakyReLU(0.1)}


class _Residual(nn.Module):
    def __init__(self, channels: int, rectifier: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.body = nn.Sequential(
            rectifier(),
            nn.Conv2d(channels, channels // 2, 3, padding=1),
            rectifier(),
            nn.Conv2d(channels // 2, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def _halve(channels: int) -> nn.Module:
    return nn.Conv2d(channels, channels, 4, stride=2, padding=1)


def _double(channels: int) -> nn.Module:
    return nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1)


class ConvAutoencoder(nn.Module):
    """Images (1, B, 3, H, W) in [0, 1] ⇄ latents (1, B·H/s·W/s, d): stride-2 convolutions each way, s = downsampling.

    The shape of the first VQ-VAE (van den Oord et al. 2017, arXiv 1711.00937, §4.1), narrower. One run only.
    Args: seed; latent_dim d; hidden: channels; downsampling: 4 or 8, pixels of a token's side; activation of the
        encoder, a key of `_RECTIFIERS` (the decoder keeps ReLU).
    Raises: LabError for latent_dim < 1, hidden < 2, or another downsampling or activation; `encode`, unless H and W are
        divisible by the downsampling.
    """

    def __init__(
        self,
        seed: int = 0,
        latent_dim: int = 16,
        hidden: int = 32,
        downsampling: int = 4,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        if latent_dim < 1 or hidden < 2:
            raise LabError(f"images need latent_dim ≥ 1 and at least 2 hidden channels, got {latent_dim} and {hidden}")
        if downsampling not in (4, 8):
            raise LabError(f"a token is 4 or 8 pixels wide and high, got downsampling = {downsampling}")
        if activation not in _RECTIFIERS:
            raise LabError(f"unknown activation {activation!r}: choose from {', '.join(_RECTIFIERS)}")
        self.latent_dim, self.downsampling, rectifier = latent_dim, downsampling, _RECTIFIERS[activation]
        self.grid = (32 // downsampling, 32 // downsampling)
        deeper = 1 if downsampling == 8 else 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = nn.Sequential(
                nn.Conv2d(3, hidden, 4, stride=2, padding=1),
                *(nn.Sequential(rectifier(), _halve(hidden)) for _ in range(deeper)),
                rectifier(),
                _halve(hidden),
                _Residual(hidden, rectifier),
                rectifier(),
                nn.Conv2d(hidden, latent_dim, 1),
            )
            self.decoder = nn.Sequential(
                nn.Conv2d(latent_dim, hidden, 3, padding=1),
                _Residual(hidden),
                nn.ReLU(),
                *(nn.Sequential(_double(hidden), nn.ReLU()) for _ in range(deeper)),
                _double(hidden),
                nn.ReLU(),
                nn.ConvTranspose2d(hidden, 3, 4, stride=2, padding=1),
            )

    def encode(self, x: Tensor) -> Tensor:
        if len(x) != 1 or x.shape[-2] % self.downsampling or x.shape[-1] % self.downsampling:
            raise LabError(
                f"images must have shape (1, B, 3, H, W) with H and W divisible by {self.downsampling}, got "
                f"{tuple(x.shape)}: train one seed at a time and crop the images"
            )
        h = self.encoder(x[0] - 0.5)
        self.grid = tuple(h.shape[2:])
        return h.permute(0, 2, 3, 1).reshape(1, -1, self.latent_dim)  # (B, d, h, w) -> (1, B·h·w, d)

    def decode(self, z: Tensor) -> Tensor:
        h = z.reshape(-1, *self.grid, self.latent_dim).permute(0, 3, 1, 2)  # (1, B·h·w, d) -> (B, d, h, w)
        return self.decoder(h)[None] + 0.5
