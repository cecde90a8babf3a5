"""The nearest code where rounding in float32 leaves it open: exact up to ties of the float64 distances themselves."""

import torch
from torch import Tensor

_SCORES_PER_CHUNK = 2_097_152
_NUMBERS_PER_CHUNK = 1_048_576
_CODES_PER_BLOCK = 2048


def exact_nearest(z: Tensor, codebook: Tensor) -> Tensor:
    """Index of the nearest code of each latent by float64 distances: z (M, d), codebook (K, d) -> (M,), int64.

    Scores in float64 leave a handful of candidates a latent; of those the distances ‖z − c‖² are summed term by term,
    and equal ones go to the lower index. Codes that occur many times are looked at once.
    """
    k = len(codebook)
    rows = max(1, _SCORES_PER_CHUNK // k)
    return torch.cat([_decide(part, codebook) for part in z.split(rows)])


def _decide(z: Tensor, codebook: Tensor) -> Tensor:
    candidates = _candidates(z, codebook)  # (P, 2) of latent and code, latents ascending
    if len(candidates) > 8 * len(z):
        first = _first_occurrence(codebook)
        candidates = candidates[first[candidates[:, 1]] == candidates[:, 1]]
    latent, code = candidates.T
    rows = max(1, _NUMBERS_PER_CHUNK // z.shape[1])
    distances = torch.cat(
        [
            (z[i].double() - codebook[j].double()).square_().sum(1)
            for i, j in zip(latent.split(rows), code.split(rows), strict=True)
        ]
    )
    least = distances.new_full((len(z),), torch.inf).scatter_reduce_(0, latent, distances, "amin")
    nearest = distances == least[latent]
    lowest = torch.full((len(z),), len(codebook), device=z.device)
    return lowest.scatter_reduce_(0, latent[nearest], code[nearest], "amin")


def _candidates(z: Tensor, codebook: Tensor) -> Tensor:
    """Pairs (P, 2) of a latent and a code that may be its nearest, in ascending order."""
    z = z.double()
    centre = z.mean(0)
    z = z - centre
    scores = z.new_empty(len(z), len(codebook))
    for start in range(0, len(codebook), _CODES_PER_BLOCK):
        codes = codebook[start : start + _CODES_PER_BLOCK].double() - centre
        torch.addmm(codes.square().sum(1).mul_(-0.5), z, codes.T, out=scores[:, start : start + len(codes)])
    best = scores.amax(1)
    norms = z.norm(dim=1)
    reach = norms + (norms.square() - 2 * best).clamp_(min=0).sqrt_()
    error = 2 * (z.shape[1] + 16) * 2.0**-53 * reach * (norms + reach / 2)
    return (scores >= (best - error).unsqueeze(1)).nonzero()


def _first_occurrence(codebook: Tensor) -> Tensor:
    """For each code (K, d) the lowest index of an equal one: (K,)."""
    _, group = torch.unique(codebook, dim=0, return_inverse=True)
    index = torch.arange(len(codebook), device=codebook.device)
    return torch.full_like(index, len(codebook)).scatter_reduce_(0, group, index, "amin")[group]
