"""Lab 00: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

from decimal import Decimal

import numpy as np
import torch

from vqlab import theory
from vqlab.labs.lab00 import exercises as lab00


def formula(sign=-1):
    k, n = lab00.codebook()
    return k * np.exp(sign * (k - 1) / (2 * n))


RIGHT = {
    "healthy": [
        formula(),
        lab00.measured_healthy(),
        np.array([formula()]),
        torch.tensor(formula(), dtype=torch.bfloat16),
        Decimal(formula()),
        [round(formula())],
    ]
}

WRONG = {
    "healthy": [
        (lab00.codebook()[0], "This is K"),
        (float(theory.expected_active(*lab00.codebook())), "active codes"),
        (formula(sign=1), "exponent negative"),
        (formula() / lab00.codebook()[0], "multiply by K"),
        (lab00.codebook()[1], "exponent negative"),
        (lab00.codebook()[0] * np.exp(-(lab00.codebook()[0] - 1) / 2 * lab00.codebook()[1]), "brackets"),
        (lambda: formula(), "a function"),
        (formula() + 1j, "complex"),
        ({"healthy": formula()}, "a dict"),
        ([formula(), [1, 2]], "different shapes"),
        (17, "fails this test"),
        ("many", "the text"),
    ]
}
