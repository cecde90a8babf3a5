"""Everything that decides a training but the model, the data and the seeds."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch

from vqlab import LabError
from vqlab.quantizers import parse_initialisation

OPTIMIZERS: dict[str, Callable] = {
    "adamw": lambda parameters, lr: torch.optim.AdamW(parameters, lr=lr, fused=True),
    "sgd": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr),
}


@dataclass(frozen=True)
class Settings:
    """Everything that decides a run but the model, the data and the seeds.

    codebook_size: K.   steps: total optimiser steps, warm-up included.   warmup: steps before quantization starts.
    initialisation: of the codebook (see `quantizers.initialise`), from at most `initialisation_latents` latents.
    update, decay, commitment_weight, codebook_weight, replace_below: see `quantize.VectorQuantizer`.
    """

    codebook_size: int = 128
    steps: int = 1000
    warmup: int = 0
    batch_size: int = 128
    learning_rate: float = 2e-3
    optimizer: str = "adamw"
    initialisation: str = "kmeans"
    initialisation_latents: int = 20_000
    update: str = "ema"
    decay: float = 0.99
    commitment_weight: float = 0.25
    codebook_weight: float = 1.0
    replace_below: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if hasattr(value, "item"):  # a numpy number in a checkpoint would keep it from being read again
                object.__setattr__(self, field.name, value.item())
        if self.steps < 1:
            raise LabError(f"training needs at least one step, got steps = {self.steps}")
        if not 0 <= self.warmup <= self.steps:
            raise LabError(
                f"the warm-up is part of the {self.steps} steps, so it must lie in 0…{self.steps}, got {self.warmup}"
            )
        if self.batch_size < 1:
            raise LabError(f"a batch needs at least one sample, got batch_size = {self.batch_size}")
        if self.optimizer not in OPTIMIZERS:
            raise LabError(f"unknown optimizer {self.optimizer!r}: choose from {', '.join(OPTIMIZERS)}")
        parse_initialisation(self.initialisation)
