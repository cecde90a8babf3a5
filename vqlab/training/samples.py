"""What a training learns from: samples (n, …), as floats or as pixels in bytes."""

import hashlib

from torch import Tensor, as_tensor

from vqlab import LabError
from vqlab.quantizers import inputs


def samples(values: Tensor) -> Tensor:
    """Samples (n, …) as uint8 pixels or float32.   Raises: LabError if there are none."""
    if str(getattr(values, "dtype", "")).removeprefix("torch.") == "uint8":
        found = as_tensor(values)
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


def fingerprint(data: Tensor) -> str:
    """Tells other data from these."""
    found = hashlib.sha256(f"{data.shape} {data.dtype}".encode())
    found.update(data.contiguous().numpy().data)
    return found.hexdigest()[:16]
