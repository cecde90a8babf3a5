"""Lab 04: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

import numpy as np

from vqlab import data, theory
from vqlab.labs.lab04 import exercises as lab04


def level(variances, bits, log=np.log2, power=np.exp2, twice=2, pick=np.max, descending=True):
    ordered = np.sort(variances)[:: -1 if descending else 1]
    candidates = (np.cumsum(log(ordered)) - twice * bits) / np.arange(1, len(variances) + 1)
    return power(pick(candidates))


def level_by_bisection(variances, bits):
    low, high = 1e-12, float(np.max(variances))
    for _ in range(200):
        middle = (low + high) / 2
        spent = np.maximum(0, 0.5 * np.log2(np.asarray(variances) / middle)).sum()
        low, high = (middle, high) if spent > bits else (low, middle)
    return high


def level_of_sorted_only(variances, bits):
    candidates = (np.cumsum(np.log2(variances)) - 2 * bits) / np.arange(1, len(variances) + 1)
    return 2 ** candidates.max()


def level_of_water_poured(variances, bits):
    low_first = np.sort(variances)
    return ((bits + np.cumsum(low_first)) / np.arange(1, len(variances) + 1)).min()


def flow(a, b, c, variance, beta):
    return variance * (b * (1 - c * a * b) - beta * (1 - c) * a), c * variance * a * (1 - a * b)


def with_encoder(encoder):
    """The right decoder with another encoder: encoder(a, b, c, beta), without the variance."""
    return lambda a, b, c, v, beta: (v * encoder(a, b, c, beta), flow(a, b, c, v, beta)[1])


def with_decoder(decoder):
    return lambda a, b, c, v, beta: (flow(a, b, c, v, beta)[0], decoder(a, b, c, v))


def scaled(factor):
    return lambda *mode: tuple(factor(mode) * x for x in flow(*mode))


def prediction(variances, warmup, bits, eps, gain=lambda a2: a2, rate=2, inverse=2, loss=None):
    a2 = 1 / (1 + (eps**-inverse - 1) * np.exp(-rate * variances * warmup))
    latent = variances * gain(a2)
    active = int(theory.water_fill(latent, bits).active)
    if loss is not None:
        return active, loss(variances, latent, active, bits)
    return active, variances[active:].sum() + theory.water_fill(variances[:active], bits).distortion


def with_loss(loss):
    return lambda *arguments: prediction(*arguments, loss=loss)


def of_the_data(variances, warmup, bits, eps):
    filled = theory.water_fill(variances, bits)
    return int(filled.active), float(filled.distortion)


def switch(counts, patience, late=0, cut=True):
    counts = counts[counts.index(min(counts)) :] if cut else counts
    return len(counts) - 1 - counts.index(max(counts)) >= patience + late


RIGHT = {
    "water_level": [level, level_by_bisection],
    "mode_flow": [flow, lambda *mode: list(flow(*mode)), lambda *mode: np.array(flow(*mode))],
    "predict": [prediction, lambda *arguments: tuple(map(float, prediction(*arguments)))],
    "should_switch": [
        switch,
        lambda counts, patience: theory.adaptive_switch(counts, patience) is not None,
        lambda counts, patience: np.bool_(switch(counts, patience)),
    ],
    "modes": [lab04.predicted_modes(), float(lab04.predicted_modes())],
}

WRONG = {
    "water_level": [
        (lambda v, bits: level(v, bits, twice=1), "½"),
        (lambda v, bits: level(v, bits, log=np.log, power=np.exp), "logarithms"),
        (lambda v, bits: level(v, bits, pick=lambda c: c[-1]), "negative"),
        (lambda v, bits: level(v, bits, pick=np.min), "smallest of the candidates"),
        (lambda v, bits: level(v, bits, descending=False), "negative"),
        (level_of_sorted_only, "sorted"),
        (level_of_water_poured, "pours"),
        (lambda v, bits: theory.water_fill(v, bits).active, "number of active modes"),
        (lambda v, bits: theory.water_fill(v, bits).distortion, "distortion"),
        (lambda v, bits: theory.water_fill(v, bits), "`.level`"),
        (lambda v, bits: 1.0, "fails this test"),
        (lambda v: v, "TypeError"),
    ],
    "mode_flow": [
        (scaled(lambda mode: -1), "down"),
        (lambda *mode: flow(*mode)[::-1], "comes first"),
        (scaled(lambda mode: 2), "twice"),
        (scaled(lambda mode: 1 / mode[3]), "variance"),
        (with_encoder(lambda a, b, c, beta: c * b * (1 - c * a * b) - beta * (1 - c) * a), "Straight-through"),
        (with_encoder(lambda a, b, c, beta: b * (1 - a * b) - beta * (1 - c) * a), "c·a·b·x"),
        (with_encoder(lambda a, b, c, beta: b * (1 - c * a * b)), "commitment term is missing"),
        (with_encoder(lambda a, b, c, beta: b * (1 - c * a * b) - beta * a), "(1 − c)·z"),
        (with_encoder(lambda a, b, c, beta: b * (1 - c * a * b) - beta * c * a), "(1 − c)·z"),
        (with_decoder(lambda a, b, c, v: c * v * a * (1 - c * a * b)), "noise"),
        (with_decoder(lambda a, b, c, v: v * a * (1 - a * b)), "still moves"),
        (lambda *mode: flow(*mode)[0], "fails this test"),
    ],
    "predict": [
        (of_the_data, "latents"),
        (lambda *arguments: prediction(*arguments, gain=np.sqrt), "squared"),
        (lambda *arguments: prediction(*arguments, rate=1), "half speed"),
        (lambda *arguments: prediction(*arguments, inverse=-2), "far too large"),
        (with_loss(lambda v, z, n, r: theory.water_fill(v[:n], r).distortion), "dead modes are missing"),
        (with_loss(lambda v, z, n, r: v[n:].sum()), "active modes are missing"),
        (with_loss(lambda v, z, n, r: v[n:].sum() + theory.water_fill(z[:n], r).distortion), "of the latents"),
        (with_loss(lambda v, z, n, r: theory.water_fill(v, r).distortion), "Shannon"),
        (lambda *arguments: prediction(*arguments)[0], "Return two things"),
        (lambda *arguments: (0, 0.0), "fails this test"),
    ],
    "should_switch": [
        (lambda counts, patience: len(counts), "True or False"),
        (lambda counts, patience: not switch(counts, patience), "upside down"),
        (lambda counts, patience: counts[-1] <= counts[-2], "first pause"),
        (lambda counts, patience: switch(counts, patience, late=-1), "too early"),
        (lambda counts, patience: switch(counts, patience, late=1), "too late"),
        (lambda counts, patience: switch(counts, patience, cut=False), "vacuous"),
        (lambda counts, patience: len(counts) > patience and len(set(counts[-patience - 1 :])) == 1, "equal counts"),
        (lambda counts, patience: False, "same answer"),
        (lambda counts, patience: True, "same answer"),
        (lambda counts, patience: len(counts) >= 6, "fails this test"),
        (lambda counts, patience: None, "None"),
    ],
    "modes": [
        (int(theory.water_fill(data.power_law_spectrum(32, 1), 8).active), "Shannon"),
        (32 - lab04.predicted_modes(), "under water"),
        ((lab04.predicted_modes(), 20.0), "first number"),
        (32, "fails this test"),
        ("ten", "the text"),
    ],
}
