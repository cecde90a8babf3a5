"""What labs read off sweeps, on sweeps made up so small that every answer can be counted by hand."""

import numpy as np
import pytest

from vqlab import figures
from vqlab.labs.lab01 import readings as lab01
from vqlab.labs.lab02 import readings as lab02
from vqlab.labs.lab04 import readings as lab04
from vqlab.labs.lab04.forecast import Forecast
from vqlab.sweeps import StoredSweep


def made_up(axes: dict, settings: dict | None = None, **arrays: object) -> StoredSweep:
    """A sweep of these axes; arrays have the shape of the axes, then seeds, then frames."""
    described = [{"name": name, "label": name, "values": list(values), "unit": ""} for name, values in axes.items()]
    arrays = {key: np.array(values, float) for key, values in arrays.items()}
    seeds = next(iter(arrays.values())).shape[len(axes)]
    description = {
        "title": "made up",
        "settings": settings or {},
        "provenance": {},
        "seeds": list(range(seeds)),
        "defined_in": "nowhere",
        "axes": described,
    }
    return StoredSweep("made_up", description, arrays)


# --- a stored number at the end ------------------------------------------------------------------------------


def test_final_is_the_last_frame_and_leaves_out_the_axes_that_are_given(refuses):
    sweep = made_up({"a": (1, 2), "b": (5, 6, 7)}, mse=np.arange(2 * 3 * 4 * 2).reshape(2, 3, 4, 2))
    np.testing.assert_array_equal(sweep.final("mse"), sweep.arrays["mse"][..., 1])
    np.testing.assert_array_equal(sweep.final("mse", b=6), sweep.arrays["mse"][:, 1, :, 1])
    np.testing.assert_array_equal(sweep.final("mse", a=2, b=7), sweep.at(a=2, b=7)["mse"][:, -1])
    with refuses("a = 3 is not stored in made_up"):
        sweep.final("mse", a=3)
    with refuses("no axis c"):
        sweep.final("mse", c=1)


# --- Lab 01 --------------------------------------------------------------------------------------------------


def test_spread_flatness_and_the_size_at_the_switch():
    square = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    assert lab01.spread_of(square + 7) == pytest.approx(1)
    assert lab01.flatness(square + 7) == pytest.approx(1)
    np.testing.assert_allclose(lab01.flatness(np.stack([square * [1, 0.25], square * [0, 3]])), [0.25, 0], atol=1e-12)
    latents = np.stack([square, 2 * square, 4 * square])[None, None]  # (warm-up, seeds, frames, N, 2)
    sweep = made_up({"warmup": (10,), "codebook_size": (8,)}, {"frames": [0, 10, 20]}, latents=latents[None])
    np.testing.assert_allclose(lab01.size_when_placed(sweep, 10, 8), [0.5])


def test_only_corners_are_the_rim_and_only_they_are_nearest_from_far_away():
    inside = np.array([[0.2, 0.1], [-0.3, 0.0], [0.0, 0.0]])
    codes = np.concatenate([inside, [[1.0, 0.0], [-0.5, 0.9], [-0.5, -0.9]]])
    np.testing.assert_array_equal(lab01.rim(codes), [3, 4, 5])
    angles = np.linspace(0, 2 * np.pi, 50)
    far = 100 * np.stack([np.cos(angles), np.sin(angles)], 1)
    np.testing.assert_array_equal(lab01.nearest(far, codes), [3, 4, 5])
    np.testing.assert_array_equal(lab01.nearest(inside[:2], codes), [0, 1])


def test_a_cluster_without_a_code_of_its_own_is_not_served():
    latents = np.array([[0.0, 0], [0.1, 0], [5, 0], [5.1, 0], [9, 0], [9.1, 0]])
    y = np.array([0, 0, 1, 1, 2, 2])
    assert lab01.clusters_served(latents, np.array([[0.0, 0], [5, 0], [9, 0]]), y) == 3
    assert lab01.clusters_served(latents, np.array([[0.0, 0], [0.1, 0], [7, 0]]), y) == 2  # two codes share a cluster
    assert lab01.clusters_served(latents, np.array([[3.0, 0]]), y) == 1


def test_the_middle_is_half_of_the_radius_and_no_size_or_place_matters():
    square = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    assert lab01.radius_of(3 * square + 5) == pytest.approx(3 * np.sqrt(2))
    assert lab01.share_in_the_middle(square) == 0
    points = np.concatenate([square, np.zeros((4, 2))])  # radius 1: four points in the middle
    np.testing.assert_allclose(lab01.share_in_the_middle(np.stack([points, 0.01 * points - 7])), [0.5, 0.5])


@pytest.mark.parametrize(
    ("cold", "warm", "words"),
    [
        ((3, 7), (8, 15), "holds"),
        ((3, 8), (8, 15), "bends: the disease is mild"),
        ((3, 4), (7, 15), "bends: the cure is partial"),
        ((3, 8), (7, 15), "fails: no cure in every seed"),
    ],
)
def test_the_claim_holds_if_all_cold_seeds_use_less_than_half_and_all_warm_ones_at_least_half(cold, warm, words):
    assert lab01.verdict(np.array(cold), np.array(warm), 16) == words


def test_halfway_is_the_geometric_mean():
    assert lab01.halfway(np.array([3.0, 5.0]), np.array([60.0, 68.0])) == pytest.approx(16)


# --- Lab 02 --------------------------------------------------------------------------------------------------


def activation_sweep(regions: list) -> StoredSweep:
    """regions: (widths 1, 2, 4; seeds), of 10 classes."""
    values = np.array(regions, float)[None, :, None, None, :, None]
    axes = {"activation": ("relu",), "width": (1, 2, 4), "classes": (10,), "layout": ("ring",)}
    return made_up(axes, regions=values)


def test_classes_merge_below_the_width_from_which_on_the_mean_is_high():
    sweep = activation_sweep([[3, 5], [10, 10], [9, 10]])
    np.testing.assert_allclose(lab02.shares_apart(sweep, "relu", 10, "ring"), [[0.3, 0.5], [1, 1], [0.9, 1]])
    assert lab02.merge_width(sweep, "relu", 10, "ring") == 2
    assert lab02.merge_width(activation_sweep([[3, 5], [10, 10], [9, 9]]), "relu", 10, "ring") is None


def test_seeds_drawn_again_spread_the_boundary_only_where_seeds_differ():
    alike = activation_sweep([[3, 3], [9, 9], [10, 10]])
    assert lab02.redrawn_merge_width(alike, "relu", 10, "ring") == (4, 4)
    # One seed in two needs width 4: half of the draws of two seeds hold the other one alone or both.
    mixed = activation_sweep([[3, 3], [9, 10], [10, 10]])
    assert lab02.redrawn_merge_width(mixed, "relu", 10, "ring") == (2, 4)
    never = activation_sweep([[3, 3], [9, 9], [9, 9]])
    assert lab02.redrawn_merge_width(never, "relu", 10, "ring") == (None, None)


def test_a_number_sees_the_merged_runs_that_fall_below_all_healthy_ones(refuses):
    merged = np.array([[True, True], [False, False], [True, False]])
    assert lab02.seen_by(np.array([[1, 9], [5, 7], [4, 6]]), merged) == (5, 2)
    assert lab02.seen_by(np.array([[8, 5], [5, 7], [6, 6]]), merged) == (5, 0)  # as low as a healthy one is not seen
    with refuses("no healthy one is left"):
        lab02.seen_by(np.ones(3), np.ones(3, bool))


def test_the_shared_loss_is_what_units_that_cannot_die_lose_as_well():
    assert lab02.shared_loss(np.array([[0.5, 1], [0.75, 1]]), np.array([[0.75, 1], [1, 1]])) == pytest.approx(1 / 3)
    assert lab02.shared_loss(np.array([0.5]), np.array([0.5])) == pytest.approx(1)
    assert lab02.shared_loss(np.ones(3), np.ones(3)) == 0


def test_fates_are_counted_by_living_units():
    before = np.array([[0, 1, 1], [2, 3, 5]])
    regions = np.array([[1, 4, 8], [8, 3, 8]])
    assert lab02.fates(before, regions, 8) == {"0": (1, 1, 0, 0), "1": (2, 0, 1, 1), "2 or more": (3, 0, 1, 2)}


# --- Lab 04 --------------------------------------------------------------------------------------------------

# Errors (warm-up, seeds, frames) at one β: after 10 steps 5 is best, after 20 steps 15.
ERRORS = [[[4, 4.0], [4, 4.2]], [[2, 2.1], [2, 2.0]], [[9, 1.8], [9, 1.9]]]


@pytest.fixture
def linear():
    settings = {"steps": 20, "frames": [0, 5, 10, 15, 20], "dim": 4, "codebook_size": 16, "slope": 1}
    errors = np.array(ERRORS)[:, None, :, [0, 0, 0, 0, 1]] / 4  # a mean over 4 dimensions
    latents = np.ones((3, 1, 2, 5, 4))
    latents[1, 0, :, 1] = [16, 1, 1e-9, 1e-9]  # the spectrum at the switch of warm-up 5
    return made_up({"warmup": (0, 5, 15), "beta": (1,)}, settings, mse=errors, latent_variances=latents)


def test_only_warm_ups_shorter_than_the_budget_are_read(linear):
    assert lab04.trained_warmups(linear, 10) == (0, 5)
    assert lab04.trained_warmups(linear, 20) == (0, 5, 15)
    assert lab04.trained_warmups(linear, 15) == (0, 5)  # a warm-up of the whole budget leaves no quantized step
    np.testing.assert_allclose(lab04.errors(linear, 10, beta=1), [[4, 4], [2, 2]])
    np.testing.assert_allclose(lab04.errors(linear, beta=1), [[4, 4.2], [2.1, 2.0], [1.8, 1.9]])


def test_the_gain_is_that_of_the_warm_up_which_the_other_seeds_choose(linear):
    error = lab04.errors(linear, beta=1)
    assert lab04.best(error) == 2
    np.testing.assert_allclose(lab04.gain(error), [1 - 1.8 / 4, 1 - 1.9 / 4.2])
    np.testing.assert_allclose(lab04.right_arm(error), [0, 0])
    np.testing.assert_allclose(lab04.right_arm(error, 1), [2.1 / 1.8 - 1, 2.0 / 1.9 - 1])
    lucky = np.array([[2.0, 2.0, 2.0], [1.0, 3.0, 3.0], [3.0, 1.0, 3.0]])  # each best by its own seed alone
    np.testing.assert_allclose(lab04.gain(lucky), [0, 0, 0])


def test_modes_above_water_are_counted_on_the_latents_at_each_switch(linear):
    """Four equal modes get a bit each of 4; of 16, 1 and next to nothing two stand above 16 · 1 / 2⁴ = 2⁻²."""
    np.testing.assert_array_equal(lab04.at_switch(linear, beta=1), [[4, 4], [2, 2], [4, 4]])


def test_shannon_fills_the_spectrum_with_log2_k_bits(linear):
    spectrum = np.array([1, 1 / 2, 1 / 3, 1 / 4])
    spectrum *= 4 / spectrum.sum()
    level = (spectrum.prod() / 2.0 ** (2 * 4)) ** (1 / 4)  # all four above water
    assert level < spectrum[-1]
    assert lab04.shannon(linear).distortion == pytest.approx(4 * level)


def test_regret_is_the_share_above_the_best_fixed_warm_up_of_each_position(monkeypatch):
    fixed = {"β = 1": [4, 2, 3], "β = 0": [5, 4, 8]}
    monkeypatch.setattr(
        lab04,
        "fixed_warmups",
        lambda position: {w: np.full(2, e) for w, e in zip((0, 5, 15), fixed[position], strict=True)},
    )
    mse = np.array([[[2.0], [3.0]], [[4.0], [4.0]]]) / 4
    adaptive = made_up({"position": ("β = 1", "β = 0")}, {"dim": 4}, mse=mse)
    regrets = lab04.regrets(adaptive)
    assert list(regrets) == ["cold start", "rule", "5 steps everywhere"]
    np.testing.assert_allclose(regrets["cold start"], [[1, 1], [0.25, 0.25]])
    np.testing.assert_allclose(regrets["rule"], [[0, 0.5], [0, 0]])
    np.testing.assert_allclose(regrets["5 steps everywhere"], 0)


def test_the_verdict_in_words_follows_the_numbers():
    nothing = np.zeros(1)
    predicted = Forecast(nothing, np.array([7]), np.array([20.0]), nothing, nothing)
    cell = {"code_dim": np.array([7.0, 8.0]), "mse": np.array([5.5, 5.5])}
    said = lab04.verdict(cell, predicted, 0, 4)
    assert f"predicted 7, measured {figures.spread(cell['code_dim'])}, within one" in said
    assert "+10.0%" in said
    assert "2.5 above" in lab04.verdict(cell | {"code_dim": cell["code_dim"] + 2}, predicted, 0, 4)
    assert "3.5 below" in lab04.verdict(cell | {"code_dim": cell["code_dim"] - 4}, predicted, 0, 4)
