"""What a training step computes forward, as one module, which can be run in other precisions and on several devices."""

from torch import Tensor, nn

from vqlab import LabError
from vqlab.quantizers import VectorQuantizer
from vqlab.training.objective import Error


class Reconstruction(nn.Module):
    """Samples (R, B, …) through encoder, codebook (None during the warm-up) and decoder.

    Returns losses (R,), the quantizer's and the error's; the errors (R,); and the reconstructions (R, B, …).
    """

    def __init__(self, model: nn.Module, quantizer: VectorQuantizer | None, error: Error) -> None:
        super().__init__()
        self.model, self.quantizer, self.error = model, quantizer, error

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z, loss = encode(self.model, x), 0
        if self.quantizer is not None:
            z, _, loss = self.quantizer(z)
        reconstruction = self.model.decode(z)
        error = self.error(reconstruction, x)
        return loss + error, error, reconstruction


def encode(model: nn.Module, x: Tensor) -> Tensor:
    """Latents (R, N, d) of samples (R, B, …).   Raises: LabError for samples that the model does not take."""
    try:
        return model.encode(x)
    except RuntimeError as error:
        reason = " ".join(str(error).split()).replace(". ", ", ")[:150]
        raise LabError(
            f"the model cannot encode {len(x)} runs of samples {tuple(x.shape[1:])} ({reason}): make it for "
            "the same seeds and for such samples"
        ) from error
