"""Codebook initialisation against scikit-learn, and its promises for every kind."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from vqlab.quantizers import initialise, lloyd, nearest_code
from vqlab.quantizers.initialisation import INITIALISATIONS

ALL_KINDS = [*INITIALISATIONS, "normal:0.5"]


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def latents(runs=1, n=200, d=3, seed=0):
    return torch.randn(runs, n, d, generator=torch.Generator().manual_seed(seed))


def clusters(n=240, centres=8):
    """Eight tight clusters on a circle: (1, n, 2)."""
    angles = 2 * np.pi * torch.arange(n) / centres
    return torch.stack([angles.cos(), angles.sin()], 1)[None] + 0.01 * latents(1, n, 2)


def inertia(z, codes):
    return torch.cdist(z.double(), codes.double()).amin(-1).square().sum().item()


def test_one_lloyd_step_equals_scikit_learn():
    z = latents(2)
    start = z[:, :9].clone()
    ours = lloyd(z, start, generators(0, 1), steps=1)
    for run in range(2):
        theirs = KMeans(9, init=start[run].numpy(), n_init=1, max_iter=1, algorithm="lloyd").fit(z[run].numpy())
        assert ours[run].numpy() == pytest.approx(theirs.cluster_centers_, abs=1e-5)


def test_twenty_lloyd_steps_equal_scikit_learn_and_never_raise_the_error():
    z = latents(n=400)
    start = z[:, :12].clone()
    errors = [inertia(z, lloyd(z, start, generators(0), steps=steps)) for steps in (0, 1, 2, 5, 20)]
    assert errors == sorted(errors, reverse=True)
    theirs = KMeans(12, init=start[0].numpy(), n_init=1, max_iter=20, tol=0, algorithm="lloyd").fit(z[0].numpy())
    assert errors[-1] == pytest.approx(theirs.inertia_, rel=1e-3)


def test_an_empty_cluster_restarts_at_a_random_latent():
    z = latents(n=50)
    start = torch.cat([z[:, :3], torch.full((1, 2, 3), 1000.0)], 1)
    after = lloyd(z, start, generators(0), steps=1)
    restarted = [int((code == z[0]).all(-1).nonzero()) for code in after[0, 3:]]
    assert len(set(restarted)) == 2
    tokens = nearest_code(z, lloyd(z, start, generators(0)))
    assert torch.bincount(tokens[0], minlength=5).min() > 0


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_kind_gives_one_code_a_slot_and_counts_that_sum_to_the_latents(kind):
    z = latents(2)
    codes, counts = initialise(kind, z, 10, generators(0, 1))
    assert codes.shape == (2, 10, 3)
    assert codes.dtype == torch.float32
    assert counts.shape == (2, 10)
    assert counts.sum(1).tolist() == [200, 200]
    by_hand = torch.stack([torch.bincount(tokens, minlength=10) for tokens in nearest_code(z, codes)])
    assert torch.equal(counts, by_hand)
    assert not torch.equal(codes[0], codes[1])


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_the_generators_alone_decide_the_codes(kind):
    z = latents()
    first, again, other = (initialise(kind, z, 10, generators(seed))[0] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    if kind != "hierarchical":  # Ward clustering of all latents leaves nothing to chance
        assert not torch.equal(first, other)


@pytest.mark.parametrize("kind", ["kmeans++", "hierarchical"])
def test_good_seeding_finds_every_tight_cluster(kind):
    z = clusters()
    codes, counts = initialise(kind, z, 8, generators(0))
    assert counts.tolist() == [[30] * 8]
    tokens = nearest_code(z, codes)[0]
    means = torch.stack([z[0, tokens == code].mean(0) for code in range(8)])
    assert torch.allclose(codes[0], means, atol=1e-5)


def test_kmeans_kind_is_twenty_lloyd_steps_from_random_latents():
    z = latents(n=3000)
    start, _ = initialise("latents", z, 60, generators(0))
    codes, _ = initialise("kmeans", z, 60, generators(0))
    assert torch.equal(codes, lloyd(z, start, generators(0), steps=20))
    assert inertia(z, codes) < 0.9 * inertia(z, start)


def test_latents_kind_gives_distinct_latents():
    z = latents(n=30)
    codes, counts = initialise("latents", z, 30, generators(5))
    assert torch.equal(codes[0].sort(0).values, z[0].sort(0).values)
    assert counts.tolist() == [[1] * 30]


def test_normal_kind_has_the_given_spread_and_ignores_the_latents():
    codes, _ = initialise("normal:0.1", latents(n=2000, d=8) + 50, 2000, generators(0))
    assert codes.std().item() == pytest.approx(0.1, rel=0.05)
    assert codes.mean().abs() < 0.01


@pytest.mark.parametrize("kind", ["kmeans", "kmeans++", "gmm", "hierarchical"])
def test_codes_scale_with_the_latents_however_little_they_spread(kind):
    z = clusters()
    plain, _ = initialise(kind, z, 8, generators(0))
    tiny, _ = initialise(kind, z / 1024, 8, generators(0))
    assert torch.allclose(tiny * 1024, plain, atol=1e-3)


def test_hierarchical_works_on_a_subset_of_many_latents():
    z = latents(n=5000, d=2)
    codes, counts = initialise("hierarchical", z, 16, generators(0))
    assert counts.sum() == 5000
    assert inertia(z, codes) < 1.3 * inertia(z, initialise("kmeans++", z, 16, generators(0))[0])


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_stack_of_runs_equals_one_run_at_a_time(kind):
    z = latents(3, n=200, d=2)
    z[1] = z[1].round()  # fewer distinct latents than codes: empty clusters all along
    z[2] = z[2].sign() * torch.tensor([1.0, 0.0])  # two distinct latents: settled long before the others
    stack_generators = generators(0, 1, 2)
    codes, counts = initialise(kind, z, 40, stack_generators)
    for run in range(3):
        own = generators(run)
        alone, alone_counts = initialise(kind, z[run, None], 40, own)
        assert torch.allclose(codes[run], alone[0], atol=1e-6)
        assert torch.equal(counts[run], alone_counts[0])
        assert torch.equal(stack_generators[run].get_state(), own[0].get_state())  # so later batches agree, too


@pytest.mark.parametrize(
    ("kind", "k", "z", "words"),
    [
        ("kmeans", 11, latents(n=10), "11 codes on 10 latents"),
        ("kmeans", 0, latents(), "K = 0"),
        ("kmeans", 2, torch.zeros(5, 2), "(R, N, d)"),
        ("kmeans", 2, torch.full((1, 5, 2), float("nan")), "NaN or Inf"),
        ("k-means", 2, latents(), "unknown codebook initialisation 'k-means'"),
        ("kmeans:3", 2, latents(), "unknown codebook initialisation 'kmeans:3'"),
        ("normal", 2, latents(), "'normal' lacks its standard deviation"),
        ("normal:wide", 2, latents(), "'normal:wide' lacks its standard deviation"),
    ],
)
def test_initialise_refuses_what_cannot_work(kind, k, z, words, refuses):
    with refuses(words):
        initialise(kind, z, k, generators(0))
