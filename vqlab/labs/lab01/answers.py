"""Lab 01: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

import torch
from torch.nn.functional import one_hot

from vqlab.labs.lab01 import exercises as lab01


def entropy(tokens, k, log=torch.log):
    p = torch.bincount(tokens, minlength=k) / len(tokens)
    p = p[p > 0]
    return -(p * log(p)).sum()


def ema(counts, sums, z, tokens, decay, new=None):
    chosen = one_hot(tokens, len(counts)).to(z)
    new = 1 - decay if new is None else new
    return decay * counts + new * chosen.sum(0), decay * sums + new * chosen.T @ z


def raw_entropy(tokens, k, divisor):
    p = torch.bincount(tokens, minlength=k).double() / divisor
    p = p[p > 0]
    return -(p * p.log()).sum()


def nan_perplexity(tokens, k):
    p = torch.bincount(tokens, minlength=k) / len(tokens)
    return torch.exp(-(p * p.log()).sum())


def ema_batch_mean(counts, sums, z, tokens, decay):
    new_counts, new_sums = ema(counts, sums, z, tokens, decay)
    means = (one_hot(tokens, len(counts)).to(z).T @ z) / one_hot(tokens, len(counts)).sum(0)[:, None].clamp(min=1)
    return decay * sums / counts[:, None] + (1 - decay) * means, new_counts, new_sums


def ema_batch_counts(counts, sums, z, tokens, decay):
    new_counts, new_sums = ema(counts, sums, z, tokens, decay)
    return new_sums / one_hot(tokens, len(counts)).sum(0)[:, None].clamp(min=1), new_counts, new_sums


def ema_nan(counts, sums, z, tokens, decay):
    chosen = one_hot(tokens, len(counts)).to(z)
    new_counts, new_sums = ema(counts, sums, z, tokens, decay)
    return (chosen.T @ z) / chosen.sum(0)[:, None] * 0 + new_sums / new_counts[:, None], new_counts, new_sums


def ema_whole(counts, sums, z, tokens, decay):
    new_counts, new_sums = ema(counts, sums, z, tokens, decay, new=1)
    return new_sums / new_counts[:, None], new_counts, new_sums


def ema_right(counts, sums, z, tokens, decay):
    new_counts, new_sums = ema(counts, sums, z, tokens, decay)
    return new_sums / new_counts[:, None], new_counts, new_sums


RIGHT = {
    "nearest_code": [
        lambda z, c: torch.cdist(z, c).argmin(1),
        lambda z, c: ((z[:, None] - c) ** 2).sum(-1).argmin(-1).int(),
        lambda z, c: (z @ c.T - 0.5 * c.square().sum(1)).argmax(1),
        lambda z, c: torch.cdist(z, c).argmin(1).numpy(),
    ],
    "perplexity": [
        lambda tokens, k: float(torch.exp(entropy(tokens, k))),
        lambda tokens, k: 2 ** entropy(tokens, k, torch.log2),
    ],
    "straight_through": [lambda z, z_q: z + (z_q - z).detach(), lambda z, z_q: z_q.detach() + z - z.detach()],
    "ema_step": [ema_right],
    "bend": [lab01.measured_bend(), float(lab01.measured_bend())],
}

WRONG = {
    "nearest_code": [
        (lambda z, c: torch.cdist(z, c).argmax(1), "farthest"),
        (lambda z, c: torch.cdist(z, c).argmin(0), "axis"),
        (lambda z, c: torch.cdist(z, c).argmin(), "shape (N,)"),
        (lambda z, c: torch.cdist(z, c).argmin(1, keepdim=True), "shape (N,)"),
        (lambda z, c: torch.cdist(z, c).min(1), "values and indices"),
        (lambda z, c: (c.square().sum(1) - z @ c.T).argmin(1), "factor 2"),
        (lambda z, c: None, "is there a `return`"),
        (lambda z, c: torch.cdist(z, c).min(1).values, "index"),
        (lambda z, c: torch.cdist(z, c), "index"),
        (lambda z, c: c[torch.cdist(z, c).argmin(1)], "codes themselves"),
        (lambda z, c: (z @ c.T).argmax(1), "‖c‖²"),
        (lambda z, c: torch.zeros(len(z)), "fails this test"),
        (lambda z, c: one_hot(torch.cdist(z, c).argmin(1), len(c)), "shape (N,)"),
        (lambda z, c: undefined_name, "NameError"),  # noqa: F821
        (lambda z: z, "TypeError"),
        (lambda z, c: "code", "the text"),
        (lambda z, c: z.zero_().sum(1), "fails this test"),
    ],
    "perplexity": [
        (lambda tokens, k: float(entropy(tokens, k)), "nats"),
        (lambda tokens, k: float(entropy(tokens, k, torch.log2)), "bits"),
        (lambda tokens, k: float(torch.exp(entropy(tokens, k, torch.log2))), "two logarithms"),
        (lambda tokens, k: 2 ** float(entropy(tokens, k)), "two logarithms"),
        (lambda tokens, k: float(torch.exp(-entropy(tokens, k))), "minus sign"),
        (nan_perplexity, "NaN"),
        (lambda tokens, k: len(tokens.unique()), "active codes"),
        (lambda tokens, k: k, "fails this test"),
        (lambda tokens, k: float(torch.exp(raw_entropy(tokens, k, 1))), "sum to 1"),
        (lambda tokens, k: float(torch.exp(raw_entropy(tokens, k, k))), "sum to 1"),
        (lambda tokens, k: float(torch.exp(entropy(tokens, k))) / k, "fails this test"),
    ],
    "straight_through": [
        (lambda z, z_q: z_q, "forgot"),
        (lambda z, z_q: z + (z_q - z), "forgot"),
        (lambda z, z_q: z, "nothing is quantized"),
        (lambda z, z_q: z_q.detach(), "Nobody"),
        (lambda z, z_q: (z + z_q - z).detach(), "Nobody"),
        (lambda z, z_q: z.detach() + (z_q - z), "gradient"),
        (lambda z, z_q: z + z_q - z.detach(), "inside"),
        (lambda z, z_q: z + (z - z_q).detach(), "sign"),
    ],
    "ema_step": [
        (lambda n, s, z, t, g: ema_right(n, s, z, t, 1 - g), "swapped"),
        (ema_whole, "1 − γ"),
        (ema_batch_counts, "batch's hits"),
        (ema_nan, "NaN"),
        (ema_batch_mean, "average codes"),
        (lambda n, s, z, t, g: (s / n[:, None], n, s), "fails this test"),
        (lambda n, s, z, t, g: ema_right(n, s, z, t, g)[0], "three things"),
        (lambda n, s, z, t, g: ema_right(n, s, z, t, g)[::-1], "three things"),
    ],
    "bend": [(16, "further right"), (64, "further left"), ("32 codes", "the text"), (31, "further")],
}
