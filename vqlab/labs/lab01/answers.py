"""Lab 01: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

import math
from collections import Counter

import numpy as np
import torch
from sklearn.metrics import pairwise_distances_argmin
from sklearn.neighbors import KDTree
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


def ema_loop(counts, sums, z, tokens, decay):
    counts, sums = counts.clone(), sums.clone()
    for k in range(len(counts)):
        mine = z[tokens == k]
        counts[k] = decay * counts[k] + (1 - decay) * len(mine)
        sums[k] = decay * sums[k] + (1 - decay) * mine.sum(0)
    return [(s / n).tolist() for s, n in zip(sums, counts, strict=True)], counts.tolist(), sums.tolist()


def ema_numpy(counts, sums, z, tokens, decay):
    counts, sums, z, tokens = (x.double().numpy() for x in (counts, sums, z, tokens))
    new = sums * decay
    np.add.at(new, tokens.astype(int), (1 - decay) * z)
    counts = decay * counts + (1 - decay) * np.bincount(tokens.astype(int), minlength=len(counts))
    return new / counts.reshape(-1, 1), counts, new


def ema_index_add(counts, sums, z, tokens, decay):
    counts = (decay * counts).index_add(0, tokens, torch.ones_like(z[:, 0]), alpha=1 - decay)
    sums = (decay * sums).index_add(0, tokens, z, alpha=1 - decay)
    return sums / counts.unsqueeze(1), counts, sums


def ema_scatter(counts, sums, z, tokens, decay):
    hits = torch.zeros_like(counts).scatter_add(0, tokens, torch.ones(len(tokens)).to(counts))
    added = torch.zeros_like(sums).scatter_add(0, tokens[:, None].expand_as(z), z)
    counts, sums = counts.lerp(hits, 1 - decay), torch.lerp(sums, added, 1 - decay)
    return sums / counts[:, None], counts, sums


def ema_einsum(counts, sums, z, tokens, decay):
    chosen = (tokens[:, None] == torch.arange(len(counts))).to(z)
    sums = decay * sums + (1 - decay) * torch.einsum("nk,nd->kd", chosen, z)
    counts = decay * counts + (1 - decay) * torch.einsum("nk->k", chosen)
    return torch.einsum("kd,k->kd", sums, 1 / counts), counts, sums


def ema_sample_by_sample(counts, sums, z, tokens, decay):
    counts, sums = decay * counts, decay * sums
    for latent, token in zip(z, tokens, strict=True):
        counts[token] += 1 - decay
        sums[token] += (1 - decay) * latent
    return sums / counts[:, None], counts, sums


def ema_by_difference(counts, sums, z, tokens, decay):
    chosen = one_hot(tokens, counts.shape[0]).T.to(z)
    counts, sums = counts - (1 - decay) * (counts - chosen.sum(1)), sums - (1 - decay) * (sums - chosen @ z)
    return (sums.T / counts).T, counts, sums


def ema_bincount(counts, sums, z, tokens, decay):
    k = len(counts)
    added = torch.stack([torch.bincount(tokens, weights=column, minlength=k) for column in z.T], 1)
    counts = decay * counts + (1 - decay) * torch.bincount(tokens, minlength=k)
    sums = decay * sums + (1 - decay) * added
    return torch.div(sums, counts.view(k, 1)), counts, sums


def ema_only_chosen(counts, sums, z, tokens, decay):
    codes, new_counts, new_sums = ema_right(counts, sums, z, tokens, decay)
    hit = one_hot(tokens, len(counts)).sum(0) > 0
    return codes, torch.where(hit, new_counts, counts), torch.where(hit[:, None], new_sums, sums)


def ema_in_place(counts, sums, z, tokens, decay):
    chosen = one_hot(tokens, len(counts)).to(z)
    counts.mul_(decay).add_(chosen.sum(0), alpha=1 - decay)
    sums.mul_(decay).add_(chosen.T @ z, alpha=1 - decay)
    return sums / counts[:, None], counts, sums


def ema_codes_of_the_data(counts, sums, z, tokens, decay):
    chosen = one_hot(tokens).to(z)
    counts, sums = decay * counts + (1 - decay) * chosen.sum(0), decay * sums + (1 - decay) * chosen.T @ z
    return sums / counts[:, None], counts, sums


def nearest_by_loop(z, codebook):
    return [min(range(len(codebook)), key=lambda k: float(((latent - codebook[k]) ** 2).sum())) for latent in z]


def nearest_by_hand(z, codebook):
    tokens = torch.zeros(len(z), dtype=torch.uint8)
    for i, latent in enumerate(z.tolist()):
        squares = [sum((a - b) ** 2 for a, b in zip(latent, code, strict=True)) for code in codebook.tolist()]
        tokens[i] = squares.index(min(squares))
    return tokens


def nearest_of_the_centred(z, codebook):
    mean = z.mean(0)
    z -= mean
    return torch.cdist(z, codebook - mean).argmin(1)


def counted(tokens, k):
    n = len(tokens)
    return math.exp(-sum(m / n * math.log(m / n) for m in Counter(tokens.tolist()).values()))


def nats(tokens, k):
    p = np.unique(tokens.numpy(), return_counts=True)[1] / len(tokens)
    return -(p * np.log(p)).sum()


class Copied(torch.autograd.Function):
    @staticmethod
    def forward(context, z, z_q):
        return z_q.clone()

    @staticmethod
    def backward(context, gradient):
        return gradient, None


def without_tracking(z, z_q):
    with torch.no_grad():
        step = z_q - z
    return z + step


def hooked(z, z_q):
    quantized = z_q.detach().requires_grad_()
    return quantized + (z - z.detach())


def sneaks(z, z_q):
    z.data = z_q.data
    return z


RIGHT = {
    "nearest_code": [
        lambda z, c: torch.cdist(z, c).argmin(1),
        lambda z, c: ((z[:, None] - c) ** 2).sum(-1).argmin(-1).int(),
        lambda z, c: (z @ c.T - 0.5 * c.square().sum(1)).argmax(1),
        lambda z, c: torch.cdist(z, c).argmin(1).numpy(),
        nearest_by_loop,
        nearest_by_hand,
        lambda z, c: torch.cdist(z, c).topk(1, largest=False).indices[:, 0],
        lambda z, c: torch.cdist(z, c).sort(dim=1)[1][:, 0].float(),
        lambda z, c: torch.cdist(z.double(), c.double(), p=2).min(dim=1).indices.to(torch.int16),
        lambda z, c: len(c) - 1 - torch.cdist(z, c.flip(0)).argmin(1),
        lambda z, c: [torch.linalg.norm(latent - c, dim=1).argmin() for latent in z],
        lambda z, c: torch.einsum("nkd,nkd->nk", z[:, None] - c, z[:, None] - c).argmin(1).tolist(),
        lambda z, c: pairwise_distances_argmin(z.numpy(), c.numpy()),
        lambda z, c: KDTree(c.numpy()).query(z.numpy(), return_distance=False).ravel(),
        lambda z, c: torch.vmap(lambda latent: (latent - c).pow(2).sum(1).argmin())(z),
    ],
    "perplexity": [
        lambda tokens, k: float(torch.exp(entropy(tokens, k))),
        lambda tokens, k: 2 ** entropy(tokens, k, torch.log2),
        counted,
        lambda tokens, k: np.exp(nats(tokens, k)),
        lambda tokens, k: torch.exp(entropy(tokens, k)).half(),
        lambda tokens, k: [[counted(tokens, k)]],
        lambda tokens, k: np.float32(counted(tokens, k)),
        lambda tokens, k: torch.special.entr(torch.bincount(tokens, minlength=k) / len(tokens)).sum().exp(),
        lambda tokens, k: torch.distributions.Categorical(
            torch.bincount(tokens, minlength=k) / len(tokens)
        ).perplexity(),
        lambda tokens, k: one_hot(tokens, k).double().mean(0).pow(-one_hot(tokens, k).double().mean(0)).prod(),
        lambda tokens, k: math.prod((n / len(tokens)) ** (-n / len(tokens)) for n in Counter(tokens.tolist()).values()),
        lambda tokens, k: len(tokens) / math.exp(sum(math.log((tokens == t).sum()) for t in tokens) / len(tokens)),
    ],
    "straight_through": [
        lambda z, z_q: z + (z_q - z).detach(),
        lambda z, z_q: z_q.detach() + z - z.detach(),
        Copied.apply,
        without_tracking,
        hooked,
        lambda z, z_q: z - (z - z_q).detach(),
        lambda z, z_q: (z_q - z).data + z,
        lambda z, z_q: torch.add(z, (z_q - z).detach()).clone(),
        lambda z, z_q: z + torch.from_numpy(z_q.detach().numpy() - z.detach().numpy()),
        lambda z, z_q: z.double() + (z_q.double() - z.double()).detach(),
        lambda z, z_q: torch.stack([a + (b - a).detach() for a, b in zip(z, z_q, strict=True)]),
        lambda z, z_q: 2 * z + (z_q - 2 * z).detach() - z + z.detach(),
    ],
    "ema_step": [
        ema_right,
        ema_loop,
        ema_numpy,
        ema_index_add,
        ema_scatter,
        ema_einsum,
        ema_sample_by_sample,
        ema_by_difference,
        ema_bincount,
        lambda *batch: list(ema_right(*batch)),
        lambda n, s, z, t, g: tuple(x.numpy() for x in ema_right(n.double(), s.double(), z.double(), t, g)),
        lambda *batch: tuple(part.tolist() for part in ema_scatter(*batch)),
    ],
    "bend": [
        lab01.measured_bend(),
        float(lab01.measured_bend()),
        [lab01.measured_bend()],
        np.int16(lab01.measured_bend()),
    ],
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
        (lambda z, c: torch.cdist(z, c[:7]).argmin(1), "fails this test"),
        (nearest_of_the_centred, "writes into its argument `z`"),
        (lambda z, c: torch.cdist(z, c, p=1).argmin(1), "fails this test"),
        (lambda z, c: torch.cdist(z, c).argmin(1).squeeze(), "shape (N,)"),
        (lambda z, c: torch.complex(z, z), "complex"),
        ("torch.cdist(z, codebook)", "give a function of z, codebook"),
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
        (lambda tokens, k: float(torch.exp(entropy(tokens[2:], k))), "prompt is another one"),
        (lambda tokens, k: float(torch.exp(raw_entropy(tokens, k, 1))), "sum to 1"),
        (lambda tokens, k: float(torch.exp(raw_entropy(tokens, k, k))), "sum to 1"),
        (lambda tokens, k: float(torch.exp(entropy(tokens, k))) / k, "fails this test"),
        (lambda tokens, k: round(counted(tokens, k), 2), "rounded"),
        (lambda tokens, k: round(counted(tokens, k)), "rounded"),
        (lambda tokens, k: 3.36, "you gave 3.36;"),
        (lambda tokens, k: counted(tokens.sort().values[:8], k), "fails this test"),
        (lambda tokens, k: counted(tokens.clamp(max=k - 2), k), "fails this test"),
        (lambda tokens, k: 1 / float((torch.bincount(tokens) / len(tokens)).square().sum()), "fails this test"),
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
        (lambda z, z_q: z.detach() + (z_q - z), "sign turned"),
        (lambda z, z_q: 2 * z + (z_q - 2 * z).detach(), "gradient that z receives: you gave"),
        (lambda z, z_q: z.clamp(-1, 1) + (z_q - z.clamp(-1, 1)).detach(), "gradient that z receives: you gave"),
        (lambda z, z_q: (z + (z_q - z)).detach().numpy(), "give a tensor"),
        (sneaks, "writes into its argument `z`"),
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
        (lambda n, s, z, t, g: ema_right(n, s, z, t, 0.9), "typed in a decay"),
        (lambda n, s, z, t, g: ema_right(n, s, z, t, g**3), "another number of batches"),
        (ema_only_chosen, "only the codes that were chosen"),
        (ema_in_place, "writes into its argument `counts`"),
        (ema_codes_of_the_data, "For counts = "),
    ],
    "bend": [(16, "further right"), (64, "further left"), ("32 codes", "the text"), (31, "further")],
}
