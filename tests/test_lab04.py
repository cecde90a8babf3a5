"""Lab 04's exercises: what the tables of answers cannot say."""

import numpy as np
import pytest

from vqlab.exercises import check
from vqlab.labs.lab04 import answers
from vqlab.labs.lab04 import exercises as lab04


def test_another_form_of_the_growth_is_right_though_it_would_overflow_at_long_warm_ups():
    """a² = ε²e^(2σ²t) / (1 − ε² + ε²e^(2σ²t)) is the formula of the lab, so it must pass."""
    with np.errstate(over="raise"):
        for seed in range(10):
            assert check(lab04.predict, answers.prediction_by_overflow, seed=seed).state == "passed"


def test_the_gradient_asked_for_is_that_of_autograd_through_a_sampled_channel():
    """The straight-through gradient of a channel with the two moments of section 5.2, averaged over many samples."""
    import torch

    generator = torch.Generator().manual_seed(0)
    a0, b0, c, variance, beta = 0.7, 0.9, 0.6, 2.0, 0.25
    a, b = (torch.tensor(g, dtype=torch.float64, requires_grad=True) for g in (a0, b0))
    noise = (c * (1 - c) * a0**2 * variance) ** 0.5
    x, n = torch.randn(2, 2_000_000, generator=generator, dtype=torch.float64)
    x = x * variance**0.5
    z = a * x
    z_q = (c * z + noise * n).detach()
    through = z + (z_q - z).detach()
    loss = (x - b * through).square().mean() / 2 + beta * (z - z_q).square().mean() / 2
    loss.backward()
    expected = answers.flow(a0, b0, c, variance, beta)
    assert -a.grad.item() == pytest.approx(expected[0], abs=5e-3)
    assert -b.grad.item() == pytest.approx(expected[1], abs=5e-3)
