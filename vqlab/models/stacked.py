"""Small networks, R of them at once as stacked weights (R, in, out): one batched matrix product advances all.

Run r is the same network that training seed r alone would give.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from vqlab import LabError

ACTIVATIONS = {
    "relu": torch.relu,
    "leaky relu": lambda x: nn.functional.leaky_relu(x, 0.1),
    "gelu": nn.functional.gelu,
    "tanh": torch.tanh,
    "linear": lambda x: x,
}


class StackedMLP(nn.Module):
    """R multilayer perceptrons with the same layer sizes, one per seed; x (R, B, in) -> (R, B, out).

    Weights and biases start uniform in ±1/√fan_in, as `torch.nn.Linear` does.
    """

    def __init__(self, seeds: Sequence[int], sizes: Sequence[int], activation: str = "relu") -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise LabError(f"unknown activation {activation!r}: choose from {', '.join(ACTIVATIONS)}")
        if min(sizes) < 1:
            raise LabError(f"every layer needs at least one unit, got sizes {list(sizes)}")
        self.activation = ACTIVATIONS[activation]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
        for fan_in, fan_out in pairwise(sizes):
            bound = fan_in**-0.5
            draws = [(torch.rand(fan_in + 1, fan_out, generator=g) * 2 - 1) * bound for g in generators]
            layer = torch.stack(draws)  # (R, in + 1, out): the last row is the bias
            self.weights.append(nn.Parameter(layer[:, :-1].contiguous()))
            self.biases.append(nn.Parameter(layer[:, -1:].contiguous()))

    def forward(self, x: Tensor) -> Tensor:
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x if i == 0 else self.activation(x), weight)
        return x


class MLPAutoencoder(nn.Module):
    """Encoder data_dim → hidden → hidden → latent_dim and its mirror image, for R seeds at once.

    Args: seeds, one per run; hidden: units in each of the two hidden layers; activation: a key of ACTIVATIONS.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        data_dim: int = 2,
        latent_dim: int = 2,
        hidden: int = 32,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = StackedMLP(seeds, (data_dim, hidden, hidden, latent_dim), activation)
        decoder_seeds = [seed + 104_729 for seed in seeds]
        self.decoder = StackedMLP(decoder_seeds, (latent_dim, hidden, hidden, data_dim), activation)

    def encode(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z)


class LinearAutoencoder(nn.Module):
    """x → x W₁ → x W₁ W₂ without biases, for R seeds at once: the model whose training theory predicts.

    All weights start independent normal with standard deviation `scale`. To first order that is a balanced start of
    every data mode with gains a = b = scale·√(latent_dim / 2) (see `flow`).
    Raises: LabError for a dimension below 1 or a scale that is not above 0.
    """

    def __init__(self, seeds: Sequence[int], data_dim: int = 32, latent_dim: int = 32, scale: float = 0.02) -> None:
        super().__init__()
        if min(data_dim, latent_dim) < 1:
            raise LabError(f"data and latents need at least one dimension, got {data_dim} and {latent_dim}")
        if not 0 < scale < float("inf"):
            raise LabError(f"the start scale must be above 0 (from exactly 0 nothing ever grows), got {scale}")
        self.latent_dim = latent_dim
        generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
        draws = [torch.randn(2, data_dim, latent_dim, generator=g) * scale for g in generators]
        weights = torch.stack(draws, 1)  # (2, R, data_dim, latent_dim)
        self.encoder = nn.Parameter(weights[0].clone())
        self.decoder = nn.Parameter(weights[1].mT.contiguous())

    def encode(self, x: Tensor) -> Tensor:
        return x @ self.encoder  # (R, N, data_dim) @ (R, data_dim, d) -> (R, N, d)

    def decode(self, z: Tensor) -> Tensor:
        return z @ self.decoder
