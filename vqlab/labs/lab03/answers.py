"""Lab 03: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

import math

import numpy as np
import torch
from sklearn.decomposition import PCA

from vqlab import measures
from vqlab.labs.lab03 import exercises as lab03


def cost(mse, k, tokens, pixels, log=np.log2, decibels=lambda mse: -10 * np.log10(mse)):
    return tokens * log(k) / pixels, decibels(mse)


def with_bits(bits):
    """The right PSNR with other bits per pixel: bits(k, tokens, pixels)."""
    return lambda mse, k, tokens, pixels: (bits(k, tokens, pixels), cost(mse, k, tokens, pixels)[1])


def with_decibels(decibels):
    return lambda *given: cost(*given, decibels=decibels)


def dimension(
    codebook, tokens, rows=lambda codebook, tokens: codebook[np.unique(tokens)], centre=True, power=2, plus=1
):
    points = rows(codebook, tokens)
    points = points - points.mean(0) if centre else points
    parts = np.linalg.svd(points, compute_uv=False) ** power
    if np.abs(points).max() < 1e-9:
        return 0
    return int((np.cumsum(parts) < 0.99 * parts.sum()).sum()) + plus


def by_covariance(codebook, tokens):
    used = codebook[sorted(set(tokens.tolist()))]
    if len(used) == 1:
        return 0
    shares = np.sort(np.linalg.eigvalsh(np.cov(used.T)))[::-1]
    return 1 + int((np.cumsum(shares) / shares.sum() < 0.99).sum())


def by_search(codebook, tokens):
    used = np.array([codebook[token] for token in range(len(codebook)) if token in tokens])
    variances = np.linalg.svd(used - used.mean(axis=0), compute_uv=False) ** 2
    held = 0.0
    for n, variance in enumerate(variances if len(used) > 1 else ()):
        held += variance / variances.sum()
        if held >= 0.99:
            return n + 1
    return 0


def by_pca(codebook, tokens):
    used = codebook[np.unique(tokens)]
    return int(np.searchsorted(np.cumsum(PCA().fit(used).explained_variance_ratio_), 0.99)) + 1 if len(used) > 1 else 0


RIGHT = {
    "rate_and_psnr": [
        cost,
        lambda mse, k, tokens, pixels: [tokens / pixels * math.log(k, 2), 10 * math.log10(1 / mse)],
        lambda mse, k, tokens, pixels: (np.float64(tokens * np.log2(k) / pixels), 20 * np.log10(1 / np.sqrt(mse))),
        lambda mse, k, tokens, pixels: np.array([np.log2(k) * tokens / pixels, -10 * np.log10(mse)]),
        lambda mse, k, tokens, pixels: (np.log(k) / np.log(2) * (tokens / pixels), -10 * np.log(mse) / np.log(10)),
        lambda mse, k, tokens, pixels: (math.log2(k**tokens) / pixels, 10 * math.log10(1.0**2 / mse)),
        lambda mse, k, tokens, pixels: (torch.tensor(tokens * math.log2(k) / pixels), -10 * math.log10(mse)),
        lambda mse, k, tokens, pixels: (np.log2(float(k)) / (pixels / tokens), -4.342944819 * np.log(mse)),
        lambda *given: tuple(cost(*given)),
        lambda mse, codebook_size, tokens, pixels: (tokens * np.log2(codebook_size) / pixels, measures.psnr(mse)),
    ],
    "used_dimension": [
        dimension,
        by_covariance,
        lambda codebook, tokens: measures.effective_dimension(codebook[np.unique(tokens)]),
        lambda codebook, tokens: measures.effective_dimension(
            codebook[np.bincount(tokens, minlength=len(codebook)) > 0]
        ),
        lambda codebook, tokens: measures.effective_dimension(codebook[list(set(tokens.tolist()))]),
        lambda codebook, tokens: measures.effective_dimension(codebook[np.isin(np.arange(len(codebook)), tokens)]),
        lambda codebook, tokens: measures.spectrum_dimension(measures.principal_variances(codebook[np.unique(tokens)])),
        lambda codebook, tokens: float(dimension(codebook, tokens)),
        by_search,
        by_pca,
    ],
    "spared": [lab03.measured_sparing(), round(lab03.measured_sparing(), 1), np.array([lab03.measured_sparing()])],
}

# Each with a word that the feedback must contain, so that the student reads about their own mistake.
WRONG = {
    "rate_and_psnr": [
        (lambda *given: cost(*given)[::-1], "order is turned"),
        (with_bits(lambda k, tokens, pixels: tokens * np.log2(k)), "bits per image"),
        (with_bits(lambda k, tokens, pixels: np.log2(k)), "bits of one token"),
        (with_bits(lambda k, tokens, pixels: np.log2(k) / pixels), "bits of one token"),
        (lambda *given: cost(*given, log=np.log), "base 2"),
        (lambda *given: cost(*given, log=np.log10), "base 2"),
        (lambda *given: cost(*given, log=float), "K bits a token"),
        (with_decibels(lambda mse: 10 * np.log10(mse)), "sign of PSNR"),
        (with_decibels(lambda mse: -20 * np.log10(mse)), "already a square"),
        (with_decibels(lambda mse: 10 * np.log10(255**2 / mse)), "peak is another one"),
        (with_bits(lambda k, tokens, pixels: (tokens * np.log2(k) + 64) / pixels), "header is another one"),
        (with_decibels(lambda mse: -10 * np.log(mse)), "base 10"),
        (with_decibels(lambda mse: -10 * np.log2(mse)), "base 10"),
        (with_bits(lambda k, tokens, pixels: 0.625), "fails this test"),
        (with_bits(lambda k, tokens, pixels: np.ceil(np.log2(k)) * tokens / pixels), "fails this test"),
        (lambda *given: cost(*given)[0], "two things"),
    ],
    "used_dimension": [
        (lambda codebook, tokens: dimension(codebook, tokens, rows=lambda c, t: c), "dead codes as well"),
        (lambda codebook, tokens: dimension(codebook, tokens, rows=lambda c, t: c[t]), "weigh codes by their use"),
        (lambda codebook, tokens: dimension(codebook, tokens, centre=False), "around the mean"),
        (lambda codebook, tokens: dimension(codebook, tokens, power=1), "square them"),
        (lambda codebook, tokens: dimension(codebook, tokens, plus=0), "One too few"),
        (lambda codebook, tokens: len(set(tokens.tolist())), "count the codes in use"),
        (lambda codebook, tokens: np.linalg.matrix_rank(codebook[np.unique(tokens)]), "fails this test"),
        (lambda codebook, tokens: 5, "fails this test"),
    ],
    "spared": [
        (lab03._by_codes_in_use(), "codes in use"),
        (lab03._of_the_codes(), "share of codes"),
        (lab03._bits(), "bits spared"),
        (lab03.measured_sparing() / 100, "ask for per cent"),
        (100 - lab03.measured_sparing(), "what is left"),
        (5.0, "fails this test"),
        ("much", "the text"),
    ],
}
