"""Closed forms against reference tables (two independent computations), brute force and invariants."""

import numpy as np
import pytest
from hypothesis import strategies as st
from steady import given, settings

from vqlab import LabError, measures
from vqlab.theory import (
    adaptive_switch,
    autoencoder_gain,
    diagonal_flow,
    drowning_times,
    expected_active,
    expected_perplexity,
    loss_floor,
    passed_dimension,
    predicted_active,
    simulate_uniform_usage,
    steps_until_dead,
    water_fill,
)

HARMONIC = 1 / np.arange(1, 65)
HARMONIC_32 = 1 / np.arange(1, 33)
SUM_32 = 32 * HARMONIC_32 / HARMONIC_32.sum()

spectra = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=20).map(np.array)
spectra_with_zeros = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e3)), min_size=1, max_size=20).map(np.array)
rates = st.floats(0, 40)
patient = settings(deadline=None)  # a shared machine may stall on any example


def bisected_level(variances: np.ndarray, bits: float) -> float:
    """The slow, obvious way to the water level: halve an interval on a log scale."""
    positive = variances[variances > 0]
    low, high = np.log2(positive.min()) - 2 * bits - 1, np.log2(positive.max())
    for _ in range(100):
        middle = (low + high) / 2
        spent = np.maximum(0, (np.log2(positive) - middle) / 2).sum()
        low, high = (middle, high) if spent > bits else (low, middle)
    return 2**high


# --- Reverse water-filling -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bits", "level", "active", "distortion"),
    [
        (8, 0.07518, 13, 2.5411),
        (10, 0.06183, 16, 2.3524),
        (12, 0.05255, 19, 2.1945),
        (14, 0.04572, 21, 2.0587),
        (16, 0.04048, 24, 1.9395),
    ],
)
def test_water_filling_matches_the_reference_table(bits, level, active, distortion):
    result = water_fill(HARMONIC, bits)
    assert result.level == pytest.approx(level, abs=6e-6)
    assert result.active == active
    assert result.distortion == pytest.approx(distortion, abs=6e-5)


@pytest.mark.parametrize(("bits", "level", "active", "distortion"), [(8, 0.593, 13, 14.632), (10, 0.487, 16, 13.144)])
def test_water_filling_matches_the_reference_table_of_total_32(bits, level, active, distortion):
    result = water_fill(SUM_32, bits)
    assert result.level == pytest.approx(level, abs=6e-4)
    assert result.active == active
    assert result.distortion == pytest.approx(distortion, abs=6e-4)


def test_water_filling_by_hand():
    # Two modes, 4 and 1: one bit halves the standard deviation of the first, so both end at variance 1.
    level, active, distortion, modes = water_fill([1.0, 4.0], 1)
    assert (level, active, distortion) == (1, 1, 2)
    np.testing.assert_array_equal(modes, [1, 1])
    # Two equal modes share three bits: 2^(−3) each.
    np.testing.assert_allclose(water_fill([8.0, 8.0], 3).mode_distortions, [1, 1])


@patient
@given(spectra, rates)
def test_water_filling_spends_exactly_the_rate(variances, bits):
    modes = water_fill(variances, bits).mode_distortions
    assert np.log2(variances / modes).sum() / 2 == pytest.approx(bits, abs=1e-8)


@patient
@given(spectra_with_zeros.filter(np.any), st.floats(0.01, 40))
def test_water_filling_matches_bisection(variances, bits):
    level = bisected_level(variances, bits)
    result = water_fill(variances, bits)
    assert result.level == pytest.approx(level, rel=1e-9)
    certain = np.abs(variances / level - 1) > 1e-7
    assert (variances > level)[certain].sum() <= result.active <= (variances > level)[certain].sum() + (~certain).sum()


@patient
@given(spectra_with_zeros, rates, st.floats(0, 10))
def test_more_bits_never_hurt_and_no_mode_costs_more_than_its_variance(variances, bits, more):
    few, many = water_fill(variances, bits), water_fill(variances, bits + more)
    assert (few.mode_distortions <= variances).all()
    assert (few.mode_distortions >= 0).all()
    assert many.level <= few.level * (1 + 1e-12)
    assert many.distortion <= few.distortion * (1 + 1e-12)
    assert many.active >= few.active


@patient
@given(spectra_with_zeros, rates, st.randoms())
def test_water_filling_ignores_the_order_of_the_modes(variances, bits, random):
    order = list(range(len(variances)))
    random.shuffle(order)
    plain, shuffled = water_fill(variances, bits), water_fill(variances[order], bits)
    assert shuffled.level == plain.level
    np.testing.assert_array_equal(shuffled.mode_distortions, plain.mode_distortions[order])


@patient
@given(spectra_with_zeros)
def test_without_bits_every_mode_costs_its_variance_and_none_is_active(variances):
    level, active, distortion, modes = water_fill(variances, 0)
    assert active == 0
    assert level == pytest.approx(variances.max())
    assert distortion == pytest.approx(variances.sum())
    np.testing.assert_allclose(modes, variances)


def test_water_filling_runs_over_leading_axes():
    batch = np.stack([HARMONIC, HARMONIC[::-1] * 3])  # (2, 64)
    result = water_fill(batch, np.array([[8.0], [12.0], [16.0]]))  # bits (3, 1) against (2,)
    assert result.level.shape == (3, 2)
    assert result.mode_distortions.shape == (3, 2, 64)
    assert result.level[2, 1] == pytest.approx(water_fill(3 * HARMONIC, 16).level)


def test_a_spectrum_without_variance_costs_nothing():
    result = water_fill(np.zeros(5), 8)
    assert (result.level, result.active, result.distortion) == (0, 0, 0)


def test_zero_modes_get_no_bits():
    padded = water_fill([3.0, 0.0, 1.0, 0.0], 2)
    plain = water_fill([3.0, 1.0], 2)
    assert (padded.level, padded.active) == (plain.level, plain.active)


@pytest.mark.parametrize("bad", [[-1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0], [], 3.0])
def test_impossible_variances_are_refused(bad):
    with pytest.raises(LabError, match=r"varianc"):
        water_fill(bad, 8)


@pytest.mark.parametrize("bad", [-1, np.nan, np.inf])
def test_impossible_bits_are_refused(bad):
    with pytest.raises(LabError, match="bits"):
        water_fill(HARMONIC, bad)


# --- Loss floor ------------------------------------------------------------------------------------------------------


def test_the_floor_with_all_modes_alive_is_shannons_and_with_none_the_total_variance():
    assert loss_floor(HARMONIC, 12, 64) == pytest.approx(water_fill(HARMONIC, 12).distortion)
    assert loss_floor(HARMONIC, 12, 0) == pytest.approx(4.743891, abs=1e-6)


def test_the_floor_by_hand():
    # Modes 4, 1, 0.5; one alive at one bit: 4/4 + 1 + 0.5.
    assert loss_floor([0.5, 4.0, 1.0], 1, 1) == pytest.approx(2.5)


@patient
@given(spectra_with_zeros, rates)
def test_a_lost_mode_never_lowers_the_floor(variances, bits):
    floors = loss_floor(variances, bits, np.arange(len(variances) + 1))
    assert (np.diff(floors) <= 1e-9 * variances.sum()).all()


@pytest.mark.parametrize("active", [-1, 65, 2.5])
def test_an_impossible_number_of_active_modes_is_refused(active):
    with pytest.raises(LabError, match="active modes"):
        loss_floor(HARMONIC, 12, active)


# --- Growth of the autoencoder and what it predicts ------------------------------------------------------------------


def test_gains_start_at_eps_grow_large_modes_first_and_end_at_one():
    gains = autoencoder_gain(HARMONIC, [0, 5, 1e5], eps=0.1)
    np.testing.assert_allclose(gains[0], 0.1)
    assert (np.diff(gains[1]) < 0).all()
    np.testing.assert_allclose(gains[2], 1)


def test_predicted_active_matches_the_reference_row():
    # The reference has 17 at T_wu = 1, found with Euler steps of 0.02; exactly, the 17th mode sinks at t = 0.994.
    times = [0, 2, 4, 8, 16, 32, 64, 128]
    np.testing.assert_array_equal(predicted_active(HARMONIC, times, 14), [21, 13, 10, 8, 10, 13, 19, 21])
    np.testing.assert_array_equal(predicted_active(HARMONIC, [0.99, 1.0], 14), [17, 16])


def test_predicted_active_broadcasts_warmups_and_rates():
    table = predicted_active(HARMONIC, [0, 400], np.array([[12], [14], [16]]))
    np.testing.assert_array_equal(table, [[19, 19], [21, 21], [24, 24]])


@pytest.mark.parametrize(("t", "eps"), [(-1, 0.1), (np.nan, 0.1), (1, 0), (1, -0.1), (1, np.nan)])
def test_impossible_growth_is_refused(t, eps):
    with pytest.raises(LabError):
        autoencoder_gain(HARMONIC, t, eps)


# --- Adaptive switch -------------------------------------------------------------------------------------------------


def test_the_switch_waits_while_the_score_improves():
    assert adaptive_switch([], []) is None
    assert adaptive_switch(range(6), [1, 2, 3, 4, 5, 6], patience=1) is None


def test_the_switch_comes_after_so_much_time_without_gain():
    times, scores = [0, 10, 25, 30, 41, 50, 75], [3, 5, 7, 7, 6, 7, 7]
    assert adaptive_switch(times, scores, patience=16) == 41
    assert adaptive_switch(times, scores, patience=17) == 50
    assert adaptive_switch(times, scores, patience=51) is None


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_looking_more_often_decides_the_same_up_to_the_time_between_two_looks(bits):
    switches = []
    for every in (0.5, 1, 2, 5):
        times = np.arange(0, 400, every)
        switches.append(adaptive_switch(times, predicted_active(HARMONIC, times, bits), patience=30))
    assert max(switches) - min(switches) <= 2 * 5


def test_the_vacuous_score_of_an_untrained_encoder_does_not_end_the_warmup():
    assert adaptive_switch(range(9), [21, 17, 13, 10, 8, 10, 13, 19, 21], patience=2) is None


def test_a_trough_however_long_does_not_end_the_warmup():
    scores = [13, 9, *[5] * 50]
    assert adaptive_switch(range(52), scores, patience=3) is None
    assert adaptive_switch(range(60), [*scores, *[6] * 8], patience=3) == 55
    assert adaptive_switch(range(5), [5] * 5, patience=3) == 3  # it never fell, so there is nothing to wait for


def test_gains_too_small_to_matter_do_not_count():
    losses = 1 + 0.5 ** np.arange(30.0)
    assert adaptive_switch(range(30), -losses) is None
    # At 8 it lies 0.01 above the best before it (at 6) for the last time; 9 and 10 use up the patience.
    assert adaptive_switch(range(30), -losses, patience=2, min_gain=0.01) == 10


@patient
@given(st.lists(st.integers(0, 30), max_size=30), st.integers(1, 5))
def test_the_switch_depends_on_the_past_only(scores, patience):
    at = adaptive_switch(range(len(scores)), scores, patience)
    for length in range(len(scores) + 1):
        seen = adaptive_switch(range(length), scores[:length], patience)
        assert seen == (at if at is not None and length > at else None)


@pytest.mark.parametrize("bits", [12, 14, 16])
def test_the_switch_catches_the_growing_modes_of_the_flow(bits):
    times = np.arange(0, 400, 5.0)
    at = adaptive_switch(times, predicted_active(HARMONIC, times, bits), patience=15)
    assert at is not None
    assert 60 < at < 200
    assert predicted_active(HARMONIC, at, bits) >= water_fill(HARMONIC, bits).active - 1


@pytest.mark.parametrize(
    ("times", "scores", "options"),
    [
        ([0, 1], [1, np.nan], {}),
        ([0], [1], {"patience": 0}),
        ([0], [1], {"min_gain": -1.0}),
        ([0, 0], [1, 2], {}),
        ([0], [1, 2], {}),
    ],
)
def test_impossible_switch_settings_are_refused(times, scores, options):
    with pytest.raises(LabError):
        adaptive_switch(times, scores, **options)


# --- The race --------------------------------------------------------------------------------------------------------


def test_modes_drown_from_the_smallest_to_the_largest_of_the_losers():
    flow = diagonal_flow(HARMONIC, 14, 0, 400)
    drowned = drowning_times(flow.times, flow.latent, 14)
    deserving = water_fill(HARMONIC, 14).active
    lives = np.isinf(drowned)
    assert lives.sum() == flow.active[-1]
    assert (np.diff(drowned[lives.sum() : deserving]) <= 0).all()
    assert drowned[lives.sum()] > 1  # it was above water for a while


def test_nothing_drowns_before_the_warm_up_ends_and_who_is_above_then_lives_at_beta_1():
    flow = diagonal_flow(HARMONIC, 14, 16, 400)
    drowned = drowning_times(flow.times, flow.latent, 14, 16)
    assert drowned.min() == 16
    assert np.isinf(drowned).sum() == flow.active[-1]
    assert drowning_times(flow.times, flow.latent, 14, 0).min() < 16


def test_a_mode_that_comes_up_again_has_drowned():
    latent = [[4.0, 1.0], [4.0, 0.1], [4.0, 3.0]]
    np.testing.assert_array_equal(drowning_times([0, 1, 2], latent, 1.5), [np.inf, 1])
    np.testing.assert_array_equal(drowning_times([0, 1, 2], latent, 1.5, 2), [np.inf, np.inf])


@pytest.mark.parametrize(
    ("times", "latent", "warmup"), [([0, 1], [[1.0]], 0), ([1, 0], [[1.0], [1.0]], 0), ([0, 1], [[1.0], [1.0]], 2)]
)
def test_an_impossible_race_is_refused(times, latent, warmup):
    with pytest.raises(LabError):
        drowning_times(times, latent, 1, warmup)


def test_the_dimension_that_passes_is_that_of_what_stands_out_of_the_water():
    assert passed_dimension([4.0, 2.0, 1.0], 2.5) == 1
    assert passed_dimension([4.0, 2.0, 1.0], 0.5) == 3
    assert passed_dimension([4.0, 2.0, 1.0], 4.0) == 0


# --- Occupancy -------------------------------------------------------------------------------------------------------

TOKENS = np.array([256, 512, 1024, 4096, 16384])


def test_occupancy_formulas_match_the_reference_table():
    np.testing.assert_allclose(expected_active(512, TOKENS), [201.6, 323.8, 442.8, 511.8, 512], atol=0.051)
    np.testing.assert_allclose(expected_perplexity(512, TOKENS), [188.7, 310.8, 398.9, 481.0, 504.1], atol=0.051)


@pytest.mark.parametrize(("n", "perplexity"), list(zip(TOKENS, [187.6, 288.5, 385.8, 480.1, 504.0], strict=True)))
def test_simulated_usage_matches_the_measured_table(n, perplexity):
    counts = simulate_uniform_usage(512, int(n), draws=200, seed=1)
    assert counts.shape == (200, 512)
    assert (counts.sum(1) == n).all()
    assert measures.perplexity(counts).mean() == pytest.approx(perplexity, rel=5e-3)
    assert measures.active_codes(counts).mean() == pytest.approx(expected_active(512, n), rel=5e-3)


def test_simulated_usage_follows_its_seed():
    first, again, other = (simulate_uniform_usage(16, 50, 4, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@patient
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_expected_active_is_between_one_and_what_there_is(k, n):
    active = expected_active(k, n)
    assert 1 - 1e-9 <= active <= min(k, n) * (1 + 1e-9)


def test_one_token_uses_one_code_and_one_code_reads_one():
    np.testing.assert_allclose(expected_active([1, 7, 512], 1), 1)
    np.testing.assert_allclose(expected_active(1, [1, 10]), 1)
    np.testing.assert_allclose(expected_perplexity(1, [1, 10]), 1)


def test_the_simulation_handles_a_large_codebook():
    assert simulate_uniform_usage(65536, 1000, draws=2).sum() == 2000


@patient
@given(st.floats(0.1, 1e3), st.floats(1e-6, 1e3), st.floats(0.01, 0.9999))
def test_an_unused_count_stands_at_the_threshold_when_it_dies(start, threshold, decay):
    steps = steps_until_dead(start, threshold, decay)
    if start > threshold:
        assert start * decay**steps == pytest.approx(threshold, rel=1e-6)
    else:
        assert steps == 0


@pytest.mark.parametrize("function", [expected_active, expected_perplexity, simulate_uniform_usage])
@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 0), (-3, 5), (float("nan"), 5)])
def test_a_codebook_or_batch_without_anything_is_refused(function, k, n):
    with pytest.raises(LabError, match=r"at least 1|must be finite"):
        function(k, n)


@pytest.mark.parametrize("bad", [(0, 1, 0.9), (1, 0, 0.9), (1, 1, 1.0), (1, 1, 0.0), (1, 1, float("nan"))])
def test_an_impossible_decay_is_refused(bad):
    with pytest.raises(LabError):
        steps_until_dead(*bad)
