"""Exercises of Lab 01: the three lines of a vector quantizer, its health number, and one prediction."""

import numpy as np
import torch
from torch import Tensor

from vqlab import sweeps
from vqlab.exercises import Exercise, Mistake, Test, fresh, near, too_far, variants

_GENERATOR = torch.Generator().manual_seed(1)
_Z = torch.randn(40, 3, generator=_GENERATOR)
_CODES = torch.randn(7, 3, generator=_GENERATOR) * torch.tensor([0.3, 1.0, 3.0])
_DISTANCES = torch.cdist(_Z, _CODES)
_TOKENS = _DISTANCES.argmin(1)
_SKEWED = torch.tensor([0, 0, 0, 0, 1, 1, 2, 3])


def _same(answer: object, expected: Tensor, tolerance: float = 1e-4) -> bool:
    answer = torch.as_tensor(answer, dtype=torch.float64).detach()
    expected = expected.to(torch.float64)
    return answer.shape == expected.shape and torch.allclose(answer, expected, rtol=tolerance, atol=tolerance)


# --- nearest_code(z, codes) -> tokens ----------------------------------------------------------------------

_LINE = (torch.tensor([[0.0], [0.9], [5.0]]), torch.tensor([[1.0], [0.0], [4.0]]))

nearest_code = Exercise(
    "nearest_code",
    tests=(
        Test(
            "latents 0, 0.9, 5 with codes 1, 0, 4 give tokens 1, 0, 2",
            lambda f: _same(fresh(f, *_LINE), torch.tensor([1, 0, 2])),
        ),
        Test(
            "40 random latents in 3-D choose their nearest of 7 codes", lambda f: _same(fresh(f, _Z, _CODES), _TOKENS)
        ),
        Test("a single latent gives one token", lambda f: _same(fresh(f, _Z[:1], _CODES), _TOKENS[:1])),
    ),
    mistakes=(
        Mistake(
            "This is the farthest code: you take the largest distance. Open hint 1.",
            lambda f: _same(fresh(f, _Z, _CODES), _DISTANCES.argmax(1)),
        ),
        Mistake(
            "You return one latent per code; we need one code per latent. Which axis holds the codes? Open hint 2.",
            lambda f: _same(fresh(f, _Z, _CODES), _DISTANCES.argmin(0)),
        ),
        Mistake(
            "You return distances; we need the index of the smallest one. Open hint 2.",
            lambda f: (
                _same(fresh(f, _Z, _CODES), _DISTANCES.min(1).values, 1e-3)
                or _same(fresh(f, _Z, _CODES), _DISTANCES.min(1).values ** 2, 1e-3)
                or _same(fresh(f, _Z, _CODES), _DISTANCES)
                or _same(fresh(f, _Z, _CODES), _DISTANCES**2)
            ),
        ),
        Mistake(
            "You return the codes themselves; we need their indices. Open hint 2.",
            lambda f: _same(fresh(f, _Z, _CODES), _CODES[_TOKENS]),
        ),
        Mistake(
            "You compare inner products z·c only, which favours long codes: ‖c‖² is missing. Open hint 3.",
            lambda f: _same(fresh(f, _Z, _CODES), (_Z @ _CODES.T).argmax(1)),
        ),
        Mistake(
            "Almost: the factor 2 of the cross term in ‖c‖² − 2 z·c is missing. Open hint 3.",
            lambda f: _same(fresh(f, _Z, _CODES), (_CODES.square().sum(1) - _Z @ _CODES.T).argmin(1)),
        ),
        Mistake(
            "`min` returns values and indices together; take the indices. Open hint 2.",
            lambda f: isinstance(fresh(f, _Z, _CODES), tuple),
        ),
        Mistake(
            "Your result has not the shape (N,): reduce over the axis of the codes, and over no other. Open hint 2.",
            lambda f: torch.as_tensor(fresh(f, _Z, _CODES)).shape != _TOKENS.shape,
        ),
    ),
)

# --- perplexity(tokens, k) -> float ------------------------------------------------------------------------


def _nats(tokens: Tensor, k: int) -> float:
    p = torch.bincount(tokens, minlength=k).double() / len(tokens)
    return float(-(p[p > 0] * p[p > 0].log()).sum())


def _of_shares(divisor: float) -> float:
    """The "perplexity" of counts divided by the wrong number."""
    p = torch.bincount(_SKEWED).double() / divisor
    return float(torch.exp(-(p * p.log()).sum()))


perplexity = Exercise(
    "perplexity",
    tests=(
        Test("4 codes, each used twice, read 4", lambda f: near(f(torch.tensor([0, 1, 2, 3, 3, 2, 1, 0]), 4), 4)),
        Test(
            "one code used alone reads 1, however many codes are dead",
            lambda f: near(f(torch.tensor([2, 2, 2]), 5), 1),
        ),
        Test("uses 4, 2, 1, 1 of 8 codes read 3.36", lambda f: near(fresh(f, _SKEWED, 8), np.exp(_nats(_SKEWED, 8)))),
    ),
    mistakes=(
        Mistake(
            "You return NaN: a dead code contributes 0·log 0. Leave out the codes with p = 0. Open hint 2.",
            lambda f: bool(np.isnan(float(fresh(f, _SKEWED, 8)))),
        ),
        Mistake(
            "This is the entropy in nats; perplexity is exp of it. Open hint 1.",
            lambda f: near(fresh(f, _SKEWED, 8), _nats(_SKEWED, 8)),
        ),
        Mistake(
            "This is the entropy in bits; perplexity is 2 to that power. Open hint 1.",
            lambda f: near(fresh(f, _SKEWED, 8), _nats(_SKEWED, 8) / np.log(2)),
        ),
        Mistake(
            "You mix two logarithms: log2 goes with 2**H, the natural log with exp(H). Open hint 1.",
            lambda f: (
                near(fresh(f, _SKEWED, 8), np.exp(_nats(_SKEWED, 8) / np.log(2)))
                or near(fresh(f, _SKEWED, 8), 2 ** _nats(_SKEWED, 8))
            ),
        ),
        Mistake(
            "Perplexity below 1: the minus sign of the entropy is missing. Open hint 1.",
            lambda f: near(fresh(f, _SKEWED, 8), np.exp(-_nats(_SKEWED, 8))),
        ),
        Mistake(
            "Your shares p do not sum to 1: divide the counts by the number of tokens. Open hint 1.",
            lambda f: near(fresh(f, _SKEWED, 5), _of_shares(1)) or near(fresh(f, _SKEWED, 5), _of_shares(5)),
        ),
        Mistake(
            "You count the active codes; perplexity also asks how evenly they are used. Open hint 1.",
            lambda f: near(fresh(f, _SKEWED, 8), 4),
        ),
    ),
)

# --- straight_through(z, z_q) -> tensor --------------------------------------------------------------------


def _gradients(f, scale: float = 2.0) -> tuple[Tensor, Tensor | None, Tensor | None]:
    z, z_q = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([1.5, 1.0], requires_grad=True)
    out = f(z, z_q)
    if out.requires_grad:
        (scale * out).sum().backward()
    return out.detach(), z.grad, z_q.grad


def _is(tensor: Tensor | None, values: list[float] | None) -> bool:
    if values is None:
        return tensor is None or not tensor.any()
    return tensor is not None and _same(tensor, torch.tensor(values))


straight_through = Exercise(
    "straight_through",
    tests=(
        Test("forward, it returns the codes z_q", lambda f: _is(_gradients(f)[0], [1.5, 1.0])),
        Test("backward, z receives the gradient unchanged", lambda f: _is(_gradients(f)[1], [2.0, 2.0])),
        Test("backward, z_q receives nothing", lambda f: _is(_gradients(f)[2], None)),
    ),
    mistakes=(
        Mistake(
            "The gradient goes to z_q and the encoder gets none: you forgot `.detach()`. Open hint 2.",
            lambda f: (
                _is(_gradients(f)[0], [1.5, 1.0]) and _is(_gradients(f)[1], None) and not _is(_gradients(f)[2], None)
            ),
        ),
        Mistake(
            "Forward you return z itself, so nothing is quantized. Open hint 1.",
            lambda f: _is(_gradients(f)[0], [1.0, 2.0]),
        ),
        Mistake(
            "Nobody receives a gradient: detach the difference only, not z. Open hint 2.",
            lambda f: _is(_gradients(f)[1], None) and _is(_gradients(f)[2], None),
        ),
        Mistake(
            "z_q receives a gradient as well: it must sit inside the `.detach()`. Open hint 2.",
            lambda f: _is(_gradients(f)[1], [2.0, 2.0]) and not _is(_gradients(f)[2], None),
        ),
        Mistake(
            "The sign is turned: what must be added to z to arrive at z_q? Open hint 1.",
            lambda f: _is(_gradients(f)[0], [0.5, 3.0]),
        ),
    ),
)

# --- ema_step(counts, sums, z, tokens, decay) -> (codes, counts, sums) -------------------------------------

_COUNTS, _DECAY = torch.tensor([3.0, 2.0, 4.0]), 0.9
_OLD = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
_SUMS = _OLD * _COUNTS[:, None]
_BATCH, _BATCH_TOKENS = torch.tensor([[2.0, 0.0], [3.0, 1.0], [0.0, 2.0]]), torch.tensor([0, 0, 1])
_HITS = torch.tensor([2.0, 1.0, 0.0])
_BATCH_SUMS = torch.tensor([[5.0, 1.0], [0.0, 2.0], [0.0, 0.0]])


def _ema(decay: float) -> tuple[Tensor, Tensor, Tensor]:
    counts = decay * _COUNTS + (1 - decay) * _HITS
    sums = decay * _SUMS + (1 - decay) * _BATCH_SUMS
    return sums / counts[:, None], counts, sums


def _step(f) -> tuple[Tensor, Tensor, Tensor]:
    codes, counts, sums = fresh(f, _COUNTS, _SUMS, _BATCH, _BATCH_TOKENS, _DECAY)
    return codes, counts, sums


def _is_triple(answer: object) -> bool:
    shapes = [_OLD.shape, _COUNTS.shape, _OLD.shape]
    return isinstance(answer, tuple | list) and [torch.as_tensor(part).shape for part in answer] == shapes


ema_step = Exercise(
    "ema_step",
    tests=(
        Test("counts become γ·counts + (1 − γ)·hits", lambda f: _same(_step(f)[1], _ema(_DECAY)[1])),
        Test(
            "sums become γ·sums + (1 − γ)·(sum of the latents that chose the code)",
            lambda f: _same(_step(f)[2], _ema(_DECAY)[2]),
        ),
        Test("codes are the new sums over the new counts", lambda f: _same(_step(f)[0], _ema(_DECAY)[0])),
        Test("a code nobody chose stays where it is", lambda f: _same(_step(f)[0][2], _OLD[2])),
    ),
    mistakes=(
        Mistake(
            "Return three things, in this order: codes, counts, sums.",
            lambda f: (
                not _is_triple(fresh(f, _COUNTS, _SUMS, _BATCH, _BATCH_TOKENS, _DECAY))
                or _same(_step(f)[0], _ema(_DECAY)[2])
            ),
        ),
        Mistake(
            "γ and 1 − γ are swapped: your codes forget almost everything at each step. Open hint 1.",
            lambda f: _same(_step(f)[1], _ema(1 - _DECAY)[1]),
        ),
        Mistake(
            "You divide by this batch's hits; divide by the running counts. Open hint 3.",
            lambda f: _same(_step(f)[0][:2], (_ema(_DECAY)[2] / _HITS[:, None])[:2]),
        ),
        Mistake(
            "The unchosen code turned into NaN or Inf: you divide by a zero of this batch. Open hint 3.",
            lambda f: not bool(torch.isfinite(torch.as_tensor(_step(f)[0])).all()),
        ),
        Mistake(
            "The new hits and latents are added whole: both must be weighted by 1 − γ. Open hint 1.",
            lambda f: _same(_step(f)[1], _DECAY * _COUNTS + _HITS),
        ),
        Mistake(
            "You average codes with batch means, so a code hit once moves as far as one hit often. Open hint 2.",
            lambda f: _same(_step(f)[0][:2], (_DECAY * _OLD + (1 - _DECAY) * _BATCH_SUMS / _HITS[:, None])[:2]),
        ),
    ),
)

# --- bend: a prediction read off the stored sweep ----------------------------------------------------------

# Warm-up lengths and shares of the codebook, far from every tie.
_STARTS = ((0, 0.5), (0, 0.9), (0, 0.25), (10, 0.9), (10, 0.25), (25, 0.75))


def start_and_share() -> tuple[int, float]:
    """This student's warm-up length in steps, and the share of the codebook that is asked about."""
    return variants.drawn("bend", _STARTS)


def measured_bend() -> int:
    """The smallest stored K at which such a start uses less than this share of its codebook, by mean perplexity."""
    warmup, share = start_and_share()
    sweep = sweeps.load("tokens_collapse")
    sizes = np.array(sweep.axes["codebook_size"].values)
    perplexity = sweep.at(warmup=warmup)["perplexity"][..., -1].mean(1)  # (K, seeds, frames) -> (K,)
    return int(sizes[perplexity < share * sizes][0])


bend = Exercise(
    "bend",
    tests=(
        Test(
            "the smallest K on the slider with a mean perplexity below your share of K",
            lambda k: int(k) == k == measured_bend(),
        ),
    ),
    mistakes=too_far(
        measured_bend,
        "At that K the start still uses at least your share of its codes: look further right.",
        "Already at a smaller K the perplexity is below your share of K: look further left.",
    ),
)

# What differs from student to student: what is asked, and its answer.
VARIANTS = {"bend": (start_and_share, measured_bend)}
