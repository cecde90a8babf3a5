"""Sums, means and gathers over the processes (ranks) of a distributed training; alone, each leaves things as they are.

Which processes belong together is PyTorch's default process group, as for its own synchronised batch normalisation.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, distributed


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def own() -> int:
    """Which of them this one is, 0 for the first."""
    return distributed.get_rank() if count() > 1 else 0


def add_up(x: Tensor) -> Tensor:
    """Make x the sum over all ranks, in place."""
    if count() > 1:
        distributed.all_reduce(x)
    return x


def mean(x: Tensor) -> Tensor:
    """The mean over all ranks, without a gradient."""
    return add_up(x.detach().clone()) / count() if count() > 1 else x.detach()


def gather(z: Tensor) -> Tensor:
    """Latents (R, N, d) of each rank, the same N on all, one rank's behind another's: (R, ranks · N, d)."""
    if count() == 1:
        return z
    parts = [torch.empty_like(z, memory_format=torch.contiguous_format) for _ in range(count())]
    distributed.all_gather(parts, z.contiguous())
    return torch.cat(parts, 1)


def share(x: Tensor, axis: int = 0) -> Tensor:
    """This rank's part of x, of which all ranks hold the whole: as equal in size as can be, in order."""
    return x.tensor_split(count(), axis)[own()]


def agree(tensors: Sequence[Tensor], generators: Sequence[Generator] = ()) -> None:
    """Make tensors, in place, and random generators what they are on rank 0."""
    if count() == 1:
        return
    for tensor in tensors:
        distributed.broadcast(tensor, 0)
    states = [[generator.get_state() for generator in generators]]
    distributed.broadcast_object_list(states, 0)
    for generator, state in zip(generators, states[0], strict=True):
        generator.set_state(state)
