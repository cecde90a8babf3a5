"""The training flow against its reference table, its own equations in small Euler steps, and the floors of theory."""

import time

import numpy as np
import pytest
from hypothesis import strategies as st
from steady import given, settings
from threadpoolctl import threadpool_info, threadpool_limits

from vqlab import LabError, measures
from vqlab.theory import (
    autoencoder_gain,
    dense,
    dense_flow,
    diagonal_flow,
    loss_floor,
    predicted_active,
    water_fill,
)

HARMONIC = 1 / np.arange(1, 65)
BITS = np.array([[12], [14], [16]])
WARMUPS = np.array([0, 4, 8, 16, 32, 64, 128])


def euler_flow(variances, bits, warmup, total, a, b, beta=1.0, dt=0.01):
    """The equations as they stand in the module's docstring, one small step at a time -> final a, b, loss."""
    a, b = (np.broadcast_to(x, variances.shape).astype(float) for x in (a, b))
    for step in range(round(total / dt) + 1):
        latent = a**2 * variances
        level = water_fill(latent, bits).level
        c = np.ones_like(a) if step * dt < warmup - dt / 2 else np.maximum(0, 1 - level / latent)
        loss = (variances * (1 - 2 * c * a * b + c * (a * b) ** 2)).sum()
        if step == round(total / dt):
            return a, b, loss
        weight = beta * (1 - c)
        a, b = (
            a + dt * variances * (b * (1 - c * a * b) - weight * a),
            b + dt * c * variances * a * (1 - a * b),
        )


@pytest.fixture(scope="module")
def table():
    return diagonal_flow(HARMONIC, BITS, WARMUPS, 400)


def test_final_active_modes_match_the_reference_table(table):
    expected = [[5, 6, 6, 9, 12, 17, 19], [6, 6, 7, 9, 13, 19, 21], [7, 7, 8, 10, 14, 20, 24]]
    np.testing.assert_array_equal(table.active[..., -1], expected)


def test_final_losses_match_the_reference_table(table):
    expected = [
        [2.530, 2.419, 2.419, 2.257, 2.208, 2.1946, 2.1945],
        [2.373, 2.373, 2.281, 2.166, 2.079, 2.0590, 2.0587],
        [2.238, 2.238, 2.159, 2.055, 1.967, 1.9406, 1.9395],
    ]
    np.testing.assert_allclose(table.loss[..., -1], expected, atol=1e-3)


def test_the_loss_ends_on_the_floor_of_its_active_modes_and_never_goes_below(table):
    floors = loss_floor(HARMONIC, BITS[..., None], table.active)
    quantized = table.times >= WARMUPS[:, None]
    assert (table.loss >= floors - 1e-9)[quantized].all()
    np.testing.assert_allclose(table.loss[..., -1], floors[..., -1], rtol=1e-3)


def test_a_dead_mode_stays_dead_and_its_encoder_relaxes_to_b_over_beta():
    flow = diagonal_flow(HARMONIC, 14, 8, 4000, beta=0.5)
    dead = flow.latent[-1] < flow.level[-1]
    since = flow.times > 50
    assert 0 < dead.sum() < 64
    assert (flow.latent[since][:, dead] < flow.level[since, None]).all()
    np.testing.assert_array_equal(np.ptp(flow.b[since][:, dead], axis=0), 0)
    np.testing.assert_allclose(flow.a[-1, dead], flow.b[-1, dead] / 0.5, rtol=1e-6)


def test_without_commitment_dead_encoders_creep_linearly_and_modes_escape():
    free, held = (diagonal_flow(HARMONIC, 14, 0, 400, beta=beta) for beta in (0, 1))
    assert free.active[-1] > held.active[-1]
    drowned = -1  # the smallest mode never surfaces in this time: ȧ = σ² b with b at rest
    np.testing.assert_array_equal(np.diff(free.b[-300:, drowned]), 0)
    slope = np.diff(free.a[-300:, drowned]) / np.diff(free.times[-300:])
    np.testing.assert_allclose(slope, HARMONIC[drowned] * free.b[-1, drowned], rtol=1e-6)


def test_a_longer_warmup_keeps_more_modes_and_predicts_how_many(table):
    assert (np.diff(table.active[..., -1]) >= 0).all()
    late = WARMUPS >= 8
    predicted = predicted_active(HARMONIC, WARMUPS[late], BITS)
    assert (np.abs(predicted - table.active[:, late, -1]) <= 1).all()
    assert predicted_active(HARMONIC, 0, 14) > 3 * table.active[1, 0, -1]  # vacuous without a warm-up


def test_the_warmup_follows_the_logistic_formula(table):
    warm = table.times < WARMUPS[:, None]
    expected = autoencoder_gain(HARMONIC, table.times, 0.1)
    np.testing.assert_allclose(table.a[warm], expected[warm], rtol=1e-9)
    np.testing.assert_allclose(table.b[warm], expected[warm], rtol=1e-9)


def test_the_logistic_formula_matches_the_integrated_autoencoder():
    a, b, _ = euler_flow(HARMONIC, 12, 20, 20, 0.1, 0.1)
    np.testing.assert_allclose([a, b], [autoencoder_gain(HARMONIC, 20, 0.1)] * 2, atol=2e-3)


@pytest.mark.parametrize("beta", [0.0, 0.25, 1.0, 4.0])
@pytest.mark.parametrize(("bits", "warmup"), [(8, 0), (14, 6)])
def test_the_flow_matches_small_euler_steps(beta, bits, warmup):
    a, b, loss = euler_flow(HARMONIC[:24], bits, warmup, 40, 0.1, 0.1, beta)
    flow = diagonal_flow(HARMONIC[:24], bits, warmup, 40, beta=beta)
    np.testing.assert_allclose(flow.a[-1], a, atol=0.01)
    np.testing.assert_allclose(flow.b[-1], b, atol=0.01)
    assert flow.loss[-1] == pytest.approx(loss, abs=2e-3)


def test_an_unbalanced_start_matches_small_euler_steps():
    rng = np.random.default_rng(3)
    start = tuple(rng.normal(0, 0.5, (2, 16)))
    for warmup in (0, 5, 10):
        a, b, _ = euler_flow(HARMONIC[:16], 6, warmup, 10, *start, dt=2e-3)
        flow = diagonal_flow(HARMONIC[:16], 6, warmup, 10, start=start)
        np.testing.assert_allclose(flow.a[-1], a, atol=2e-3)
        np.testing.assert_allclose(flow.b[-1], b, atol=2e-3)


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0, 3), st.floats(0, 500))
@settings(deadline=None)
def test_the_autoencoder_conserves_the_imbalance_of_its_gains(a, b, variance, total):
    flow = diagonal_flow([variance], 1, total, total + 1, start=(a, b), steps=1)
    warm = flow.times <= total
    np.testing.assert_allclose(flow.a[warm] ** 2 - flow.b[warm] ** 2, a**2 - b**2, atol=1e-8)
    np.testing.assert_allclose([flow.a[0, 0], flow.b[0, 0]], [a, b], atol=1e-7)


@pytest.mark.parametrize("start", [0.0, (0.0, 0.3), (0.1, -0.1)])
def test_degenerate_starts_stay_finite(start):
    flow = diagonal_flow([1.0, 0.0, 0.3], 4, [0, 1000], 2000, start=start)
    assert all(np.isfinite(x).all() for x in flow)


def test_more_steps_do_not_change_the_answer():
    coarse, fine = (diagonal_flow(HARMONIC, 14, WARMUPS, 400, steps=steps) for steps in (600, 4800))
    np.testing.assert_array_equal(coarse.active[:, -1], fine.active[:, -1])
    quantized = slice(-601, None)
    np.testing.assert_allclose(coarse.loss[:, quantized], fine.loss[:, -4801::8], atol=2e-3)


def test_runs_do_not_depend_on_their_neighbours(table):
    alone = diagonal_flow(HARMONIC, 14, 16, 400)
    assert alone.a.shape == (*alone.times.shape, 64)
    np.testing.assert_allclose(alone.latent, table.latent[1, 3], rtol=1e-9)


def test_one_run_is_fast_enough_for_a_slider():
    seconds = []
    for _ in range(5):
        begin = time.process_time()
        diagonal_flow(HARMONIC, 14, 16, 400)
        seconds.append(time.process_time() - begin)
    assert min(seconds) < 0.15  # of the processor, however busy the machine is; it takes 0.04 s


def test_a_run_that_only_warms_up_is_a_plain_autoencoder():
    flow = diagonal_flow(HARMONIC, 12, 400, 400)
    np.testing.assert_allclose(flow.a[-1], autoencoder_gain(HARMONIC, 400))


@pytest.mark.parametrize(
    "options",
    [
        {"warmup": -1},
        {"warmup": 11},
        {"warmup": np.nan},
        {"total": np.inf},
        {"beta": -1},
        {"bits": -1},
        {"start": np.nan},
        {"steps": 0},
        {"variances": [[1.0]]},
        {"variances": [-1.0]},
    ],
)
def test_an_impossible_flow_is_refused(options):
    with pytest.raises(LabError):
        diagonal_flow(**{"variances": [1.0, 0.5], "bits": 2, "warmup": 1, "total": 10, **options})


# --- Dense weights ---------------------------------------------------------------------------------------------------


def test_a_cold_dense_start_freezes_at_the_reference_number_of_modes():
    assert dense_flow(HARMONIC, 8, 0, 40).active[-1] == 2
    assert dense_flow(HARMONIC, 12, 0, 40).active[-1] == 3
    assert dense_flow(HARMONIC, 16, 0, 40).active[-1] in (3, 4)


@pytest.mark.parametrize(("warmup", "active", "loss"), [(20, 5, 2.530), (50, 9, 2.257)])
def test_a_dense_warmup_reaches_the_reference_number_of_modes(warmup, active, loss):
    flow = dense_flow(HARMONIC, 12, warmup, warmup + 60)
    assert flow.active[-1] == active
    assert flow.loss[-1] == pytest.approx(loss, rel=0.01)
    assert flow.loss[-1] >= loss_floor(HARMONIC, 12, active) - 1e-9


def test_the_dimension_of_a_plain_dense_autoencoder_dips_and_climbs():
    flow = dense_flow(HARMONIC, 12, 120, 120)
    at = np.searchsorted(flow.times, [0, 6, 10, 20, 50, 119.9])
    dimensions = flow.effective_dimension[at]
    np.testing.assert_array_equal(dimensions[1:4], [1, 2, 4])
    np.testing.assert_allclose(dimensions[[0, 4, 5]], [46, 10, 22], atol=1)


def test_dense_dimension_agrees_with_the_metric_on_points():
    flow = dense_flow(HARMONIC[:8], 4, 20, 30)
    axes = np.sqrt(flow.latent[-1])[:, None] * np.eye(8)
    points = np.concatenate([axes, -axes])  # centred, with covariance ∝ diag(latent)
    assert measures.effective_dimension(points) == flow.effective_dimension[-1]


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_dense_and_diagonal_flows_end_at_the_same_loss_for_the_same_modes(beta):
    flow = dense_flow([1.0, 0.5, 0.25], 3, 60, 200, scale=0.1, beta=beta)
    aligned = diagonal_flow([1.0, 0.5, 0.25], 3, 60, 200, beta=beta)
    assert flow.active[-1] == aligned.active[-1]
    assert flow.loss[-1] == pytest.approx(aligned.loss[-1], rel=1e-2)


def test_the_dense_flow_steps_exactly_onto_the_switch_and_the_end():
    flow = dense_flow([1.0, 0.5], 2, 1.2345, 3.21)
    assert 1.2345 in flow.times
    assert flow.times[-1] == 3.21


def test_small_matrices_are_multiplied_on_one_thread(monkeypatch):
    """Two of them wait for each other, busily: beside other programs a second becomes ten."""

    def threads() -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    seen, really = [], dense.water_level
    monkeypatch.setattr(dense, "water_level", lambda *given: seen.append(threads()) or really(*given))
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        dense_flow([2, 1], 3, 0, 0.1)
        assert threads() == before
    assert seen
    assert set.union(*seen) == {1}


def test_the_dense_seed_decides_the_start():
    first, again, other = (dense_flow(HARMONIC[:8], 4, 0, 1, seed=seed).latent[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("options", [{"warmup": [0, 1]}, {"bits": [2, 3]}, {"scale": 0}, {"total": 0}])
def test_an_impossible_dense_flow_is_refused(options):
    with pytest.raises(LabError):
        dense_flow(**{"variances": [1.0, 0.5], "bits": 2, "warmup": 0, "total": 1, **options})
