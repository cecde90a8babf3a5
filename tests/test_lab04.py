"""Lab 04's exercises: what the tables of answers cannot say."""

import pytest

from vqlab.exercises import check
from vqlab.labs.lab04 import answers
from vqlab.labs.lab04 import exercises as lab04


def test_answers_that_write_into_their_arguments_spoil_nothing():
    def sorts_in_place(variances, bits):
        variances[::-1].sort()
        return answers.level_of_sorted_only(variances, bits)

    def pops(counts, patience):
        while counts[0] > min(counts):
            counts.pop(0)
        return answers.switch(counts, patience)

    assert check(lab04.water_level, sorts_in_place).state == "passed"
    assert check(lab04.should_switch, pops).state == "passed"


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
