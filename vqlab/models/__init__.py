"""Encoders and decoders (PyTorch). `encode` maps a batch to latents (R, N, d), `decode` maps them back."""

from typing import Protocol

from torch import Tensor

from vqlab.models.classifier import PerceptualDistance as PerceptualDistance
from vqlab.models.convolutional import ConvAutoencoder as ConvAutoencoder
from vqlab.models.discriminator import PatchDiscriminator as PatchDiscriminator
from vqlab.models.stacked import ACTIVATIONS as ACTIVATIONS
from vqlab.models.stacked import LinearAutoencoder as LinearAutoencoder
from vqlab.models.stacked import MLPAutoencoder as MLPAutoencoder
from vqlab.models.stacked import StackedMLP as StackedMLP
from vqlab.models.vqgan import CONFIGURATIONS as CONFIGURATIONS
from vqlab.models.vqgan import VQGAN as VQGAN


class Autoencoder(Protocol):
    """What training needs of a model: `latent_dim` (d), `encode`, `decode` and the usual nn.Module calls."""

    latent_dim: int

    def encode(self, x: Tensor) -> Tensor: ...

    def decode(self, z: Tensor) -> Tensor: ...
