"""The collapse the labs show is there, in bands wide enough for any machine's rounding."""

import numpy as np
import pytest
import torch

from vqlab import measures
from vqlab.data import gaussian_ring
from vqlab.models import MLPAutoencoder
from vqlab.training import Settings, Trainer

SEEDS = (0, 1, 2, 3)
STEPS, WARMUP = 600, 300


@pytest.fixture(scope="module")
def ring():
    return torch.from_numpy(gaussian_ring().x)


def trained(ring, **changes):
    return Trainer(MLPAutoencoder(SEEDS), ring, Settings(**{"steps": STEPS} | changes), SEEDS).run()


def perplexities(trainer, samples):
    _, tokens = trainer.reconstruct(samples)
    return measures.perplexity(measures.code_usage(tokens.numpy(), trainer.settings.codebook_size))


def test_a_cold_start_collapses_128_codes_on_the_ring_and_a_warm_up_fills_them(ring):
    cold, warm = trained(ring), trained(ring, warmup=WARMUP)
    assert perplexities(cold, ring).max() < 40
    assert perplexities(warm, ring).min() > 90
    errors = [measures.mean_squared_error(ring, trainer.reconstruct(ring)[0]) for trainer in (cold, warm)]
    assert (errors[1] < errors[0]).all()


def test_with_as_many_codes_as_clusters_a_cold_start_does_not_collapse(ring):
    cold, warm = (perplexities(trained(ring, codebook_size=8, warmup=warmup), ring) for warmup in (0, WARMUP))
    assert np.median(cold) > 6
    assert np.median(warm) > 6
    assert np.median(warm) < 1.4 * np.median(cold)


def test_dead_code_replacement_revives_codes_that_a_cold_start_leaves_unused(ring):
    settings = {"steps": 400}
    without, replaced = trained(ring, **settings), trained(ring, **settings, replace_below=0.2)
    assert (perplexities(replaced, ring) > 4 * perplexities(without, ring)).all()
