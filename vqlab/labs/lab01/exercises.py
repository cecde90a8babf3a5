"""Exercises of Lab 01: the three lines of a vector quantizer, its health number, and one prediction."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from vqlab import sweeps
from vqlab.exercises import Exercise, Mistake, Test, near, too_far, variants, with_gradients

_FLOATS = (np.float32, np.float64)

# --- nearest_code(z, codebook) -> tokens -------------------------------------------------------------------


def _distances(z: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    return np.linalg.norm(z[:, None].astype(float) - codebook, axis=-1)  # (N, 1, d) − (K, d) -> (N, K)


def _latents_and_codes(rng: Generator, n: int, codebook_size: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Latents off the origin, and codes of unequal lengths; no latent is half-way between two codes."""
    scales = rng.choice([0.3, 1.0, 3.0], size=(codebook_size, 1))
    z, codebook = rng.normal(size=(n, d)) + rng.normal(size=d), rng.normal(size=(codebook_size, d)) * scales
    dtype = rng.choice(_FLOATS)
    z, codebook = np.round(z, 2).astype(dtype), np.round(codebook, 2).astype(dtype)
    clear = (np.diff(np.sort(_distances(z, codebook), 1)[:, :2]) > 1e-3).all(1)
    return (z[clear], codebook) if clear.any() else _latents_and_codes(rng, n, codebook_size, d)


def _equally_near(arguments: tuple, one: np.ndarray, other: np.ndarray) -> bool:
    """Of codes that are equally near either may be chosen."""
    n, codebook_size = len(arguments[0]), len(arguments[1])
    if not all(x.shape == (n,) and np.isin(x, np.arange(codebook_size)).all() for x in (one, other)):
        return near(one, other)
    chosen = (np.take_along_axis(_distances(*arguments), x.astype(int)[:, None], 1) for x in (one, other))
    return near(*chosen, 1e-5)


def _nearest(z: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    return _distances(z, codebook).argmin(1)


def _duplicated(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray]:
    z, codebook = _latents_and_codes(rng, 1 if i % 2 else rng.integers(2, 9), rng.integers(1, 6), 2)
    return (z, codebook) if i % 2 else (z, np.concatenate([codebook, codebook[::-1]]))


nearest_code = Exercise(
    "nearest_code",
    _nearest,
    tensors=True,
    alike=_equally_near,
    tests=(
        Test(
            "a few latents on a line choose their nearest code",
            lambda rng, i: _latents_and_codes(rng, 3, rng.integers(4, 6), 1),
        ),
        Test(
            "many latents in several dimensions choose their nearest code",
            lambda rng, i: _latents_and_codes(rng, *rng.integers((5, 5, 2), (60, 20, 9))),
        ),
        Test("a single latent gives one token, and of two equal codes either will do", _duplicated),
    ),
    mistakes=(
        Mistake(
            "This is the farthest code: you take the largest distance. Open hint 1.",
            lambda z, c: _distances(z, c).argmax(1),
        ),
        Mistake(
            "You return one latent per code; we need one code per latent. Which axis holds the codes? Open hint 2.",
            seen=lambda given, outcome: any(
                part.dtype.kind == "i" and part.shape == given[1].shape[:1] != given[0].shape[:1]
                for part in outcome.parts
            ),
        ),
        Mistake(
            "You return distances; we need the index of the smallest one. Open hint 2.",
            lambda z, c: _distances(z, c).min(1),
            lambda z, c: _distances(z, c).min(1) ** 2,
            _distances,
            lambda z, c: _distances(z, c) ** 2,
        ),
        Mistake(
            "You return the codes themselves; we need their indices. Open hint 2.",
            lambda z, c: c[_nearest(z, c)],
        ),
        Mistake(
            "You compare inner products z·c only, which favours long codes: ‖c‖² is missing. Open hint 3.",
            lambda z, c: (z @ c.T).argmax(1),
        ),
        Mistake(
            "Almost: the factor 2 of the cross term in ‖c‖² − 2 z·c is missing. Open hint 3.",
            lambda z, c: (np.square(c).sum(1) - z @ c.T).argmin(1),
        ),
        Mistake(
            "`min` returns values and indices together; take the indices. Open hint 2.",
            seen=lambda _, outcome: outcome.kind == "min",
        ),
        Mistake(
            "Your result has not the shape (N,): reduce over the axis of the codes, and over no other. Open hint 2.",
            seen=lambda arguments, outcome: bool(outcome.parts) and outcome.parts[0].shape != arguments[0].shape[:1],
        ),
    ),
)

# --- perplexity(tokens, k) -> float ------------------------------------------------------------------------


_PROMPTS = (0, 2, 3, 5, 8)


def prompt_length() -> int:
    """How many tokens at the beginning are a prompt in this student's sequences, and no token of an image."""
    return variants.drawn("perplexity", _PROMPTS)


def _of_image(tokens: np.ndarray, prompt: int | None = None) -> np.ndarray:
    return tokens[prompt_length() if prompt is None else prompt :]


def _nats(tokens: np.ndarray, k: int, divisor: float | None = None, prompt: int | None = None) -> float:
    tokens = _of_image(tokens, prompt)
    p = np.bincount(tokens, minlength=k) / (divisor or len(tokens))
    return -float((p[p > 0] * np.log(p[p > 0])).sum())


def _after_a_prompt(draw: Callable[[Generator, int], tuple[np.ndarray, int]]) -> Callable:
    """Draws tokens of images, and any codes before them."""

    def drawn(rng: Generator, i: int) -> tuple[np.ndarray, int]:
        tokens, k = draw(rng, i)
        return np.concatenate([rng.integers(k, size=prompt_length()), tokens]), k

    return drawn


def _evenly(rng: Generator, i: int) -> tuple[np.ndarray, int]:
    k = 4 + 3 * i
    used = rng.choice(k, size=rng.integers(2, k), replace=False)
    return rng.permutation(np.repeat(used, 1 + i % 4)), k


def _after_another_prompt(length: int) -> Callable[[np.ndarray, int], float]:
    return lambda tokens, k: np.exp(_nats(tokens, k, prompt=length))


def _alone(rng: Generator, i: int) -> tuple[np.ndarray, int]:
    k = int(rng.integers(2, 5 + 5 * i))
    return np.full(3 if i == 0 else rng.integers(1, 40), rng.integers(k)), k


def _unevenly(rng: Generator, i: int) -> tuple[np.ndarray, int]:
    k = 8 + 4 * i
    if i == 0:
        return np.repeat(rng.permutation(k)[:4], [4, 2, 1, 1]), k
    return rng.choice(k, size=rng.integers(20, 200), p=rng.dirichlet(np.full(k, 0.4))), k


perplexity = Exercise(
    "perplexity",
    lambda tokens, k: np.exp(_nats(tokens, k)),
    tensors=True,
    tests=(
        Test("codes that are used equally often read their number, whatever others are dead", _after_a_prompt(_evenly)),
        Test("one code used alone reads 1, however many codes are dead", _after_a_prompt(_alone)),
        Test("codes that are used unevenly, some of them dead", _after_a_prompt(_unevenly)),
    ),
    mistakes=(
        Mistake(
            "You return NaN: a dead code contributes 0·log 0. Leave out the codes with p = 0. Open hint 2.",
            seen=lambda _, outcome: any(np.isnan(part).any() for part in outcome.parts),
        ),
        Mistake("This is the entropy in nats; perplexity is exp of it. Open hint 1.", _nats),
        Mistake(
            "This is the entropy in bits; perplexity is 2 to that power. Open hint 1.",
            lambda tokens, k: _nats(tokens, k) / np.log(2),
        ),
        Mistake(
            "You mix two logarithms: log2 goes with 2**H, the natural log with exp(H). Open hint 1.",
            lambda tokens, k: np.exp(_nats(tokens, k) / np.log(2)),
            lambda tokens, k: 2 ** _nats(tokens, k),
        ),
        Mistake(
            "Perplexity below 1: the minus sign of the entropy is missing. Open hint 1.",
            lambda tokens, k: np.exp(-_nats(tokens, k)),
        ),
        Mistake(
            "Your shares p do not sum to 1: divide the counts by the number of tokens. Open hint 1.",
            lambda tokens, k: np.exp(_nats(tokens, k, 1)),
            lambda tokens, k: np.exp(_nats(tokens, k, k)),
        ),
        Mistake(
            "You count the active codes; perplexity also asks how evenly they are used. Open hint 1.",
            lambda tokens, k: len(np.unique(_of_image(tokens))),
        ),
        Mistake(
            "The prompt is another one: how many tokens to leave out at the beginning is printed above.",
            *map(_after_another_prompt, _PROMPTS),
        ),
    ),
)

# --- straight_through(z, z_q) -> tensor --------------------------------------------------------------------


def _two_and_from_above(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shape = (2,) if i == 0 else tuple(rng.integers(1, 6, size=rng.integers(1, 4)))
    dtype = _FLOATS[i % 2]
    return tuple(np.round(rng.uniform(0.1, 3, size=shape) * rng.choice([-1, 1]), 2).astype(dtype) for _ in range(3))


straight_through = Exercise(
    "straight_through",
    lambda z, z_q, gradient: (z_q, gradient, 0 * gradient),
    tensors=True,
    asks=with_gradients,
    returns=("the value", "the gradient that z receives", "the gradient that z_q receives"),
    tests=(
        Test("forward, it returns the codes z_q", _two_and_from_above, parts=(0,)),
        Test("backward, z receives the gradient unchanged", _two_and_from_above, parts=(1,)),
        Test("backward, z_q receives nothing", _two_and_from_above, parts=(2,)),
    ),
    mistakes=(
        Mistake(
            "The gradient goes to z_q and the encoder gets none: you forgot `.detach()`. Open hint 2.",
            lambda z, z_q, gradient: (z_q, 0 * gradient, gradient),
        ),
        Mistake("Forward you return z itself, so nothing is quantized. Open hint 1.", lambda z, *_: z, parts=(0,)),
        Mistake(
            "Nobody receives a gradient: z must also stand outside of the `.detach()`. Open hint 2.",
            lambda z, z_q, gradient: (0 * gradient, 0 * gradient),
            parts=(1, 2),
        ),
        Mistake(
            "You detached z and left the difference alone, so z receives the gradient with its sign turned: detach "
            "the difference, not z. Open hint 2.",
            lambda z, z_q, gradient: (-gradient, gradient),
            parts=(1, 2),
        ),
        Mistake(
            "z_q receives a gradient as well: it must sit inside the `.detach()`. Open hint 2.",
            lambda z, z_q, gradient: (gradient, gradient),
            parts=(1, 2),
        ),
        Mistake(
            "The sign is turned: what must be added to z to arrive at z_q? Open hint 1.",
            lambda z, z_q, gradient: 2 * z - z_q,
            parts=(0,),
        ),
    ),
)

# --- ema_step(counts, sums, z, tokens, decay) -> (codes, counts, sums) -------------------------------------


_EVERY = (1, 2, 3, 4, 6)


def batches_per_update() -> int:
    """This student's codebook is updated with every batch of so many, and keeps what it would keep over all of them."""
    return variants.drawn("ema_step", _EVERY)


def _kept(decay: float) -> float:
    return decay ** batches_per_update()


def _hits(counts: np.ndarray, z: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    chosen = np.eye(len(counts))[tokens]  # (N, K)
    return chosen.sum(0), chosen.T @ z  # (K,), (K, d)


def _ema(counts, sums, z, tokens, decay, new=None, kept=None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    hits, added = _hits(counts, z, tokens)
    kept = _kept(decay) if kept is None else kept
    new = 1 - kept if new is None else new
    counts, sums = kept * counts + new * hits, kept * sums + new * added
    return sums / counts[:, None], counts, sums


def _over_hits(least: int) -> Callable:
    def codes(counts, sums, z, tokens, decay):
        return _ema(counts, sums, z, tokens, decay)[2] / np.maximum(_hits(counts, z, tokens)[0], least)[:, None]

    return codes


def _mean_of_codes(unchosen_stay: bool) -> Callable:
    def codes(counts, sums, z, tokens, decay):
        (hits, added), old = _hits(counts, z, tokens), sums / counts[:, None]
        averaged = _kept(decay) * old + (1 - _kept(decay)) * added / np.maximum(hits, 1)[:, None]
        return np.where(hits[:, None] == 0, old, averaged) if unchosen_stay else averaged

    return codes


def _only_chosen(counts, sums, z, tokens, decay) -> tuple[np.ndarray, np.ndarray]:
    hit, new = _hits(counts, z, tokens)[0] > 0, _ema(counts, sums, z, tokens, decay)
    return np.where(hit, new[1], counts), np.where(hit[:, None], new[2], sums)


def _unchosen(counts, sums, z, tokens, decay) -> np.ndarray:
    return _hits(counts, z, tokens)[0] == 0


def _batch(rng: Generator, i: int) -> tuple:
    """Running counts and sums, and a batch that leaves some codes unchosen, often the last."""
    k, n, d = (4, 3, 2) if i == 0 else rng.integers((4, 1, 1), (9, 30, 5))
    dtype = _FLOATS[i % 2]
    counts = np.round(rng.uniform(0.5, 6, size=k), 1)
    sums, z = np.round(rng.normal(size=(k, d)) * counts[:, None], 1), np.round(rng.normal(size=(n, d)) + 1, 1)
    tokens = rng.choice(rng.permutation(k)[: rng.integers(1, k)], size=n)
    return counts.astype(dtype), sums.astype(dtype), z.astype(dtype), tokens, round(rng.uniform(0.5, 0.98), 2)


ema_step = Exercise(
    "ema_step",
    lambda counts, sums, z, tokens, decay: _ema(counts, sums, z, tokens, decay),
    tensors=True,
    returns=("codes", "counts", "sums"),
    tests=(
        Test("counts become γᵐ·counts + (1 − γᵐ)·hits", _batch, parts=(1,)),
        Test("sums become γᵐ·sums + (1 − γᵐ)·(sum of the latents that chose the code)", _batch, parts=(2,)),
        Test("codes are the new sums over the new counts", _batch, parts=(0,)),
        Test("a code nobody chose stays where it is", _batch, parts=(0,), where=_unchosen),
    ),
    mistakes=(
        Mistake("Return three things, in this order: codes, counts, sums.", lambda *batch: _ema(*batch)[::-1]),
        Mistake(
            "γ and 1 − γ are swapped: your codes forget almost everything at each step. Open hint 1.",
            lambda *batch: _ema(*batch, kept=1 - _kept(batch[4]))[1],
            parts=(1,),
        ),
        Mistake(
            "You typed in a decay: the one to use is the argument `decay`. Open hint 1.",
            *(lambda *batch, typed=typed: _ema(*batch[:4], typed) for typed in (0.9, 0.99)),
        ),
        Mistake(
            "You update with another number of batches than is printed above: γ is kept for each of them.",
            *(lambda *batch, every=every: _ema(*batch, kept=batch[4] ** every) for every in _EVERY),
        ),
        Mistake(
            "You divide by this batch's hits; divide by the running counts. Open hint 3.",
            _over_hits(0),
            _over_hits(1),
            parts=(0,),
        ),
        Mistake(
            "The unchosen code turned into NaN or Inf: you divide by a zero of this batch. Open hint 3.",
            seen=lambda _, outcome: bool(outcome.parts) and not np.isfinite(outcome.parts[0]).all(),
        ),
        Mistake(
            "The new hits and latents are added whole: both must be weighted by 1 − γ. Open hint 1.",
            lambda *batch: _ema(*batch, new=1)[1],
            parts=(1,),
        ),
        Mistake(
            "You average codes with batch means, so a code hit once moves as far as one hit often. Open hint 2.",
            _mean_of_codes(False),
            _mean_of_codes(True),
            parts=(0,),
        ),
        Mistake(
            "You update only the codes that were chosen: the counts and sums of the others decay as well. Open hint 1.",
            _only_chosen,
            parts=(1, 2),
        ),
    ),
)

# --- bend: a prediction read off the stored sweep ----------------------------------------------------------

# Warm-up lengths and shares of the codebook, far from every tie, and no two with one answer.
_STARTS = ((0, 0.5), (0, 0.9), (0, 0.25), (10, 0.25), (25, 0.4))


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
    measured_bend,
    tests=(Test("the smallest K on the slider with a mean perplexity below your share of K"),),
    tolerance=1e-9,
    mistakes=too_far(
        measured_bend,
        "At that K the start still uses at least your share of its codes: look further right.",
        "Already at a smaller K the perplexity is below your share of K: look further left.",
    ),
)

# What differs from student to student: what is asked, and its answer; None for code, which reads what is asked.
VARIANTS = {
    "perplexity": (prompt_length, None),
    "ema_step": (batches_per_update, None),
    "bend": (start_and_share, measured_bend),
}
