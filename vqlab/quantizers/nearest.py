"""The nearest code of every latent.

Every tensor carries a leading run axis R: latents are (R, N, d), codebooks (R, K, d), tokens (R, N).
"""

import math

import torch
from torch import Tensor

from vqlab import LabError
from vqlab.inputs import whole
from vqlab.quantizers import inputs
from vqlab.quantizers.exact import exact_nearest

# One score block of 1M floats (4 MB) stays in cache, so memory does not grow with N·K.
_CODES_PER_BLOCK = 2048
_SCORES_PER_BLOCK = 1_048_576
# Unit roundoff of products in float32 by the precision that `torch.set_float32_matmul_precision` allows.
_ROUNDOFF = {"highest": 2.0**-24, "high": 2.0**-11, "medium": 2.0**-8}


@torch.no_grad()
def nearest_code(z: Tensor, codebook: Tensor) -> Tensor:
    """Index of the nearest code (squared Euclidean distance) for every latent; equal distances go to the lower index.

    Minimising ‖z − c‖² over c is maximising z·c − ‖c‖²/2, one matrix product. It runs in blocks, so the
    (N, K) matrix never exists: the scores take 4 MB at any N and K. Where the two best scores are closer than rounding
    can have made them, `exact_nearest` decides in float64; so the answer is that of a float64 search, however the codes
    are spread.

    Args: z (R, N, d) latents, codebook (R, K, d); tensors or arrays of any real dtype. Returns tokens (R, N), int64.
    Raises: LabError for wrong shapes, N = 0, K = 0, or NaN/Inf.
    """
    z = inputs.latents(z)
    codebook = inputs.codebook(codebook, z)
    dtype = torch.promote_types(z.dtype, codebook.dtype)
    with torch.autocast(z.device.type, enabled=False):
        return search(z.to(dtype), codebook.to(dtype))


def search(z: Tensor, codebook: Tensor, exact: bool = True) -> Tensor:
    """`nearest_code` of latents and codes that are known to be finite, fitting, and of one dtype.

    exact: whether to decide in float64 what rounding leaves open; only if so a GPU has to be waited for.
    """
    # Scores are differences of squares. Measured from the middle of the latents, those of near codes are small.
    centre = z.mean(1, keepdim=True)
    z_centred = z - centre
    tokens, best, second = _two_best(z_centred, codebook, centre)
    if not exact:
        return tokens
    # With r = ‖z‖ + ‖z − c‖ no code that could be nearer has a norm above r, so a score z·c − ‖c‖²/2 of d terms is
    # wrong by at most (d + 5) u · 1.5 r², with the unit roundoff u; and r² ≤ 2‖z‖² + 2‖z − c‖² = 4 (‖z‖² − best).
    roundoff = _ROUNDOFF[torch.get_float32_matmul_precision()] if z.dtype == torch.float32 else 2.0**-53
    error = (z_centred.square().sum(-1) - best).mul_(12 * (z.shape[2] + 5) * roundoff).add_(1e-30)
    unsure = best - second <= error
    if unsure.any():
        for run in unsure.any(1).nonzero().squeeze(1).tolist():
            rows = unsure[run].nonzero().squeeze(1)
            tokens[run, rows] = exact_nearest(z[run, rows], codebook[run])
    return tokens


def _two_best(z: Tensor, codebook: Tensor, centre: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For latents measured from `centre`: the best code (R, N), its score, and the second best score."""
    runs, n, _ = z.shape
    k = codebook.shape[1]
    rows = min(n, max(1, _SCORES_PER_BLOCK // (runs * min(k, _CODES_PER_BLOCK))))
    tokens = torch.empty(runs, n, dtype=torch.int64, device=z.device)
    best, second = z.new_empty(runs, n), z.new_empty(runs, n)
    # One buffer for all blocks: a new one each would fragment the heap until it holds the whole matrix.
    buffer = z.new_empty(runs * rows * min(k, _CODES_PER_BLOCK))
    for start in range(0, k, _CODES_PER_BLOCK):
        block = codebook[:, start : start + _CODES_PER_BLOCK] - centre
        offset = block.square().sum(-1).mul_(-0.5).unsqueeze(1)  # (R, 1, block)
        for row in range(0, n, rows):
            part, here = z[:, row : row + rows], slice(row, row + rows)
            shape = (runs, part.shape[1], block.shape[1])
            scores = torch.baddbmm(offset, part, block.mT, out=buffer[: math.prod(shape)].view(shape))
            index = _argmax_last(scores)
            value = scores.gather(-1, index).squeeze(-1)
            runner_up = scores.scatter_(-1, index, -math.inf).amax(-1)
            index = index.squeeze(-1)
            if start > 0:
                runner_up = torch.maximum(runner_up, second[:, here])
                runner_up = torch.maximum(runner_up, torch.minimum(value, best[:, here]))
                index = torch.where(value > best[:, here], index + start, tokens[:, here])
                value = torch.maximum(value, best[:, here])
            tokens[:, here], best[:, here], second[:, here] = index, value, runner_up
    return tokens, best, second


def _argmax_last(x: Tensor) -> Tensor:
    """Index of the largest of the last axis, which stays, of length 1."""
    if x.device.type != "cpu":
        return x.argmax(-1, keepdim=True)
    # numpy's argmax runs on vector instructions, torch's does not: a tenth of the time.
    return torch.from_numpy(x.numpy().argmax(-1, keepdims=True))


def look_up(codebook: Tensor, tokens: Tensor) -> Tensor:
    """codebook (R, K, d), tokens (R, N) -> the chosen codes (R, N, d).

    Raises: LabError for a codebook or tokens of another shape, NaN/Inf, or a token outside 0…K−1.
    """
    codebook = inputs.real(codebook, "a codebook (R, K, d)")
    if codebook.ndim != 3 or 0 in codebook.shape:
        raise LabError(f"a codebook must have shape (R, K, d), none of them 0, got {tuple(codebook.shape)}")
    inputs.check_finite(codebook, "the codes")
    tokens = inputs.tokens(tokens, codebook.shape[1])
    if len(tokens) != len(codebook):
        raise LabError(f"{len(codebook)} codebooks need tokens of as many runs, got {tuple(tokens.shape)}")
    return chosen(codebook, tokens.to(codebook.device))


def code_counts(tokens: Tensor, codebook_size: int) -> Tensor:
    """How many tokens chose each code: tokens (R, N) -> counts (R, K), int64.

    Raises: LabError for tokens of another shape or outside 0…K−1.
    """
    codebook_size = whole(codebook_size, "the number of codes, K,")
    tokens = inputs.tokens(tokens, codebook_size)
    return count_flat(flat(tokens, codebook_size), len(tokens), codebook_size)


def chosen(codebook: Tensor, tokens: Tensor) -> Tensor:
    """`look_up` of tokens that are known to fit."""
    return codebook.reshape(-1, codebook.shape[2])[flat(tokens, codebook.shape[1])]  # (R·K, d) by (R, N) -> (R, N, d)


def flat(tokens: Tensor, codebook_size: int) -> Tensor:
    """Tokens (R, N) as indices into the codes of all runs, one after the other: (R, N), 0…R·K − 1."""
    return tokens + codebook_size * torch.arange(len(tokens), device=tokens.device)[:, None]


def count_flat(flat_tokens: Tensor, runs: int, codebook_size: int) -> Tensor:
    """How often each of the codes of all runs occurs: -> (R, K), int64."""
    places = flat_tokens.reshape(-1)
    if inputs.answers_at_once(places):  # bincount asks for the largest
        return torch.bincount(places, minlength=runs * codebook_size).view(runs, codebook_size)
    counts = torch.zeros(runs * codebook_size, dtype=torch.int64, device=places.device)
    return counts.scatter_add_(0, places, torch.ones_like(places)).view(runs, codebook_size)
