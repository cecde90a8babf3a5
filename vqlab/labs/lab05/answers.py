"""Lab 05: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

import numpy as np
import torch
from torch.nn import functional

from vqlab.labs.lab05 import exercises as lab05
from vqlab.quantizers import VectorQuantizer


def by_pairs(z, z_q):
    commitment, codebook = (
        functional.mse_loss(*pair, reduction="none").sum() / z.numel()
        for pair in ((z, z_q.detach()), (z_q, z.detach()))
    )
    return commitment + codebook / 4


class Pulled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, z_q):
        ctx.save_for_backward(z - z_q)
        return 1.25 * (z - z_q).square().mean()

    @staticmethod
    def backward(ctx, above):
        (off,) = ctx.saved_tensors
        pull = 2 * above * off / off.numel()
        return pull, -pull / 4


def balanced(z, z_q):
    half = functional.mse_loss(z, z_q.detach())
    return half + 0.25 * functional.mse_loss(z_q, z.detach())


def by_rows(z, z_q):
    total = 0
    for one, other in zip(z, z_q, strict=True):
        total = total + (one - other.detach()).pow(2).mean() + 0.25 * (one.detach() - other).pow(2).mean()
    return total / len(z)


def weight_of(error, doubt, step, start, weight):
    ratio = np.linalg.norm(error.ravel()) / (np.linalg.norm(doubt.ravel()) + 1e-4)
    return weight * np.clip(ratio, 0, 1e4) if step >= start else 0


def by_loop(error, doubt, step, start, weight):
    if step < start:
        return 0.0
    above, below = 0.0, 0.0
    for one, other in zip(error.flat, doubt.flat, strict=True):
        above, below = above + one * one, below + other * other
    return min(above**0.5 / (below**0.5 + 1e-4), 10_000) * weight


RIGHT = {
    "vq_loss": [
        balanced,
        by_pairs,
        by_rows,
        Pulled.apply,
        lambda z, z_q: ((z - z_q.detach()) ** 2).mean() + ((z_q - z.detach()) ** 2).mean() / 4,
        lambda z, z_q: (z.detach() - z_q).square().mean() * 0.25 + (z_q.detach() - z).square().mean(),
        lambda z, z_q: torch.mean(torch.square(z - z_q.data) + 0.25 * torch.square(z.data - z_q)),
        lambda z, z_q: (z - z_q.detach()).norm() ** 2 / z.numel() + (z_q - z.detach()).norm() ** 2 / (4 * z.numel()),
        lambda z, z_q: (
            functional.mse_loss(z.double(), z_q.double().detach())
            + functional.mse_loss(z_q.double(), z.double().detach()) / 4
        ),
        lambda z, z_q: (
            ((z - z_q.clone().detach()).pow(2).sum(1) + (z_q - z.detach()).pow(2).sum(1) / 4).mean() / z.shape[1]
        ),
        lambda z, z_q: torch.stack([(z - z_q.detach()).square().mean(), (z_q - z.detach()).square().mean() / 4]).sum(),
    ],
    "adversary_weight": [
        weight_of,
        by_loop,
        lambda e, d, step, start, w: (step >= start) * w * min(np.linalg.norm(e) / (np.linalg.norm(d) + 1e-4), 1e4),
        lambda e, d, step, start, w: np.float32(weight_of(e, d, step, start, w)),
        lambda e, d, step, start, w: np.array([weight_of(e, d, step, start, w)]),
        lambda e, d, step, start, w: (
            0.0
            if step < start
            else w * (torch.from_numpy(e).norm() / (torch.from_numpy(d).norm() + 1e-4)).clamp(0, 1e4).item()
        ),
        lambda e, d, step, start, w: (
            w * np.minimum((e**2).sum() ** 0.5 / ((d**2).sum() ** 0.5 + 1e-4), 1e4) * (step >= start)
        ),
        lambda e, d, step, start, w: (
            [0, w][step >= start] * min(np.sqrt(np.vdot(e, e)) / (np.sqrt(np.vdot(d, d)) + 1e-4), 1e4)
        ),
        lambda e, d, step, start, w: torch.tensor(weight_of(e, d, step, start, w)),
        lambda error_gradient, doubt_gradient, step, start, weight: weight_of(
            error_gradient, doubt_gradient, step, start, weight
        ),
    ],
    "promised": [
        lab05.measured_promise(),
        list(lab05.measured_promise()),
        np.array(lab05.measured_promise()),
        tuple(round(value, 1) for value in lab05.measured_promise()),
    ],
}


def changed(number, wrong):
    """The right three numbers but one."""
    values = list(lab05.measured_promise())
    values[number] = wrong
    return values


# Each with a word that the feedback must contain, so that the student reads about their own mistake.
WRONG = {
    "vq_loss": [
        (lambda z, z_q: 0.25 * functional.mse_loss(z, z_q.detach()) + functional.mse_loss(z_q, z.detach()), "swapped"),
        (lambda z, z_q: functional.mse_loss(z.detach(), z_q) + 0.25 * functional.mse_loss(z, z_q.detach()), "swapped"),
        (lambda z, z_q: 1.25 * functional.mse_loss(z, z_q), "Nothing is detached"),
        (lambda z, z_q: functional.mse_loss(z, z_q.detach()), "Only the commitment"),
        (lambda z, z_q: 0.25 * functional.mse_loss(z_q, z.detach()), "Only the codebook"),
        (lambda z, z_q: functional.mse_loss(z, z_q.detach()) + functional.mse_loss(z_q, z.detach()), "Both terms"),
        (
            lambda z, z_q: 2 * functional.mse_loss(z, z_q.detach()) + 0.75 * functional.mse_loss(z_q, z.detach()),
            "weights are others",
        ),
        (lambda z, z_q: z.shape[1] * balanced(z, z_q), "sum over dimensions"),
        (lambda z, z_q: z.numel() * balanced(z, z_q), "sum over dimensions"),
        (lambda z, z_q: balanced(z, z_q).detach(), "fails this test"),
        (lambda z, z_q: VectorQuantizer(4, z.shape[1])(z[None]).loss[0], "fails this test"),
        (lambda z, z_q: (z - z_q.detach()).abs().mean() + (z_q - z.detach()).abs().mean() / 4, "fails this test"),
    ],
    "adversary_weight": [
        (lambda e, d, step, start, w: weight_of(d, e, step, start, w), "ratio is turned"),
        (lambda e, d, step, start, w: weight_of(e, d, step, start, 1), "weight is missing"),
        (lambda e, d, step, start, w: weight_of(e, d, step, 0, w), "before its start"),
        (lambda e, d, step, start, w: weight_of(e, d, step, start + 1, w), "one step late"),
        (
            lambda e, d, step, start, w: w * min((e**2).sum() / ((d**2).sum() + 1e-4), 1e4) if step >= start else 0,
            "squares of norms",
        ),
        (
            lambda e, d, step, start, w: w * np.linalg.norm(e) / (np.linalg.norm(d) + 1e-4) if step >= start else 0,
            "bound of 1e4 is missing",
        ),
        (
            lambda e, d, step, start, w: (
                min(w * np.linalg.norm(e) / (np.linalg.norm(d) + 1e-4), 1e4) if step >= start else 0
            ),
            "before the weight",
        ),
        (
            lambda e, d, step, start, w: (
                w * np.clip(np.linalg.norm(e) / np.linalg.norm(d), 0, 1e4) if step >= start else 0
            ),
            "divides by zero",
        ),
        (lambda e, d, step, start, w: w * np.abs(e).sum() / (np.abs(d).sum() + 1e-4), "fails this test"),
        (lambda e, d, step, start, w: w, "fails this test"),
    ],
    "promised": [
        (changed(0, lab05._counted(-1)), "at the switch"),
        (changed(0, lab05._counted(None, 10)), "10 bits"),
        (changed(2, -lab05.measured_promise()[2]), "sign of the saving"),
        (changed(2, 100 * (1 / (1 - lab05.measured_promise()[2] / 100) - 1)), "divide by the warm distance"),
        (changed(2, lab05.measured_promise()[2] / 100), "per cent"),
        (changed(1, 64.0), "fails this test"),
        (lab05.measured_promise()[:2], "three things"),
        ("many", "three things"),
    ],
}
