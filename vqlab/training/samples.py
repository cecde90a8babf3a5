"""What a training learns from: samples (n, …), as floats or as pixels in bytes."""

import hashlib
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from vqlab import LabError
from vqlab.quantizers import inputs, ranks

# Of large images as many pixels as so many of 32 × 32 have.
_MOST_AT_ONCE, _PIXELS = 512, 512 * 32 * 32


def samples(values: Tensor) -> Tensor:
    """Samples (n, …) as uint8 pixels or float32.   Raises: LabError if there are none."""
    if str(getattr(values, "dtype", "")).removeprefix("torch.") == "uint8":
        found = torch.as_tensor(values)
    else:
        found = inputs.real(values, "samples (n, …)").detach().float()
        inputs.check_finite(found, "the samples")
    if found.ndim < 2 or found.numel() == 0:
        raise LabError(
            f"the data set is empty or of another shape: training needs samples (n, …), got {tuple(found.shape)}"
        )
    return found


def floats(values: Tensor) -> Tensor:
    """Samples as a network takes them: pixels in [0, 1], other numbers as they are."""
    return values / 255 if not values.is_floating_point() else values


def batch(
    data: Tensor, draw: Callable[[int, Generator], Tensor] | None, size: int, generators: Sequence[Generator]
) -> Tensor:
    """This process's share of a batch (R, size, …), one run's from each generator: fresh from `draw`, else of data."""
    if draw is not None:
        return ranks.share(torch.stack([draw(size, generator) for generator in generators]), 1)
    rows = torch.stack([torch.randint(len(data), (size,), generator=generator) for generator in generators])
    return data[ranks.share(rows, 1)]


def at_once(samples: Tensor) -> int:
    """How many of the samples (n, …) a network is to see at once, so that memory does not grow with n."""
    if samples.ndim < 3:
        return len(samples)
    return max(1, min(_MOST_AT_ONCE, _PIXELS // samples[0, 0].numel()))


def fingerprint(data: Tensor) -> str:
    """Tells other data from these."""
    found = hashlib.sha256(f"{data.shape} {data.dtype}".encode())
    found.update(data.contiguous().numpy().data)
    return found.hexdigest()[:16]
