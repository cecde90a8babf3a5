"""Vector quantization: nearest code, codebook updates, dead-code replacement, straight-through estimator.

Every tensor carries a leading run axis R, so that R small models train at once as batched matrix
products: latents are (R, N, d), codebooks (R, K, d), tokens (R, N). One model is simply R = 1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vqlab import LabError
from vqlab.quantizers.nearest import look_up, nearest_code


class Quantized(NamedTuple):
    """What a quantizer returns: z_q (R, N, d) with straight-through gradient, tokens (R, N), loss (R,)."""

    z_q: Tensor
    tokens: Tensor
    loss: Tensor


def straight_through(z: Tensor, z_q: Tensor) -> Tensor:
    """Value of z_q, gradient of z: z + sg(z_q − z) (van den Oord et al. 2017, arXiv 1711.00937, §3.2)."""
    return z + (z_q - z).detach()


def _mean_squared(a: Tensor, b: Tensor) -> Tensor:
    return nn.functional.mse_loss(a, b, reduction="none").mean((1, 2))  # (R, N, d) -> (R,)


class VectorQuantizer(nn.Module):
    """A codebook of K codes in d dimensions for each of R runs, one run a seed.

    Loss per run: commitment_weight · mean‖z − sg(z_q)‖² and, when the codebook learns by gradient,
    + codebook_weight · mean‖sg(z) − z_q‖² (means over tokens and dimensions).

    Args:
        codebook_size: K, at least 1.   dim: d.   seeds: one per run; they drive dead-code replacement.
        update: "ema" (codes follow running means of their latents, arXiv 1711.00937, appendix A.1) or
            "gradient" (codes are parameters of the optimiser).
        decay: EMA decay γ in [0, 1).
        replace_below: a code whose EMA count is under this fraction of the uniform share N/K is moved to a
            random latent of the batch and its EMA count and sum are reset to that share; None turns it off.
    Raises: LabError if K < 1, `update` is unknown or `decay` is outside [0, 1).
    """

    def __init__(
        self,
        codebook_size: int,
        dim: int,
        seeds: Sequence[int] = (0,),
        *,
        update: str = "ema",
        decay: float = 0.99,
        commitment_weight: float = 0.25,
        codebook_weight: float = 1.0,
        replace_below: float | None = None,
    ) -> None:
        super().__init__()
        if codebook_size < 1:
            raise LabError(f"a codebook needs at least one code, got K = {codebook_size}")
        if update not in ("ema", "gradient"):
            raise LabError(f"codebook update must be 'ema' or 'gradient', got {update!r}")
        if not 0 <= decay < 1:
            raise LabError(f"the EMA decay must lie in [0, 1), got {decay}")
        self.update, self.decay, self.replace_below = update, decay, replace_below
        self.commitment_weight, self.codebook_weight = commitment_weight, codebook_weight
        self.generators = [torch.Generator().manual_seed(int(seed) + 7919) for seed in seeds]
        start = torch.stack([torch.randn(codebook_size, dim, generator=g) for g in self.generators])
        self.codebook = nn.Parameter(start, requires_grad=update == "gradient")
        self.register_buffer("counts", torch.ones(len(seeds), codebook_size))
        self.register_buffer("sums", start.clone())

    @torch.no_grad()
    def set_codebook(self, codebook: Tensor, counts: Tensor) -> None:
        """Start from a codebook (R, K, d) that `counts` (R, K) tokens of a typical batch would choose."""
        if codebook.shape != self.codebook.shape:
            raise LabError(f"the codebook must be {tuple(self.codebook.shape)}, got {tuple(codebook.shape)}")
        self.codebook.copy_(codebook)
        self.counts.copy_(counts)
        self.sums.copy_(codebook * counts[..., None])

    def forward(self, z: Tensor) -> Quantized:
        """Quantize latents z (R, N, d); in training mode the EMA codebook moves once, after the look-up."""
        tokens = nearest_code(z, self.codebook)
        z_q = look_up(self.codebook, tokens)
        loss = self.commitment_weight * _mean_squared(z, z_q.detach())
        if self.update == "gradient":
            loss = loss + self.codebook_weight * _mean_squared(z_q, z.detach())
        if self.training:
            self._follow(z.detach(), tokens)
        return Quantized(straight_through(z, z_q), tokens, loss)

    @torch.no_grad()
    def _follow(self, z: Tensor, tokens: Tensor) -> None:
        runs, k, d = self.codebook.shape
        flat = (tokens + k * torch.arange(runs, device=z.device)[:, None]).view(-1)  # (R, N) -> (R·N,)
        hits = torch.bincount(flat, minlength=runs * k).view(runs, k)
        self.counts.mul_(self.decay).add_(hits, alpha=1 - self.decay)
        if self.update == "ema":
            self.sums.mul_(self.decay)
            latents = z.reshape(-1, d) * (1 - self.decay)
            # scatter_add_ says the same as index_add_ in a quarter of the time.
            self.sums.view(-1, d).scatter_add_(0, flat.unsqueeze(1).expand_as(latents), latents)
            # Counts and sums of an unused code decay together, so their ratio stays put until both
            # underflow; below this floor the code keeps its place.
            if self.counts.min() > 1e-20:
                torch.div(self.sums, self.counts.unsqueeze(-1), out=self.codebook.data)
            else:
                alive = self.counts > 1e-20
                self.codebook.data[alive] = self.sums[alive] / self.counts[alive].unsqueeze(-1)
        if self.replace_below is not None:
            self._replace_dead(z)

    def _replace_dead(self, z: Tensor) -> None:
        share = z.shape[1] / self.codebook.shape[1]
        dead = self.counts < self.replace_below * share
        if not dead.any():
            return
        for run, generator in enumerate(self.generators):
            rows = dead[run].nonzero().squeeze(1)
            picks = torch.randint(z.shape[1], (len(rows),), generator=generator).to(z.device)
            self.codebook.data[run, rows] = z[run, picks]
            self.counts[run, rows] = share
            self.sums[run, rows] = z[run, picks] * share
