"""What quantizers are given, made plain: float32 or float64 tensors (R, N, d), whole tokens, or one `LabError`.

Arrays and lists become tensors, half precision (as under autocast) becomes float32; nothing else is changed.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from vqlab import LabError
from vqlab.inputs import LARGEST, integers, plain, shown

# Up to here squares of float32, and sums of a hundred million of them, are finite.
LARGEST_FLOAT32 = 1e15


def real(values: object, what: str) -> Tensor:
    """Any array, list or tensor of real numbers as a float32 or float64 tensor, on its device and with its gradient."""
    tensor = values if isinstance(values, Tensor) else torch.from_numpy(_writable(values, what))
    if tensor.is_complex() or tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise LabError(f"{what} must be a dense tensor of real numbers, got {tensor.dtype} and {tensor.layout}")
    if tensor.dtype in (torch.float32, torch.float64):
        return tensor
    return tensor.float() if tensor.is_floating_point() else tensor.double()


def latents(values: object, look: bool = True) -> Tensor:
    """Finite, non-empty latents (R, N, d); look: whether to see that they are finite.   Raises: LabError otherwise."""
    z = real(values, "latents (R, N, d)")
    if z.ndim != 3:
        raise LabError(f"latents must have shape (R, N, d), got {tuple(z.shape)}: for one run pass z[None]")
    if z.shape[1] == 0:
        raise LabError("there are no latents to quantize (N = 0): give at least one")
    if z.shape[0] == 0 or z.shape[2] == 0:
        raise LabError(f"latents (R, N, d) need at least one run and one dimension, got {tuple(z.shape)}")
    if look:
        check_finite(z, "the latents")
    return z


def codebook(values: object, z: Tensor, look: bool = True) -> Tensor:
    """A finite codebook (R, K ≥ 1, d) that fits latents z (R, N, d); look: as above.   Raises: LabError otherwise."""
    found = real(values, "a codebook (R, K, d)")
    if found.ndim != 3 or (found.shape[0], found.shape[2]) != (z.shape[0], z.shape[2]):
        raise LabError(
            f"latents {tuple(z.shape)} and codebook {tuple(found.shape)} disagree: both need the same number "
            "of runs R (first axis) and the same dimension d (last axis)"
        )
    if found.shape[1] == 0:
        raise LabError("the codebook is empty (K = 0): give at least one code")
    if found.device != z.device:
        raise LabError(f"latents are on {z.device} and the codebook on {found.device}: move one of them with .to()")
    if look:
        check_finite(found, "the codes")
    return found


def answers_at_once(x: Tensor) -> bool:
    """Whether asking for a number in x costs nothing. A GPU first has to finish what it was told to do."""
    return x.device.type == "cpu"


def moved(x: Tensor, device: torch.device) -> Tensor:
    """x on a device; to a GPU by way of pinned memory, so that nobody waits for it."""
    return x.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else x.to(device)


def tokens(values: object, codebook_size: int) -> Tensor:
    """Tokens (R, N) in 0…K−1 of any integer dtype, as int64.   Raises: LabError otherwise."""
    given = values if isinstance(values, Tensor) else torch.from_numpy(_writable(values, "tokens (R, N)"))
    if given.is_floating_point() or given.is_complex():
        raise LabError(f"tokens must be whole numbers, got {given.dtype}: convert them with .long() if they are")
    if given.ndim != 2 or given.numel() == 0:
        raise LabError(f"tokens must have shape (R, N) with at least one of each, got {tuple(given.shape)}")
    found = given.long()
    least, most = (int(bound) for bound in found.aminmax())
    if least < 0 or most >= codebook_size:  # they would land in another run's codebook
        raise LabError(f"tokens must lie in 0…{codebook_size - 1}, found {least}…{most}: is K right?")
    return found


def generators(values: object, runs: int) -> list[Generator]:
    """One random generator a run.   Raises: LabError otherwise."""
    if not isinstance(values, Sequence) or not all(isinstance(value, Generator) for value in values):
        raise LabError(f"generators must be a list of torch.Generator, one a run, got {shown(values)}")
    if len(values) != runs:
        raise LabError(f"{runs} runs need {runs} generators, one each, got {len(values)}")
    return list(values)


def _writable(values: object, what: str) -> np.ndarray:
    """A copy that PyTorch can share: it cannot write some memory, and knows few unsigned or foreign dtypes."""
    array = plain(values, what)
    if array.dtype.kind == "f":
        return np.array(array, f"=f{min(8, array.dtype.itemsize)}")
    return np.array(integers(array, what, axes=0) if array.size else array, "=i8")


def check_finite(x: Tensor, what: str) -> None:
    """Refuse NaN, Inf and numbers whose squares overflow in float64.   Raises: LabError."""
    # A sum costs a quarter of a look at every number. Only if it is not finite is the look needed.
    limit = LARGEST if x.dtype == torch.float64 else LARGEST_FLOAT32
    if abs(x.sum().item()) <= limit:
        return
    if not torch.isfinite(x).all():
        raise LabError(f"{what} contain NaN or Inf: the training has diverged, so lower the learning rate")
    if (largest := x.abs().amax().item()) > limit:
        raise LabError(
            f"{what} reach {largest:.3g}, and squares overflow: scale the data down, or lower the learning rate if the "
            "training has diverged"
        )
