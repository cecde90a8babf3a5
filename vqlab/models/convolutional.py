"""A convolutional autoencoder for small images."""

import torch
from torch import Tensor, nn

from vqlab import LabError


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels // 2, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels // 2, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class ConvAutoencoder(nn.Module):
    """Images (1, B, 3, H, W) in [0, 1] ⇄ latents (1, B·H/4·W/4, d): two stride-2 convolutions each way.

    The shape of the first VQ-VAE (van den Oord et al. 2017, arXiv 1711.00937, §4.1), narrower. One run only.
    Args: seed; latent_dim d; hidden: channels.
    Raises: LabError for latent_dim < 1 or hidden < 2; `encode`, unless H and W are divisible by 4.
    """

    def __init__(self, seed: int = 0, latent_dim: int = 16, hidden: int = 32) -> None:
        super().__init__()
        if latent_dim < 1 or hidden < 2:
            raise LabError(f"images need latent_dim ≥ 1 and at least 2 hidden channels, got {latent_dim} and {hidden}")
        self.latent_dim = latent_dim
        self.grid = (8, 8)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = nn.Sequential(
                nn.Conv2d(3, hidden, 4, stride=2, padding=1),
                nn.ReLU(),
                nn.Conv2d(hidden, hidden, 4, stride=2, padding=1),
                _Residual(hidden),
                nn.ReLU(),
                nn.Conv2d(hidden, latent_dim, 1),
            )
            self.decoder = nn.Sequential(
                nn.Conv2d(latent_dim, hidden, 3, padding=1),
                _Residual(hidden),
                nn.ReLU(),
                nn.ConvTranspose2d(hidden, hidden, 4, stride=2, padding=1),
                nn.ReLU(),
                nn.ConvTranspose2d(hidden, 3, 4, stride=2, padding=1),
            )

    def encode(self, x: Tensor) -> Tensor:
        if len(x) != 1 or x.shape[-2] % 4 or x.shape[-1] % 4:
            raise LabError(
                f"images must have shape (1, B, 3, H, W) with H and W divisible by 4, got {tuple(x.shape)}: "
                "train one seed at a time and crop the images"
            )
        h = self.encoder(x[0] - 0.5)
        self.grid = tuple(h.shape[2:])
        return h.permute(0, 2, 3, 1).reshape(1, -1, self.latent_dim)  # (B, d, h, w) -> (1, B·h·w, d)

    def decode(self, z: Tensor) -> Tensor:
        h = z.reshape(-1, *self.grid, self.latent_dim).permute(0, 3, 1, 2)  # (1, B·h·w, d) -> (B, d, h, w)
        return self.decoder(h)[None] + 0.5
