"""Exercises of Lab 03: what tokens cost, the dimensions of the codes in use, and what packing spares."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from vqlab import measures, sweeps
from vqlab.exercises import Exercise, Mistake, Test, number, variants
from vqlab.labs.lab03 import readings

# --- rate_and_psnr(mse, codebook_size, tokens, pixels) -> (bits per pixel, PSNR in dB) ----------------------

# The largest value of a pixel, and bits of a file's header.
_FILES = ((1, 0), (255, 128), (1023, 64), (4095, 256), (65535, 192))


def peak_and_header() -> tuple[int, int]:
    """The largest value of a pixel in this student's images, and the bits of a header before their tokens."""
    return variants.drawn("rate_and_psnr", _FILES)


def _powers_of_two(rng: Generator, i: int) -> tuple[float, int, int, int]:
    side, patch = 8 * int(rng.integers(1, 9)), int(rng.choice([2, 4, 8]))
    mse = float(np.round(rng.uniform(1e-4, 0.05), 5) * peak_and_header()[0] ** 2)
    return mse, 2 ** int(rng.integers(1, 15)), (side // patch) ** 2, side**2


def _any_size(rng: Generator, i: int) -> tuple[float, int, int, int]:
    mse, _, tokens, pixels = _powers_of_two(rng, i)
    return mse, int(rng.integers(3, 5000)) | 1, tokens, pixels


def _rate_and_psnr(mse: float, codebook_size: int, tokens: int, pixels: int) -> tuple[float, float]:
    return _rate(tokens * np.log2(codebook_size), pixels), _decibels(mse)


def _rate(bits: float, pixels: int, header: int | None = None) -> float:
    return (bits + (peak_and_header()[1] if header is None else header)) / pixels


def _decibels(mse: float, peak: float | None = None) -> float:
    return 10 * np.log10((peak_and_header()[0] if peak is None else peak) ** 2 / mse)


def _with_header(header: int) -> Callable[..., float]:
    return lambda mse, k, tokens, pixels: _rate(tokens * np.log2(k), pixels, header)


def _with_peak(peak: float) -> Callable[..., float]:
    return lambda mse, *_: _decibels(mse, peak)


rate_and_psnr = Exercise(
    "rate_and_psnr",
    _rate_and_psnr,
    returns=("bits per pixel", "PSNR"),
    tests=(
        Test("bits per pixel, K a power of two", _powers_of_two, parts=(0,)),
        Test("bits per pixel, any K", _any_size, parts=(0,)),
        Test("PSNR in dB", _any_size, parts=(1,)),
    ),
    mistakes=(
        Mistake(
            "The order is turned: return bits per pixel first, then PSNR.",
            lambda *given: _rate_and_psnr(*given)[::-1],
        ),
        Mistake(
            "These are bits per image: divide by its pixels. Open hint 1.",
            lambda mse, k, tokens, pixels: _rate(tokens * np.log2(k), 1),
            lambda mse, k, tokens, pixels: tokens * np.log2(k),
            parts=(0,),
        ),
        Mistake(
            "These are the bits of one token: an image has many. Open hint 1.",
            lambda mse, k, tokens, pixels: np.log2(k),
            lambda mse, k, tokens, pixels: _rate(np.log2(k), pixels),
            parts=(0,),
        ),
        Mistake(
            "The logarithm must have base 2: one of K codes takes log2 K bits. Open hint 1.",
            lambda mse, k, tokens, pixels: _rate(tokens * np.log(k), pixels),
            lambda mse, k, tokens, pixels: _rate(tokens * np.log10(k), pixels),
            parts=(0,),
        ),
        Mistake(
            "You count K bits a token; telling one of K codes apart takes only log2 K. Open hint 1.",
            lambda mse, k, tokens, pixels: _rate(tokens * k, pixels),
            parts=(0,),
        ),
        Mistake(
            "The sign of PSNR is turned: a smaller error gives more dB. Open hint 2.",
            lambda mse, k, tokens, pixels: -_decibels(mse),
            parts=(1,),
        ),
        Mistake(
            "20·log10 is for amplitudes; the mean squared error is already a square. Open hint 2.",
            lambda mse, k, tokens, pixels: 2 * _decibels(mse),
            lambda mse, k, tokens, pixels: 20 * np.log10(peak_and_header()[0] / mse),
            parts=(1,),
        ),
        Mistake(
            "The peak is another one: it is the largest value that your pixels may have, printed above. Open hint 2.",
            *(_with_peak(peak) for peak, _ in _FILES),
            parts=(1,),
        ),
        Mistake(
            "The header is another one: how many bits your files spend on it is printed above. Open hint 1.",
            *(_with_header(header) for _, header in _FILES),
            parts=(0,),
        ),
        Mistake(
            "dB take the logarithm to base 10. Open hint 2.",
            *(lambda mse, *_, base=base: np.log(10) / np.log(base) * _decibels(mse) for base in (np.e, 2)),
            parts=(1,),
        ),
    ),
)

# --- used_dimension(codebook, tokens) -> effective dimension of the codes in use ----------------------------

_SHARE = 0.99
_CLEAR = 2e-3  # how far every cumulative share must be from the threshold, so that rounding decides nothing


def _cumulative(points: np.ndarray) -> np.ndarray:
    variances = measures.principal_variances(points)
    return np.cumsum(variances) / variances.sum()


def _dimension(points: np.ndarray) -> int:
    return int(measures.effective_dimension(points, _SHARE))


def _codebook(rng: Generator, codebook_size: int, d: int) -> np.ndarray:
    return rng.normal(size=(codebook_size, d)) * rng.uniform(0.3, 1) ** np.arange(d) + rng.normal(size=d)


def _clear(*clouds: np.ndarray) -> bool:
    return all(np.abs(_cumulative(cloud) - _SHARE).min() > _CLEAR for cloud in clouds)


def _all_used(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray]:
    while True:
        k, d = (6, 3) if i == 0 else rng.integers((8, 2), (40, 12))
        codebook = _codebook(rng, k, d)
        if _clear(codebook):
            return codebook, rng.permutation(np.repeat(np.arange(k), rng.integers(1, 4)))


def _some_dead(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes in use that spread along few axes, and dead ones that spread along all."""
    while True:
        k, d = (7, 3) if i == 0 else rng.integers((12, 4), (40, 12))
        used = rng.permutation(k)[: max(4, k // 3)]
        codebook = _codebook(rng, k, d) * 2
        codebook[used] = _codebook(rng, len(used), d) * 0.3 ** np.arange(d)
        if _clear(codebook[used], codebook) and _dimension(codebook[used]) != _dimension(codebook):
            return codebook, rng.permutation(np.concatenate([used, rng.choice(used, 2 * k)]))


def _unevenly(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Some codes chosen so often that weighing by use tells another dimension."""
    while True:
        k, d = rng.integers((6, 3), (30, 10))
        codebook = _codebook(rng, k, d)
        used = rng.permutation(k)[: max(5, k - 3)]
        tokens = rng.permutation(np.concatenate([used, np.repeat(used[:2], 40 * k)]))
        if _clear(codebook[used], codebook[tokens]) and _dimension(codebook[used]) != _dimension(codebook[tokens]):
            return codebook, tokens


def _few_used(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray]:
    k, d = rng.integers(3, (10, 6))
    used = rng.permutation(k)[: 1 + i % 2]
    return _codebook(rng, k, d), rng.permutation(np.repeat(used, rng.integers(1, 5)))


def _in_use(codebook: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    return codebook[np.unique(tokens)]


def _by_singular_values(power: int, centred: bool, alone: int) -> Callable[[np.ndarray, np.ndarray], int]:
    """A slip on the way by singular values, and what it makes of a single code."""

    def dimension(codebook: np.ndarray, tokens: np.ndarray) -> int:
        points = _in_use(codebook, tokens)
        if len(points) == 1:
            return alone
        values = np.linalg.svd(points - centred * points.mean(0), compute_uv=False) ** power
        return int((np.cumsum(values) < _SHARE * values.sum()).sum()) + 1

    return dimension


used_dimension = Exercise(
    "used_dimension",
    lambda codebook, tokens: _dimension(_in_use(codebook, tokens)),
    tests=(
        Test("every code is in use", _all_used),
        Test("dead codes do not count", _some_dead),
        Test("a code in use counts once, however often it is chosen", _unevenly),
        Test("a single code in use has dimension 0, two have 1", _few_used),
    ),
    mistakes=(
        Mistake(
            "You count the dead codes as well: keep the rows that some token names. Open hint 1.",
            lambda codebook, tokens: _dimension(codebook),
        ),
        Mistake(
            "You weigh codes by their use: that is the dimension of the quantized latents. Open hint 1.",
            lambda codebook, tokens: _dimension(codebook[tokens]),
        ),
        Mistake(
            "Variances are taken around the mean: subtract it first. Open hint 2.",
            *(_by_singular_values(power=2, centred=False, alone=alone) for alone in (0, 1)),
        ),
        Mistake(
            "Singular values are no variances yet: square them. Open hint 2.",
            *(_by_singular_values(power=1, centred=True, alone=alone) for alone in (0, 1)),
        ),
        Mistake(
            "One too few: you count the components below 99 %, and the next one is still needed. Open hint 3.",
            lambda codebook, tokens: max(0, _dimension(_in_use(codebook, tokens)) - 1),
        ),
        Mistake(
            "You count the codes in use; asked is how many dimensions they spread along. Open hint 2.",
            lambda codebook, tokens: len(np.unique(tokens)),
        ),
    ),
)

# --- spared: what packing spares a cold start, read off the stored sweep ------------------------------------

_POSITIONS = ((32, 4096), (32, 1024), (32, 256), (8, 4096), (8, 1024), (8, 256))  # encoder widths, codebook sizes
_POINTS = 1.0  # per cent


def width_and_size() -> tuple[int, int]:
    """This student's encoder width in channels and codebook size."""
    return variants.drawn("spared", _POSITIONS)


def _cold(key: str) -> np.ndarray:
    width, codebook_size = width_and_size()
    return sweeps.load("images_collapse").final(key, warmup=0, codebook_size=codebook_size, width=width)


def measured_sparing() -> float:
    """Per cent of log2 K bits that an ideal entropy coder spares the tokens of this student's cold start."""
    width, codebook_size = width_and_size()
    return readings.spared(sweeps.load("images_collapse"), warmup=0, codebook_size=codebook_size, width=width)


def _by_codes_in_use() -> float:
    return 100 * (1 - np.log2(_cold("active")).mean() / np.log2(width_and_size()[1]))


def _of_the_codes() -> float:
    return 100 * (1 - _cold("perplexity").mean() / width_and_size()[1])


def _bits() -> float:
    return np.log2(width_and_size()[1]) - np.log2(_cold("perplexity")).mean()


def _is(wrong: float, value: float, points: float = _POINTS) -> bool:
    return abs(value - wrong) < points <= abs(value - measured_sparing())


spared = Exercise(
    "spared",
    measured_sparing,
    alike=lambda _, one, other: one.size == 1 and bool(abs(one.item() - other) < _POINTS),
    tests=(Test("what packing spares your cold start, in per cent of log2 K bits"),),
    mistakes=(
        Mistake(
            "You count the codes in use; a packed token takes log2 of the perplexity. Open hint 1.",
            seen=number(lambda value: _is(_by_codes_in_use(), value)),
        ),
        Mistake(
            "This is the share of codes that perplexity leaves out; a token costs the logarithm. Open hint 1.",
            seen=number(lambda value: _is(_of_the_codes(), value)),
        ),
        Mistake(
            "These are the bits spared by each token; we ask for per cent of its log2 K bits. Open hint 1.",
            seen=number(lambda value: _is(_bits(), value, 0.1)),
        ),
        Mistake(
            "This is a share; we ask for per cent. Open hint 1.",
            seen=number(lambda value: _is(measured_sparing() / 100, value, 0.02)),
        ),
        Mistake(
            "This is what is left of the bits; we ask for what is spared. Open hint 1.",
            seen=number(lambda value: _is(100 - measured_sparing(), value)),
        ),
    ),
)

# What differs from student to student: what is asked, and its answer; None for code, which reads what is asked.
VARIANTS = {"rate_and_psnr": (peak_and_header, None), "spared": (width_and_size, measured_sparing)}

# Functions that answer such a question in one call: whoever is graded does without.
ANSWER_IN_ONE_CALL = (
    "labs.lab03.readings.spared",
    "measures.psnr",
)
