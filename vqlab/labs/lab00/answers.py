"""Lab 00: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""

import numpy as np

from vqlab import theory
from vqlab.labs.lab00 import exercises as lab00


def formula(sign=-1):
    k, n = lab00.codebook()
    return k * np.exp(sign * (k - 1) / (2 * n))


RIGHT = {"healthy": [formula(), lab00.measured_healthy(), np.array([formula()])]}

WRONG = {
    "healthy": [
        (lab00.codebook()[0], "This is K"),
        (float(theory.expected_active(*lab00.codebook())), "active codes"),
        (formula(sign=1), "exponent negative"),
        (formula() / lab00.codebook()[0], "multiply by K"),
        (lab00.codebook()[1], "exponent negative"),
        (17, "fails this test"),
        ("many", "the text"),
    ]
}
