"""The nearest code of every latent.

Every tensor carries a leading run axis R: latents are (R, N, d), codebooks (R, K, d), tokens (R, N).
"""

import math

import torch
from torch import Tensor

from vqlab import LabError

# One score block of 1M floats (4 MB) stays in cache, so memory does not grow with N·K.
_CODES_PER_BLOCK = 2048
_SCORES_PER_BLOCK = 1_048_576


def check_latents(z: Tensor, codebook: Tensor | None = None) -> None:
    """Raise `LabError` unless z is a finite, non-empty (R, N, d) tensor that fits a finite codebook (R, K ≥ 1, d)."""
    if z.ndim != 3:
        raise LabError(f"latents must have shape (R, N, d), got {tuple(z.shape)}: for one run pass z[None]")
    if z.shape[1] == 0:
        raise LabError("there are no latents to quantize (N = 0): give at least one")
    if not math.isfinite(z.sum().item()):
        raise LabError("the latents contain NaN or Inf: the training has diverged, so lower the learning rate")
    if codebook is None:
        return
    if codebook.ndim != 3 or (codebook.shape[0], codebook.shape[2]) != (z.shape[0], z.shape[2]):
        raise LabError(
            f"latents {tuple(z.shape)} and codebook {tuple(codebook.shape)} disagree: both need the same number "
            "of runs R (first axis) and the same dimension d (last axis)"
        )
    if codebook.shape[1] == 0:
        raise LabError("the codebook is empty (K = 0): give at least one code")
    if not math.isfinite(codebook.sum().item()):
        raise LabError("the codes contain NaN or Inf: the training has diverged, so lower the learning rate")


def _argmax_last(scores: Tensor) -> tuple[Tensor, Tensor]:
    """First maximum over the last axis, as (values, indices)."""
    if scores.device.type != "cpu" or scores.dtype == torch.bfloat16:
        return scores.max(-1)
    # numpy's argmax runs on vector instructions, torch's does not: a tenth of the time.
    index = torch.from_numpy(scores.numpy().argmax(-1, keepdims=True))
    return scores.gather(-1, index).squeeze(-1), index.squeeze(-1)


@torch.no_grad()
def nearest_code(z: Tensor, codebook: Tensor) -> Tensor:
    """Index of the nearest code (squared Euclidean distance) for every latent; equal scores go to the lower index.

    Minimising ‖z − c‖² over c is maximising z·c − ‖c‖²/2, one matrix product. It runs in blocks, so the
    (N, K) matrix never exists: the scores take 4 MB at any N and K.

    Args: z (R, N, d) latents, codebook (R, K, d). Returns tokens (R, N), int64.
    Raises: LabError for wrong shapes, N = 0, K = 0, or NaN/Inf.
    """
    check_latents(z, codebook)
    runs, n, _ = z.shape
    k = codebook.shape[1]
    # Scores are differences of squares: measured from the middle of the codes, float32 keeps its digits.
    centre = codebook.mean(1, keepdim=True)
    z = z - centre
    rows = min(n, max(1, _SCORES_PER_BLOCK // (runs * min(k, _CODES_PER_BLOCK))))
    tokens = torch.empty(runs, n, dtype=torch.int64, device=z.device)
    best = z.new_empty(runs, n)
    # One buffer for all blocks: a new one each would fragment the heap until it holds the whole matrix.
    buffer = z.new_empty(runs * rows * min(k, _CODES_PER_BLOCK))
    for start in range(0, k, _CODES_PER_BLOCK):
        block = codebook[:, start : start + _CODES_PER_BLOCK] - centre
        offset = block.square().sum(-1).mul_(-0.5).unsqueeze(1)  # (R, 1, block)
        for row in range(0, n, rows):
            part, here = z[:, row : row + rows], slice(row, row + rows)
            shape = (runs, part.shape[1], block.shape[1])
            scores = torch.baddbmm(offset, part, block.mT, out=buffer[: math.prod(shape)].view(shape))
            value, index = _argmax_last(scores)
            if start > 0:
                better = value > best[:, here]
                index = torch.where(better, index + start, tokens[:, here])
                value = torch.where(better, value, best[:, here])
            tokens[:, here], best[:, here] = index, value
    return tokens


def look_up(codebook: Tensor, tokens: Tensor) -> Tensor:
    """codebook (R, K, d), tokens (R, N) -> the chosen codes (R, N, d)."""
    runs, k, d = codebook.shape
    flat = tokens + k * torch.arange(runs, device=tokens.device)[:, None]
    return codebook.reshape(runs * k, d)[flat]  # (R·K, d) indexed by (R, N) -> (R, N, d)


def code_counts(tokens: Tensor, codebook_size: int) -> Tensor:
    """How many tokens chose each code: tokens (R, N) -> counts (R, K), int64."""
    runs = tokens.shape[0]
    flat = tokens + codebook_size * torch.arange(runs, device=tokens.device)[:, None]
    return torch.bincount(flat.reshape(-1), minlength=runs * codebook_size).view(runs, codebook_size)
