"""Everything that decides a training but the model, the data and the seeds."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

import torch

from vqlab import LabError
from vqlab.inputs import number, one_of, whole
from vqlab.quantizers import parse_initialisation
from vqlab.quantizers.vector_quantizer import UPDATES
from vqlab.training.objective import LOSSES

OPTIMIZERS: dict[str, Callable] = {
    "adamw": lambda parameters, lr: torch.optim.AdamW(parameters, lr=lr, fused=True),
    "adam": lambda parameters, lr: torch.optim.Adam(parameters, lr=lr, betas=(0.5, 0.9), fused=True),
    "sgd": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr),
}


@dataclass(frozen=True)
class Settings:
    """Everything that decides a run but the model, the data and the seeds.

    codebook_size: K.   steps: total optimiser steps, warm-up included.   warmup: steps before quantization starts.
    initialisation: of the codebook (see `quantizers.initialise`), from at most `initialisation_latents` latents.
    loss: of the reconstruction, "mse", "l1" (mean absolute error) or, for images, "l1+perceptual" with the distance
    weighted by perceptual_weight (see `training.objective`).   optimizer: "adamw", "sgd" or "adam", which has VQGAN's
    betas (0.5, 0.9).
    discriminator_start: the step from which on a discriminator is trained, too, and adds to the loss with
    discriminator_weight; None for none.
    update, decay, commitment_weight, codebook_weight, replace_below: see `quantizers.VectorQuantizer`.
    Raises: LabError for a value out of its range, or a warm-up longer than the training.
    """

    codebook_size: int = 128
    steps: int = 1000
    warmup: int = 0
    batch_size: int = 128
    learning_rate: float = 2e-3
    loss: str = "mse"
    perceptual_weight: float = 1.0
    optimizer: str = "adamw"
    initialisation: str = "kmeans"
    initialisation_latents: int = 20_000
    update: str = "ema"
    decay: float = 0.99
    commitment_weight: float = 0.25
    codebook_weight: float = 1.0
    replace_below: float | None = None
    discriminator_start: int | None = None
    discriminator_weight: float = 0.8

    def __post_init__(self) -> None:
        for field in fields(self):  # as Python numbers: a numpy one in a checkpoint would keep it from being read again
            object.__setattr__(self, field.name, _CHECKS[field.name](getattr(self, field.name), field.name))
        if self.warmup > self.steps:
            raise LabError(
                f"the warm-up is part of the {self.steps} steps, so it must lie in 0…{self.steps}, got {self.warmup}"
            )


def _initialisation(value: str, _: str) -> str:
    parse_initialisation(value)
    return value


_CHECKS: dict[str, Callable] = {
    "codebook_size": whole,
    "steps": whole,
    "warmup": partial(whole, least=0),
    "batch_size": whole,
    "learning_rate": partial(number, above=0),
    "loss": partial(one_of, choices=LOSSES),
    "perceptual_weight": partial(number, least=0),
    "optimizer": partial(one_of, choices=tuple(OPTIMIZERS)),
    "initialisation": _initialisation,
    "initialisation_latents": whole,
    "update": partial(one_of, choices=UPDATES),
    "decay": partial(number, least=0, below=1),
    "commitment_weight": partial(number, least=0),
    "codebook_weight": partial(number, least=0),
    "replace_below": lambda value, what: None if value is None else number(value, what, least=0),
    "discriminator_start": lambda value, what: None if value is None else whole(value, what, 0),
    "discriminator_weight": partial(number, least=0),
}
