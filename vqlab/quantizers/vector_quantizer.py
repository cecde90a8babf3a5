"""Vector quantization: nearest code, codebook updates, dead-code replacement, straight-through estimator.

Every tensor carries a leading run axis R, so that R small models train at once as batched matrix
products: latents are (R, N, d), codebooks (R, K, d), tokens (R, N). One model is simply R = 1.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vqlab import LabError
from vqlab.inputs import number, one_of, whole
from vqlab.inputs import seeds as checked_seeds
from vqlab.quantizers import inputs, ranks
from vqlab.quantizers.initialisation import initialise
from vqlab.quantizers.nearest import chosen, count_flat, flat, search

UPDATES = ("ema", "gradient")
# Counts and sums of an unused code decay together, so their ratio stays put until both underflow.
_LEAST_COUNT = 1e-20


class Quantized(NamedTuple):
    """What a quantizer returns: z_q (R, N, d) with straight-through gradient, tokens (R, N), loss (R,)."""

    z_q: Tensor
    tokens: Tensor
    loss: Tensor


def straight_through(z: Tensor, z_q: Tensor) -> Tensor:
    """Value of z_q, gradient of z: z + sg(z_q − z) (van den Oord et al. 2017, arXiv 1711.00937, §3.2).

    Raises: LabError if the two differ in shape, or for NaN/Inf.
    """
    z, z_q = inputs.real(z, "latents"), inputs.real(z_q, "quantized latents")
    if z.shape != z_q.shape:
        raise LabError(f"z and z_q must have one shape, got {tuple(z.shape)} and {tuple(z_q.shape)}")
    inputs.check_finite(z, "the latents")
    inputs.check_finite(z_q, "the quantized latents")
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
    Counts, sums and codes stay in float32 even if the module is cast to half precision: in bfloat16 a running mean
    would stop moving. Latents may come in any dtype, also under autocast; z_q comes back in theirs.
    In a distributed training (ranks) all codebooks stay the same: counts and sums are those of the latents of all
    ranks, and codes are placed on and replaced by latents of all. Codes that learn by gradient need theirs averaged,
    as `DistributedDataParallel` does.
    On a GPU a training step never waits for the device. So it does not look for NaN or Inf, and where rounding in
    float32 leaves two codes equally near, either may be taken.
    Raises: LabError if K < 1, d < 1, `update` is unknown, `decay` is outside [0, 1), or a weight or `replace_below` is
        negative or not finite.
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
        codebook_size, dim = whole(codebook_size, "the number of codes, K,"), whole(dim, "the dimension d of a code")
        self.update = one_of(update, "codebook update", UPDATES)
        self.decay = number(decay, "the EMA decay", least=0, below=1)
        self.commitment_weight = number(commitment_weight, "the commitment weight", least=0)
        self.codebook_weight = number(codebook_weight, "the codebook weight", least=0)
        self.replace_below = None if replace_below is None else number(replace_below, "replace_below", least=0)
        seeds = checked_seeds(seeds)
        self.generators = [torch.Generator().manual_seed(seed + 7919) for seed in seeds]
        start = torch.stack([torch.randn(codebook_size, dim, generator=g) for g in self.generators])
        self.codebook = nn.Parameter(start, requires_grad=update == "gradient")
        self.register_buffer("counts", torch.ones(len(seeds), codebook_size))
        self.register_buffer("sums", start.clone())

    def _apply(self, function: Callable, recurse: bool = True) -> "VectorQuantizer":
        """Move between devices, but never to half precision."""

        def keep_precision(tensor: Tensor) -> Tensor:
            moved = function(tensor)
            return tensor.to(moved.device) if moved.dtype in (torch.float16, torch.bfloat16) else moved

        return super()._apply(keep_precision, recurse)

    @torch.no_grad()
    def set_codebook(self, codebook: Tensor, counts: Tensor) -> None:
        """Start from a codebook (R, K, d) that `counts` (R, K) tokens of a typical batch would choose.

        Raises: LabError for another shape, NaN or Inf, or negative counts.
        """
        codebook, counts = inputs.real(codebook, "the codebook"), inputs.real(counts, "the counts")
        if codebook.shape != self.codebook.shape:
            raise LabError(f"the codebook must be {tuple(self.codebook.shape)}, got {tuple(codebook.shape)}")
        if counts.shape != self.counts.shape or not ((counts >= 0) & torch.isfinite(counts)).all():
            raise LabError(f"the counts must be {tuple(self.counts.shape)}, finite and at least 0: one for each code")
        inputs.codebook(codebook, codebook)  # refuses NaN and Inf
        self.codebook.copy_(codebook)
        self.counts.copy_(counts)
        self.sums.copy_(codebook * counts[..., None])

    @torch.no_grad()
    def start_from(
        self,
        latents: Tensor,
        batch_tokens: int,
        initialisation: str = "kmeans",
        generators: Sequence[torch.Generator] | None = None,
    ) -> None:
        """Place the codes on latents (R, N, d) of the data: the end of a warm-up, in any training loop.

        latents: N ≥ K of them, from many batches.   batch_tokens: tokens in one training batch. The counts of the N
        latents are scaled down to it, so that EMA and dead-code replacement start in their steady state; without that
        the codes would stand still for the first N / batch_tokens steps.
        initialisation, generators: see `initialise`; by default k-means and the quantizer's own generators.
        Start the optimizer afresh afterwards: its moments belong to the loss before the switch.
        Raises: LabError as `initialise`, or if there are no tokens in a batch.
        """
        batch_tokens = whole(batch_tokens, "the number of tokens in a batch")
        z = inputs.latents(latents)
        if (len(z), z.shape[2]) != (len(self.codebook), self.codebook.shape[2]):
            raise LabError(
                f"latents {tuple(z.shape)} do not fit a codebook {tuple(self.codebook.shape)}: both need the same "
                "number of runs R (first axis) and the same dimension d (last axis)"
            )
        given = self.generators if generators is None else generators
        codebook, counts = initialise(initialisation, z, self.codebook.shape[1], given)
        ranks.agree([codebook, counts], given)  # sums on a GPU differ from rank to rank in their last digits
        self.set_codebook(codebook, counts * (batch_tokens / z.shape[1]))

    def forward(self, z: Tensor) -> Quantized:
        """Quantize latents z (R, N, d); in training mode the EMA codebook moves once, after the look-up."""
        with torch.autocast(self.codebook.device.type, enabled=False):
            look = not self.training or inputs.answers_at_once(self.codebook)
            exact = inputs.latents(z, look)
            inputs.codebook(self.codebook, exact, look)
            dtype = torch.promote_types(exact.dtype, self.codebook.dtype)
            with torch.no_grad():
                tokens = search(exact.to(dtype), self.codebook.to(dtype), look)
            z_q = chosen(self.codebook, tokens)
            loss = self.commitment_weight * _mean_squared(exact, z_q.detach())
            if self.update == "gradient":
                loss = loss + self.codebook_weight * _mean_squared(z_q, exact.detach())
            if self.training:
                self._follow(exact.detach().to(self.sums.dtype), tokens)
            passed = exact + (z_q - exact).detach()
            if isinstance(z, Tensor) and z.is_floating_point():
                passed = passed.to(z.dtype)
            return Quantized(passed, tokens, loss)

    @torch.no_grad()
    def _follow(self, z: Tensor, tokens: Tensor) -> None:
        runs, k, d = self.codebook.shape
        flat_tokens = flat(tokens, k).view(-1)  # (R, N) -> (R·N,)
        self.counts.mul_(self.decay).add_(ranks.add_up(count_flat(flat_tokens, runs, k)), alpha=1 - self.decay)
        if self.update == "ema":
            latents = z.reshape(-1, d) * (1 - self.decay)
            # Alone, latents are added to the sums themselves: no second tensor as large as the codebook.
            sums = self.sums.mul_(self.decay) if ranks.count() == 1 else torch.zeros_like(self.sums)
            # scatter_add_ says the same as index_add_ in a quarter of the time.
            sums.view(-1, d).scatter_add_(0, flat_tokens.unsqueeze(1).expand_as(latents), latents)
            if ranks.count() > 1:
                self.sums.mul_(self.decay).add_(ranks.add_up(sums))
            self._move_codes()
        if self.replace_below is not None:
            self._replace_dead(z)

    def _move_codes(self) -> None:
        if inputs.answers_at_once(self.counts) and self.counts.min() > _LEAST_COUNT:
            torch.div(self.sums, self.counts.unsqueeze(-1), out=self.codebook.data)
            return
        counts = self.counts.unsqueeze(-1)
        torch.where(counts > _LEAST_COUNT, self.sums / counts, self.codebook, out=self.codebook.data)

    def _replace_dead(self, z: Tensor) -> None:
        tokens = z.shape[1] * ranks.count()
        share = tokens / self.codebook.shape[1]
        dead = self.counts < self.replace_below * share
        at_once = inputs.answers_at_once(dead)
        if at_once and not dead.any():
            return
        replace = self._replace_rows if at_once else self._replace_where
        for run, (latents, generator) in enumerate(zip(ranks.gather(z), self.generators, strict=True)):
            replace(run, dead[run], lambda n, g=generator: torch.randint(tokens, (n,), generator=g), latents, share)

    def _replace_rows(self, run: int, dead: Tensor, draw: Callable, latents: Tensor, share: float) -> None:
        rows = dead.nonzero().squeeze(1)
        fresh = latents[draw(len(rows))]
        self.codebook.data[run, rows] = fresh
        self.counts[run, rows] = share
        self.sums[run, rows] = fresh * share

    def _replace_where(self, run: int, dead: Tensor, draw: Callable, latents: Tensor, share: float) -> None:
        """The same without asking how many are dead: a latent is drawn for each code, and the dead ones take theirs."""
        fresh = latents[inputs.moved(draw(len(dead)), latents.device)]
        self.counts[run].masked_fill_(dead, share)
        for kept, put in ((self.codebook.data[run], fresh), (self.sums[run], fresh * share)):
            torch.where(dead[:, None], put, kept, out=kept)
