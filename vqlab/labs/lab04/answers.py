"""Lab 04: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

import functools
import itertools
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import expit

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


def in_trough(counts):
    low = counts.index(min(counts))
    return low > 0 and max(counts[low:]) == counts[low]


def switch(steps, counts, patience, late=0, cut=True, trough=True):
    low = counts.index(min(counts)) if cut else 0
    gained = steps[low + counts[low:].index(max(counts[low:]))]
    return not (trough and in_trough(counts)) and steps[-1] - gained >= patience + late


def level_by_dropping(variances, bits):
    """All modes at first; the lowest is dropped as long as it lies under water."""
    active = sorted(float(v) for v in variances)
    while (water := math.prod(v ** (1 / len(active)) for v in active) * 4 ** (-bits / len(active))) > active[0]:
        active.pop(0)
    return water


def level_by_adding(variances, bits):
    logs = sorted((math.log2(v) for v in variances), reverse=True)
    water = logs[0] - 2 * bits
    for n in range(2, len(logs) + 1):
        if logs[n - 1] <= water:
            break
        water = (sum(logs[:n]) - 2 * bits) / n
    return Decimal(2**water)


def level_by_root(variances, bits):
    def spent(log_level):
        return np.clip(np.log(variances) - log_level, 0, None).sum() / 2 / np.log(2) - bits

    highest = float(np.log(variances).max())
    return np.exp(highest if bits == 0 else brentq(spent, highest - 40, highest, xtol=1e-12))


def level_in_torch(variances, bits):
    logs = torch.as_tensor(variances).double().log2().sort(descending=True).values
    return torch.exp2(((logs.cumsum(0) - 2 * bits) / (1 + torch.arange(len(logs)))).max())


def level_of_every_subset_size(variances, bits):
    order = np.argsort(-np.asarray(variances, float))
    logs = np.log(np.asarray(variances, float)[order])
    return max(np.exp(logs[:n].mean() - 2 * np.log(2) * bits / n) for n in range(1, len(logs) + 1))


def level_by_mask(variances, bits):
    variances = np.asarray(variances, float)
    for threshold in np.unique(variances):  # ascending: the first set whose level lies under all of its modes
        active = variances[variances >= threshold]
        water = np.exp2(np.log2(active).mean() - 2 * bits / len(active))
        if water <= threshold * (1 + 1e-12):  # no bits: the water is at the mode itself
            return [water]


def flow_expanded(a, b, c, variance, beta):
    return (
        variance * b - variance * c * a * b**2 - beta * variance * a + beta * c * variance * a,
        c * a * variance - c * b * variance * a * a,
    )


def flow_by_moments(a, b, c, variance, beta):
    moment = {"xx": variance, "xz": a * variance, "xq": c * a * variance, "qq": c * a**2 * variance}
    return b * moment["xx"] - b * b * moment["xq"] - beta * (moment["xz"] - moment["xq"]), moment["xq"] - b * moment[
        "qq"
    ]


def flow_by_autograd(a, b, c, variance, beta):
    gains = a, b = [torch.tensor(gain, dtype=torch.float64, requires_grad=True) for gain in (a, b)]
    here, there = a.detach(), b.detach()
    descent = variance * (a * (there * (1 - c * here * there) - beta * (1 - c) * here)) + c * variance * (
        b * here - b * b * here**2 / 2
    )
    return torch.autograd.grad(descent, gains)


def flow_by_differences(a, b, c, variance, beta, h=1e-4):
    def up(a, b):
        return variance * (a * B * (1 - c * A * B) - beta * (1 - c) * A * a), c * variance * (A * b - b * b * A * A / 2)

    A, B = a, b
    return (up(a + h, b)[0] - up(a - h, b)[0]) / 2 / h, (up(a, b + h)[1] - up(a, b - h)[1]) / 2 / h


def prediction_by_overflow(variances, warmup, bits, eps):
    """The same logistic growth with e^(+2σ²t), which overflows for what lasts very long."""
    grown = eps**2 * np.exp(2 * variances * warmup)
    return prediction_of(variances, variances * grown / (1 - eps**2 + grown), bits)


def prediction_of(variances, latent, bits):
    active = int((latent > theory.water_fill(latent, bits).level).sum())
    return active, float(theory.loss_floor(variances, bits, active))


def prediction_by_loop(variances, warmup, bits, eps):
    a2 = [1 / (1 + (1 / eps**2 - 1) / math.exp(2 * v * warmup)) for v in variances]
    latent = [v * a for v, a in zip(variances, a2, strict=True)]
    active = sum(v > level_by_adding(latent, bits) for v in latent)
    water = float(level_by_adding(variances[:active], bits))
    return active, sum(min(v, water) if j < active else v for j, v in enumerate(variances))


def prediction_in_torch(variances, warmup, bits, eps):
    x = torch.from_numpy(variances)
    latent = x * torch.sigmoid(2 * x * warmup - math.log(eps**-2 - 1))
    active = (latent > level_in_torch(latent, bits)).sum()
    return torch.stack([active, x[active:].sum() + x[:active].clamp(max=level_in_torch(x[:active], bits)).sum()])


def prediction_step_by_step(variances, warmup, bits, eps, steps=50):
    a2 = np.full(len(variances), eps**2)
    for _ in range(steps):  # da²/dt = 2σ²a²(1 − a²), in steps that keep the logistic exact
        odds = a2 / (1 - a2) * np.exp(2 * variances * warmup / steps)
        a2 = 1 - 1 / (1 + odds)
        if (1 - a2).min() < 1e-12:
            a2 = np.minimum(a2, 1 - 1e-12)
    return prediction_of(variances, variances * a2, bits)


def switch_by_loop(steps, counts, patience):
    lowest = best = counts[0]
    gained, fell = steps[0], False
    for step, count in zip(steps[1:], counts[1:], strict=True):
        if count < lowest:
            lowest, best, gained, fell = count, count, step, True
        elif count > best:
            best, gained, fell = count, step, False
    return not fell and steps[-1] - gained >= patience


def switch_by_masks(steps, counts, patience):
    s, c = np.array(steps), np.array(counts)
    s, c, fell = s[c.argmin() :], c[c.argmin() :], c.argmin() > 0
    if fell and (c == c[0]).all():
        return np.False_
    return (c[s > s[-1] - patience].max() <= c[s <= s[-1] - patience].max(initial=-1)) and c.max() > -1


def switch_by_pairs(steps, counts, patience):
    pairs = list(zip(counts, steps, strict=True))
    low = min(range(len(pairs)), key=lambda i: pairs[i])
    best, minus = max((count, -step) for count, step in pairs[low:])
    return (low == 0 or best > min(counts)) and steps[-1] + minus >= patience


def switch_by_accumulation(steps, counts, patience):
    after = list(itertools.dropwhile(lambda pair: pair[1] > min(counts), zip(steps, counts, strict=True)))
    records = list(itertools.accumulate((count for _, count in after), max))
    if len(after) < len(counts) and records[-1] == min(counts):
        return False
    return steps[-1] - after[records.index(records[-1])][0] >= patience


def switch_by_recursion(steps, counts, patience, fell=False):
    if counts[0] > min(counts):
        return switch_by_recursion(steps[1:], counts[1:], patience, True)
    if fell and max(counts) == counts[0]:
        return False
    return steps[-1] - min(s for s, c in zip(steps, counts, strict=True) if c == max(counts)) >= patience


def switch_from_the_end(steps, counts, patience):
    """Walk back over everything that is no maximum of what lies behind it."""
    start = counts.index(min(counts))
    at = len(counts) - 1
    while at > start and max(counts[start:at]) >= counts[at]:
        at -= 1
    return (at > start or start == 0) and steps[-1] - steps[at] >= patience


def pops(steps, counts, patience):
    answer = switch(steps, counts, patience)
    while counts[0] > min(counts):
        counts.pop(0)
    return answer


def drowned(times, latents, bits, warmup, levels=None, pick=None, never=np.inf):
    late = times >= warmup
    levels = theory.water_fill(latents[late], bits).level if levels is None else levels(latents, late, bits)
    under = latents[late] <= np.reshape(levels, (-1, 1))
    first = under.argmax(0) if pick is None else pick(under)
    return np.where(under.any(0), times[late][first], never)


def drowned_by_loop(times, latents, bits, warmup):
    answer = [math.inf] * latents.shape[1]
    for t, row in zip(times, latents, strict=True):
        if t < warmup:
            continue
        water = float(level_by_adding(list(row), bits))
        for mode, variance in enumerate(row):
            if variance <= water and math.isinf(answer[mode]):
                answer[mode] = float(t)
    return answer


def drowned_backwards(times, latents, bits, warmup):
    answer = np.full(latents.shape[1], np.inf)
    for t, row in reversed(list(zip(times, latents, strict=True))):
        if t >= warmup:
            answer[row <= level(row, bits)] = t
    return answer


def drowned_by_minimum(times, latents, bits, warmup):
    levels = np.array([level_by_bisection(row, bits) for row in latents])
    under = (latents <= levels[:, None]) & (times >= warmup)[:, None]
    return np.where(under, times[:, None], np.inf).min(0)


def drowned_in_torch(times, latents, bits, warmup):
    late = torch.from_numpy(times) >= warmup
    t, x = torch.from_numpy(times)[late], torch.from_numpy(latents)[late]
    under = x <= torch.stack([level_in_torch(row, bits) for row in x])[:, None]
    return torch.where(under, t[:, None], torch.inf).amin(0)


def drowned_by_bits(times, latents, bits, warmup):
    """Under water is who gets no bits."""
    gets = [np.log2(row / theory.water_fill(row, bits).level) / 2 for row in latents]
    return [
        min((t for t, got in zip(times, gets, strict=True) if t >= warmup and got[mode] <= 1e-12), default=np.inf)
        for mode in range(latents.shape[1])
    ]


def drowned_by_masked(times, latents, bits, warmup):
    dry = latents > theory.water_fill(latents, bits).level[:, None]
    dry[times < warmup] = True
    return np.ma.masked_array(np.broadcast_to(times[:, None], dry.shape), dry).min(0).filled(np.inf)


def drowned_by_distortion(times, latents, bits, warmup):
    """Under water is who loses all its variance."""
    late = times >= warmup
    lost = theory.water_fill(latents[late], bits).mode_distortions >= latents[late]
    return [times[late][column.nonzero()[0][0]] if column.any() else np.inf for column in lost.T]


def drowned_by_count(times, latents, bits, warmup):
    """The longest stretch above water from the end of the warm-up on."""
    late = times >= warmup
    dry = latents[late] > theory.water_fill(latents[late], bits).level[:, None]
    lasted = np.cumprod(dry, 0).sum(0)
    return np.append(times[late], np.inf)[lasted]


def drowned_by_search(times, latents, bits, warmup):
    start = np.searchsorted(times, warmup)
    ever = np.logical_or.accumulate(latents[start:] <= theory.water_fill(latents[start:], bits).level[:, None])
    return np.array([np.append(times[start:], np.inf)[np.searchsorted(column, True)] for column in ever.T])


def sorts_in_place(variances, bits):
    variances[::-1].sort()
    return level_of_sorted_only(variances, bits)


RIGHT = {
    "water_level": [
        level,
        level_by_bisection,
        level_by_dropping,
        level_by_adding,
        level_by_root,
        level_in_torch,
        level_of_every_subset_size,
        level_by_mask,
        lambda v, bits: theory.water_fill(v, bits).level,
        lambda v, bits: np.float32(level(np.asarray(v, np.float32), bits)),
        lambda v, bits: level(v, bits, log=np.log, power=np.exp, twice=2 * np.log(2)),
        lambda v, bits: [[level(list(reversed(v.tolist())), bits)]],
    ],
    "mode_flow": [
        flow,
        lambda *mode: list(flow(*mode)),
        lambda *mode: np.array(flow(*mode)),
        flow_expanded,
        flow_by_moments,
        flow_by_autograd,
        flow_by_differences,
        lambda *mode: torch.tensor(flow(*mode)),
        lambda *mode: flow(*map(np.float64, mode)),
        lambda *mode: flow(*map(Fraction, mode)),
        lambda *mode: flow(*(Decimal(str(x)) for x in mode)),
        lambda *mode: tuple(np.array([x]) for x in flow_expanded(*mode)),
    ],
    "predict": [
        prediction,
        lambda *arguments: tuple(map(float, prediction(*arguments))),
        prediction_by_overflow,
        prediction_by_loop,
        prediction_in_torch,
        prediction_step_by_step,
        lambda v, t, bits, eps: prediction_of(v, v * theory.autoencoder_gain(v, t, eps) ** 2, bits),
        lambda v, t, bits, eps: prediction_of(v, v * expit(2 * v * t + np.log(eps**2 / (1 - eps**2))), bits),
        lambda v, t, bits, eps: [n := theory.predicted_active(v, t, bits, eps), theory.loss_floor(v, bits, n)],
        lambda v, t, bits, eps: np.array(prediction(np.asarray(v, np.longdouble), t, bits, eps), float),
        lambda v, t, bits, eps: prediction_of(v, v / (1 + np.expm1(-2 * np.log(eps)) / np.exp(v * t) ** 2), bits),
        lambda v, t, bits, eps: prediction_of(v, v * (1 + np.tanh(v * t - np.log(eps**-2 - 1) / 2)) / 2, bits),
    ],
    "drowning_times": [
        drowned,
        theory.drowning_times,
        drowned_by_loop,
        drowned_backwards,
        drowned_by_minimum,
        drowned_in_torch,
        drowned_by_bits,
        drowned_by_masked,
        drowned_by_distortion,
        drowned_by_count,
        drowned_by_search,
        lambda *race: np.float32(drowned(*race)),
        lambda *race: list(map(np.float64, drowned(*race))),
    ],
    "should_switch": [
        switch,
        lambda steps, counts, patience: theory.adaptive_switch(steps, counts, patience) is not None,
        lambda *look: np.bool_(switch(*look)),
        switch_by_loop,
        switch_by_masks,
        switch_by_pairs,
        switch_by_accumulation,
        switch_by_recursion,
        switch_from_the_end,
        lambda *look: torch.tensor(switch(*look)),
        lambda *look: np.array([switch(*look)]),
        lambda steps, counts, patience: (
            functools.reduce(
                lambda s, x: (
                    (x[1], x[1], x[0], True) if x[1] < s[0] else (s[0], x[1], x[0], False) if x[1] > s[1] else s
                ),
                zip(steps, counts, strict=True),
                (counts[0], counts[0], steps[0], False),
            )[2:]
            <= (steps[-1] - patience, False)
            if not in_trough(counts)
            else False
        ),
    ],
    "modes": [lab04.predicted_modes(), Decimal(lab04.predicted_modes()), np.array([[lab04.predicted_modes()]])],
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
        (sorts_in_place, "writes into its argument `variances`"),
        (lambda v, bits: level(np.unique(v), bits), "fails this test"),
        (lambda v, bits: level(v, int(bits)), "fails this test"),
        (lambda v, bits: level(v.astype(int) + 1e-9, bits), "fails this test"),
        (lambda v: v, "TypeError"),
    ],
    "mode_flow": [
        (scaled(lambda mode: -1), "signs are turned"),
        (lambda *mode: flow(*mode)[::-1], "comes first"),
        (scaled(lambda mode: 2), "twice"),
        (scaled(lambda mode: 1 / mode[3]), "variance"),
        (scaled(lambda mode: mode[3]), "σ⁴"),
        (scaled(lambda mode: mode[3] ** -0.5), "fails this test"),
        (lambda a, b, c, v, beta: flow(a, b, c, v, 0.25), "fails this test"),
        (lambda a, b, c, v, beta: flow(abs(a), abs(b), c, v, beta), "fails this test"),
        (lambda *mode: (*flow(*mode), 0.0), "two things"),
        (lambda *mode: dict(zip("ab", flow(*mode), strict=True)), "two things"),
        (with_encoder(lambda a, b, c, beta: c * b * (1 - c * a * b) - beta * (1 - c) * a), "Straight-through"),
        (with_encoder(lambda a, b, c, beta: b * (1 - a * b) - beta * (1 - c) * a), "c·a·b·x"),
        (with_encoder(lambda a, b, c, beta: b * (1 - c * a * b)), "commitment term is missing"),
        (with_encoder(lambda a, b, c, beta: b * (1 - c * a * b) - beta * a), "(1 − c)·z"),
        (with_encoder(lambda a, b, c, beta: b * (1 - c * a * b) - beta * c * a), "(1 − c)·z"),
        (with_decoder(lambda a, b, c, v: c * v * a * (1 - c * a * b)), "noise"),
        (with_decoder(lambda a, b, c, v: v * a * (1 - a * b)), "still moves"),
        (lambda *mode: flow(*mode)[0], "fails this test"),
        (lambda *mode: (2 * flow(*mode)[0], flow(*mode)[1] / 2), "learning rates are others"),
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
        (
            lambda v, t, bits, eps: prediction_of(v, v / (1 + (eps**-2 - 1) * np.exp(-2 * np.sqrt(v) * t)), bits),
            "e^(2σt)",
        ),
        (lambda v, t, bits, eps: prediction(v, t, bits, 0.08), "typed in a start"),
        (lambda v, t, bits, eps: prediction(v, t, bits, 0.1), "typed in a start"),
        (lambda v, t, bits, eps: prediction(v, t, 8, eps), "fails this test"),
        (lambda v, t, bits, eps: (len(v), float(theory.water_fill(v, bits).distortion)), "Shannon"),
    ],
    "drowning_times": [
        (lambda t, x, bits, w: drowned(t, x, bits, t[0]), "during the warm-up"),
        (
            lambda *race: drowned(*race, levels=lambda x, late, r: theory.water_fill(x[late][0], r).level),
            "stands still",
        ),
        (
            lambda *race: drowned(*race, levels=lambda x, late, r: theory.water_fill(x[-1], r).level),
            "stands still",
        ),
        (lambda *race: drowned(*race, levels=lambda x, late, r: theory.water_fill(x[0], r).level), "stands still"),
        (lambda *race: drowned(*race, pick=lambda under: len(under) - 1 - under[::-1].argmax(0)), "the last time"),
        (
            lambda t, x, bits, w: drowned(
                t, -x, bits, w, levels=lambda x, late, r: -theory.water_fill(-x[late], r).level
            ),
            "upside down",
        ),
        (lambda *race: drowned(*race, never=0), "np.inf"),
        (lambda *race: drowned(*race, never=np.nan), "np.inf"),
        (lambda *race: drowned(*race, never=-1), "np.inf"),
        (lambda t, x, bits, w: drowned(t, x, bits, w, never=t[-1]), "np.inf"),
        (lambda t, x, bits, w: drowned(t, x, bits, w, never=t[t >= w][0]), "argmax"),
        (lambda t, x, bits, w: drowned(np.arange(len(t)), x, bits, np.searchsorted(t, w)), "place in the list"),
        (lambda t, x, bits, w: drowned(t, x, bits, w) - w, "from the end of the warm-up"),
        (lambda *race: np.isfinite(drowned(*race)), "asked is when"),
        (
            lambda *race: drowned(*race, levels=lambda x, late, r: 1.5 * theory.water_fill(x[late], r).level),
            "water line is another one",
        ),
        (lambda t, x, bits, w: drowned(t, x, bits, np.nextafter(w, np.inf)), "drowns at once"),
        (lambda t, x, bits, w: drowned(t, x, np.log2(bits), w) if bits > 1 else x[0], "fails this test"),
        (lambda t, x, bits, w: drowned(t, x, 2 * bits, w), "fails this test"),
        (lambda t, x, bits, w: drowned(t, x, bits, w)[::-1], "fails this test"),
        (lambda t, x, bits, w: int(np.isfinite(drowned(t, x, bits, w)).sum()), "fails this test"),
    ],
    "should_switch": [
        (lambda steps, counts, patience: len(counts), "True or False"),
        (lambda *look: not switch(*look), "upside down"),
        (lambda steps, counts, patience: len(counts) > 1 and counts[-1] <= counts[-2], "first pause"),
        (lambda *look: switch(*look, late=-1), "too early"),
        (lambda *look: switch(*look, late=1), "too late"),
        (lambda *look: switch(*look, cut=False), "vacuous"),
        (lambda *look: switch(*look, trough=False), "in a trough"),
        (lambda steps, counts, patience: switch(list(range(len(counts))), counts, patience), "count looks"),
        (lambda steps, counts, patience: steps[-1] >= patience, "how long the training"),
        (lambda *look: False, "same answer"),
        (lambda *look: True, "same answer"),
        (
            lambda steps, counts, patience: (
                not in_trough(counts)
                and steps[-1] - steps[-1 - counts[::-1].index(max(counts[counts.index(min(counts)) :]))] >= patience
            ),
            "the last time",
        ),
        (lambda steps, counts, patience: len(counts) >= 6, "fails this test"),
        (lambda steps, counts, patience: switch(steps, counts, 75), "fails this test"),
        (lambda *look: int(switch(*look)), "True or False"),
        (lambda *look: str(switch(*look)), "the text"),
        (lambda *look: switch(*look) and not switch(*look, late=1), "fails this test"),
        (pops, "writes into its argument `counts`"),
        (lambda *look: None, "None"),
    ],
    "modes": [
        (int(theory.water_fill(data.power_law_spectrum(32, 1), 8).active), "Shannon"),
        (32 - lab04.predicted_modes(), "under water"),
        ((lab04.predicted_modes(), 20.0), "first number"),
        (32, "fails this test"),
        ("ten", "the text"),
    ],
}
