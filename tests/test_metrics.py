"""Perplexity, usage and effective dimension against hand counts, numpy and published formulas."""

import numpy as np
import pytest
from hypothesis import strategies as st
from steady import given

from vqlab import measures

rows_of_counts = st.lists(st.integers(0, 1000), min_size=1, max_size=40).filter(any)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([5, 5, 5, 5], 4),
        ([0, 7, 0], 1),
        ([1, 1, 0, 0], 2),
        ([2, 1, 1], 2**1.5),  # entropy 1/2 ln 2 + 2 · 1/4 ln 4 = 3/2 ln 2
        ([3, 1], 4 / 3**0.75),
    ],
)
def test_perplexity_equals_hand_computed_values(counts, expected):
    assert measures.perplexity(counts) == pytest.approx(expected, rel=1e-12)


@given(rows_of_counts)
def test_perplexity_lies_between_one_and_the_active_codes(counts):
    value = measures.perplexity(counts)
    assert 1 - 1e-9 <= value <= measures.active_codes(counts) * (1 + 1e-9)


@given(rows_of_counts, st.integers(2, 9), st.randoms(use_true_random=False))
def test_perplexity_ignores_the_order_of_codes_unused_codes_and_the_number_of_tokens(counts, factor, random):
    value = measures.perplexity(counts)
    shuffled = random.sample(counts, len(counts))
    assert measures.perplexity(shuffled) == pytest.approx(value, rel=1e-9)
    assert measures.perplexity([0, *counts, 0]) == pytest.approx(value, rel=1e-9)
    assert measures.perplexity(np.array(counts) * factor) == pytest.approx(value, rel=1e-9)


def test_perplexity_works_on_any_batch_axes():
    counts = np.random.default_rng(0).integers(1, 50, (3, 2, 6))
    together = measures.perplexity(counts)
    assert together.shape == (3, 2)
    assert together[2, 1] == pytest.approx(measures.perplexity(counts[2, 1]), rel=1e-12)


@pytest.mark.parametrize(("n", "low", "high"), [(1024, 380, 392), (4096, 477, 483)])
def test_a_healthy_codebook_of_512_reads_less_than_512_on_few_tokens(n, low, high):
    tokens = np.random.default_rng(0).integers(512, size=(20, n))
    counts = measures.code_usage(tokens, 512)
    assert low < measures.perplexity(counts).mean() < high
    expected_active = 512 * (1 - (1 - 1 / 512) ** n)
    assert measures.active_codes(counts).mean() == pytest.approx(expected_active, rel=0.01)


@pytest.mark.parametrize("counts", [[0, 0], [[1, 2], [0, 0]], [3, -1]])
def test_perplexity_refuses_rows_without_tokens_and_negative_counts(counts, refuses):
    with refuses("non-negative"):
        measures.perplexity(counts)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 30), st.integers(0, 2**31))
def test_code_usage_equals_numpy_per_row(k, runs, n, seed):
    tokens = np.random.default_rng(seed).integers(k, size=(2, runs, n))
    counts = measures.code_usage(tokens, k)
    assert counts.shape == (2, runs, k)
    assert counts.dtype == np.int64
    for place in np.ndindex(2, runs):
        assert np.array_equal(counts[place], np.bincount(tokens[place], minlength=k))


def test_code_usage_of_one_row_has_no_batch_axis():
    assert measures.code_usage([2, 0, 2], 4).tolist() == [1, 0, 2, 0]


@pytest.mark.parametrize(("tokens", "words"), [([0, 4], "0…3"), ([-1, 0], "0…3"), ([], "no tokens")])
def test_code_usage_refuses_tokens_that_no_code_has(tokens, words, refuses):
    with refuses(words):
        measures.code_usage(np.array(tokens, int), 4)


def with_spectrum(variances, n=200, seed=0):
    """Points (n, d), off the origin and rotated, whose principal components hold exactly these variances."""
    rng = np.random.default_rng(seed)
    d = len(variances)
    noise = rng.normal(size=(n, d))
    directions = np.linalg.qr(noise - noise.mean(0))[0]  # orthonormal and centred columns
    rotation = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return directions * np.sqrt(variances) @ rotation + 5


@pytest.mark.parametrize(
    ("variances", "expected"),
    [
        ([1.0], 1),
        ([1, 1, 1, 1, 1], 5),
        ([1, 1, 0, 0], 2),
        ([98.9, 0.6, 0.5], 2),
        ([99.5, 0.4, 0.1], 1),
        ([98, 0.5, 0.4, 0.6, 0.5], 3),
        ([99, 1], 1),
        ([0, 0, 0], 0),
    ],
)
def test_effective_dimension_counts_components_of_a_known_spectrum(variances, expected):
    assert measures.effective_dimension(with_spectrum(variances)) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2), (0.9, 8), (0.99, 10)])
def test_effective_dimension_follows_the_share_on_a_power_law(share, expected):
    variances = 1 / np.arange(1, 11)  # total 2.92897: the first 2 hold 51.2 %, 7 hold 88.5 %, 9 hold 96.6 %
    assert measures.effective_dimension(with_spectrum(variances), share) == expected


@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=6), st.floats(0.1, 100), st.integers(0, 99))
def test_effective_dimension_survives_rotation_scale_and_shift(variances, scale, seed):
    share = np.cumsum(np.sort(variances)[::-1]) / np.sum(variances)
    if np.abs(share - 0.99).min() < 1e-6:
        return  # a component that lands on the share itself may count either way after rounding
    expected = int((share < 0.99).sum()) + 1
    assert measures.effective_dimension(scale * with_spectrum(variances, 50, seed) - 3) == expected


def test_effective_dimension_works_on_any_batch_axes_and_without_spread():
    points = np.stack([with_spectrum([4, 3, 0]), with_spectrum([4, 3, 2]), np.full((200, 3), 7.0)])[:, None]
    assert measures.effective_dimension(points).tolist() == [[2], [3], [0]]


def test_effective_dimension_of_one_point_is_zero():
    assert measures.effective_dimension([[3.0, 4.0]]) == 0


@pytest.mark.parametrize("points", [np.zeros((0, 3)), [[np.nan, 1.0]], [[1.0, np.inf], [0, 0]]])
def test_effective_dimension_refuses_nothing_and_nan(points, refuses):
    with refuses("effective dimension"):
        measures.effective_dimension(points)


def test_mean_squared_error_is_per_run_over_samples_and_dimensions():
    x = np.zeros((2, 3), np.float32)
    reconstruction = np.stack([np.ones((2, 3)), np.array([[3.0, 0, 0], [0, 0, 0]])])
    assert measures.mean_squared_error(x, reconstruction).tolist() == [1.0, 1.5]


def test_the_error_of_bytes_does_not_wrap_around():
    x = np.array([[0, 255, 10]], np.uint8)
    reconstruction = np.array([[[255, 0, 9]]], np.uint8)
    assert measures.mean_squared_error(x, reconstruction).tolist() == [(255**2 + 255**2 + 1) / 3]
    assert measures.mean_squared_error(x, reconstruction.astype(np.float16)).tolist() == [(255**2 + 255**2 + 1) / 3]


def test_a_reconstruction_that_would_only_broadcast_is_refused(refuses):
    with refuses("for one run pass reconstruction[None]"):
        measures.mean_squared_error(np.zeros((4, 3)), np.zeros((4, 3)))


@pytest.mark.parametrize(("offset", "dtype"), [(1e6, np.float64), (1e3, np.float32), (16, np.float16)])
def test_effective_dimension_sees_a_small_spread_far_from_the_origin(offset, dtype):
    points = np.random.default_rng(0).normal(scale=0.1, size=(5000, 5)) + offset
    assert measures.effective_dimension(points.astype(dtype)) == 5


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e90])
def test_effective_dimension_does_not_depend_on_the_scale(scale):
    assert measures.effective_dimension(scale * with_spectrum([4, 3, 0])) == 2
    np.testing.assert_allclose(
        measures.principal_variances(np.sqrt(scale) * with_spectrum([4, 3, 1])), scale * np.array([4, 3, 1]) / 200
    )


@pytest.mark.parametrize("share", [99, 0, -0.5, 1.01, float("nan")])
def test_a_share_that_is_none_is_refused(share, refuses):
    with refuses("the share of the variance"):
        measures.effective_dimension(with_spectrum([1, 1]), share)


def test_a_codebook_that_never_moved_is_found_out_by_the_codes_in_use():
    rng = np.random.default_rng(0)
    codebook = rng.normal(size=(3, 64, 16))
    counts = np.zeros((3, 64), int)
    counts[0, 5] = 100  # one active code
    counts[1, :3] = 50  # three points span a plane
    counts[2] = 1
    assert measures.effective_dimension(codebook).tolist() == [16, 16, 16]
    assert measures.used_dimension(codebook, counts).tolist() == [0, 2, 16]
    for run in range(3):
        alone = measures.effective_dimension(codebook[run, counts[run] > 0])
        assert measures.used_dimension(codebook[run], counts[run]) == alone


def test_psnr_of_a_tenth_of_full_range_is_twenty_decibels():
    assert measures.psnr(np.array([0.01, 1e-4])) == pytest.approx([20, 40])
