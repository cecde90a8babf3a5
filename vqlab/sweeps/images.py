"""What is kept of a training on images: how the latents and the codes in use spread, beside the usual numbers."""

from collections.abc import Sequence

import numpy as np

from vqlab import measures
from vqlab.sweeps.experiment import Arrays
from vqlab.sweeps.recorder import Recorder, Snapshot

_QUANTIZED = ("perplexity", "active", "code_dim", "used_dim", "centroid_dim", "quantized_dim")


class ImageRecorder(Recorder):
    """A recorder for images (n, 3, H, W), bytes that a network of one run sees as floats in [0, 1].

    More arrays (seeds, frames): quantized_dim, effective dimension of the quantized latents; used_dim, of the codes in
    use; centroid_dim, of those codes re-estimated as means of the latents that choose them; spread, root mean square of
    the centred latents; and spectrum (seeds, frames, d), their principal variances.
    `last` is what was seen at the latest frame.
    """

    def __init__(self, steps: Sequence[int], images: np.ndarray) -> None:
        super().__init__(steps, images)
        self.pixels = images / np.float32(255)

    def _look(self, trainer) -> Snapshot:
        self.last = super()._look(trainer)
        return self.last

    def _numbers(self, look: Snapshot) -> Arrays:
        numbers = {
            "mse": measures.mean_squared_error(self.pixels, look.reconstruction),
            "latent_dim": measures.effective_dimension(look.latents),
            "spectrum": measures.principal_variances(look.latents),
            "spread": np.sqrt(look.latents.var(-2).sum(-1)),
        }
        nothing = np.full(len(look.latents), np.nan)
        if look.tokens is None:
            return numbers | dict.fromkeys(_QUANTIZED, nothing)
        (codebook,), (counts,), (latents,), (tokens,) = look.codebook, look.counts, look.latents, look.tokens
        used = counts > 0
        sums = np.zeros(codebook.shape)
        np.add.at(sums, tokens, latents)
        values = (
            measures.perplexity(counts),
            measures.active_codes(counts),
            measures.effective_dimension(codebook),
            measures.effective_dimension(codebook[used]),
            measures.effective_dimension(sums[used] / counts[used, None]),
            measures.effective_dimension(codebook[tokens]),
        )
        return numbers | {name: np.array([value], float) for name, value in zip(_QUANTIZED, values, strict=True)}


def patches_of(trainer, patches: np.ndarray) -> np.ndarray:
    """Pictures (n, 3, H, W) as bytes after the detour by the network's latents, and by its tokens if it has some."""
    import torch

    reconstruction = trainer.reconstruct(torch.from_numpy(patches))[0][0].numpy()
    return np.clip(np.round(255 * reconstruction), 0, 255).astype(np.uint8)
