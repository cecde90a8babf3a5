"""Lab 04: its data, model, trainings and forecast, its pictures, and every sentence that a sweep could contradict."""

import itertools

import numpy as np
import pictures
import pytest
import torch

from vqlab import data, figures, measures, sweeps, theory
from vqlab.labs.lab04 import claims, readings
from vqlab.labs.lab04.experiments import DIM, cluster_modes, train_adaptive, train_linear
from vqlab.labs.lab04.forecast import forecast, start_gain, step_time
from vqlab.labs.lab04.pictures import dimensions, dip, flow, race, sizes, switching, verdicts, water
from vqlab.models import LinearAutoencoder
from vqlab.theory import dense_flow
from vqlab.training import Settings, Trainer

BUDGETS = (500, 750, 1000, 1500)
COLD = {"warmup": 0, "beta": 1, "budget": 1500}
FLOW = {"warmup": 0, "bits": 8, "beta": 0.25, "start": 0.08}
TINY = {
    "codebook_size": 16,
    "slope": 1,
    "start_scale": 0.02,
    "steps": 30,
    "batch_size": 64,
    "learning_rate": 0.32,
    "optimizer": "sgd",
    "replace_below": 0.1,
}


@pytest.fixture(scope="module")
def sweep():
    return sweeps.load("dimensions_collapse")


@pytest.fixture(scope="module")
def adaptive():
    return sweeps.load("dimensions_adaptive")


@pytest.fixture(scope="module")
def codes():
    return sweeps.load("dimensions_sizes")


@pytest.fixture(scope="module")
def clustered():
    return sweeps.load("dimensions_floor")


# --- data, metric, model -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("d", "slope"), [(32, 1), (7, 0), (16, 2.5)])
def test_a_power_law_spectrum_sums_to_d_and_falls_as_it_says(d, slope):
    spectrum = data.power_law_spectrum(d, slope)
    assert spectrum.sum() == pytest.approx(d)
    np.testing.assert_allclose(spectrum[0] / spectrum, np.arange(1, d + 1) ** slope)


def test_power_law_samples_have_that_spectrum_and_independent_modes():
    samples = data.power_law_gaussian(50_000, d=6, slope=1)
    covariance = np.cov(samples.x.T)
    np.testing.assert_allclose(np.diag(covariance), data.power_law_spectrum(6, 1), rtol=0.04)
    correlation = np.corrcoef(samples.x.T) - np.eye(6)
    assert np.abs(correlation).max() < 0.03
    assert (samples.x.dtype, samples.y.tolist()) == (np.float32, [0] * 50_000)
    assert np.array_equal(data.power_law_gaussian(9, seed=3).x, data.power_law_gaussian(9, seed=3).x)
    assert not np.array_equal(data.power_law_gaussian(9, seed=3).x, data.power_law_gaussian(9, seed=4).x)


@pytest.mark.parametrize(("bad", "says"), [({"n": 0}, "n must be at least 1"), ({"d": 0}, "d must be at least 1")])
def test_a_power_law_of_nothing_is_refused(bad, says, refuses):
    with refuses(says):
        data.power_law_gaussian(**bad)


def test_the_dimension_of_a_spectrum_is_that_of_points_which_have_it():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 200, 6)) * 2.0 ** -np.arange(6)
    spectra = np.stack([np.linalg.eigvalsh(np.cov(run.T)) for run in points])
    np.testing.assert_array_equal(measures.spectrum_dimension(spectra), measures.effective_dimension(points))
    assert measures.spectrum_dimension(np.array([0.0, 0.0])) == 0
    assert measures.spectrum_dimension(np.array([1.0, -1e-9, 1.0])) == 2


def test_the_linear_model_is_two_matrices_a_run_and_no_run_depends_on_the_others():
    model, alone = LinearAutoencoder((3, 4), 5, 2, 0.1), LinearAutoencoder((4,), 5, 2, 0.1)
    x = torch.randn(2, 7, 5)
    z = model.encode(x)
    assert z.shape == (2, 7, 2)
    assert torch.allclose(model.decode(z)[1], x[1] @ model.encoder[1] @ model.decoder[1])
    assert torch.allclose(alone.encode(x[1:]), z[1:])
    assert len(list(model.parameters())) == 2
    weights = torch.cat([w.flatten() for w in LinearAutoencoder(range(20)).parameters()])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert not torch.equal(model.encoder[0], model.decoder[0].mT)


@pytest.mark.parametrize("bad", [{"scale": 0}, {"scale": float("nan")}, {"latent_dim": 0}, {"data_dim": 0}])
def test_an_impossible_linear_model_is_refused(bad, refuses):
    with refuses("above 0" if "scale" in bad else "at least one dimension"):
        LinearAutoencoder((0,), **bad)


# --- forecast: from a training's settings to the flow's time -----------------------------------------------


def test_steps_and_start_translate_into_the_time_and_gain_of_the_flow():
    """The plain autoencoder, trained with SGD, follows the closed form at t = 2ηn/d from ε = s√(d/2)."""
    settings = {"learning_rate": 0.16, "dim": 16, "start_scale": 0.02, "steps": 120}
    spectrum = data.power_law_spectrum(16, 1)
    x = torch.from_numpy(data.power_law_gaussian(20_000, 16, 1).x)
    run = Settings(codebook_size=2, steps=120, warmup=120, batch_size=512, learning_rate=0.16, optimizer="sgd")
    trainer = Trainer(LinearAutoencoder(range(4), 16, 16, 0.02), x, run, range(4))
    errors, predicted = [], []
    for until in (60, 90, 120):
        reconstruction, _ = trainer.run(until=until).reconstruct(x)
        errors.append((reconstruction - x).square().sum(-1).mean().item())
        gain = theory.autoencoder_gain(spectrum, step_time(settings) * until, start_gain(settings))
        predicted.append((spectrum * (1 - gain**2) ** 2).sum())
    np.testing.assert_allclose(errors, predicted, rtol=0.1)
    assert errors[-1] < 0.7 * errors[0]


def test_the_aligned_start_foresees_what_the_flow_from_random_weights_ends_with(sweep):
    warmups = (0, 50, 100, 200)
    predicted = forecast(sweep.settings, 1, (256,), warmups)
    spectrum, unit = data.power_law_spectrum(DIM, 1), step_time(sweep.settings)
    total, scale = unit * sweep.settings["steps"], sweep.settings["start_scale"] * 2 * np.sqrt(DIM)
    for i, warmup in enumerate(warmups):
        dense = dense_flow(spectrum, 8, unit * warmup, total, scale=scale, seed=1)
        assert abs(int(dense.active[-1]) - predicted.active[0, i]) <= 1
        assert dense.loss[-1] == pytest.approx(predicted.error[0, i], rel=0.06)


@pytest.mark.parametrize("beta", [0, 0.25, 1, 4])
def test_a_forecast_keeps_to_the_floors_and_its_own_bookkeeping(sweep, beta):
    warmups, k = (0, 100, 400, 800), (64, 256, 1024)
    for slope in (0.5, 1, 2):
        spectrum = data.power_law_spectrum(DIM, slope)
        predicted = forecast(sweep.settings | {"commitment_weight": beta}, slope, k, warmups)
        floors = theory.loss_floor(spectrum, np.log2(k)[:, None], predicted.active)
        assert predicted.lost.shape == (3, len(warmups), DIM)
        assert (predicted.error > floors * (1 - 1e-6)).all()
        np.testing.assert_allclose((predicted.lost * spectrum).sum(-1), predicted.error, rtol=1e-6)
        assert (predicted.dimension <= predicted.active).all()
        assert (predicted.at_switch[:, -1] >= theory.water_fill(spectrum, np.log2(k)).active - 1).all()


def test_an_earlier_look_is_the_shorter_training(sweep):
    settings = sweep.settings | {"commitment_weight": 0.25}
    whole = forecast(settings, 1, (64,), (0, 100), 150)
    short = forecast(settings | {"steps": 150}, 1, (64,), (0, 100))
    np.testing.assert_allclose(whole.error, short.error, rtol=5e-3)
    later = forecast(settings, 1, (64,), (0, 100), 300)
    assert (np.abs(later.error / short.error - 1) > 6e-3).any()
    np.testing.assert_array_equal(whole.active, short.active)


def test_a_forecast_beyond_the_training_is_refused(sweep, refuses):
    with refuses("1500 steps"):
        forecast(sweep.settings, 1, (64,), (0,), 1501)


def test_after_a_warm_up_the_count_at_the_switch_is_the_end_at_beta_1_and_not_below(sweep):
    settled = readings.predict(sweep, 1)
    np.testing.assert_array_equal(settled.at_switch[1:], settled.active[1:])
    assert settled.at_switch[0] > settled.active[0] + 5  # vacuous from cold
    lifted = forecast(sweep.settings | {"commitment_weight": 0.25}, 1, (256,), (800,))
    assert lifted.active > lifted.at_switch + 3


# --- the trainings -----------------------------------------------------------------------------------------


def test_a_training_keeps_the_error_of_every_mode_and_what_the_latents_hold():
    cell = train_linear({"warmup": 10, "beta": 1}, (0, 1, 2), base=TINY, frames=(0, 10, 30))
    assert cell["dimension_mse"].shape == cell["latent_variances"].shape == (3, 3, DIM)
    np.testing.assert_allclose(cell["dimension_mse"].mean(-1), cell["mse"], rtol=1e-5)
    np.testing.assert_allclose(cell["dimension_mse"][:, 0].mean(0), data.power_law_spectrum(DIM, 1), rtol=0.1)
    assert (np.diff(cell["latent_variances"]) <= 0).all()
    assert np.isnan(cell["code_dim"][:, 0]).all()
    assert np.isfinite(cell["code_dim"][:, 1:]).all()
    assert np.isnan(cell["centroid_dim"][:, :2]).all()
    assert (cell["centroid_mse"][:, 2] < 1.02 * cell["mse"][:, 2]).all()


def test_no_sample_is_seen_twice_and_every_run_sees_its_own():
    seen = []

    def keep(trainer):
        if not seen:
            draw = trainer.draw
            trainer.draw = lambda n, generator: seen.append(draw(n, generator)) or seen[-1]
            seen.append(torch.empty(0, DIM))

    train_linear({"beta": 1}, (0, 1), keep, base=TINY | {"steps": 8}, frames=(8,))
    drawn = torch.cat(seen[1:17])  # 8 steps, 2 runs; what follows measures the centroids
    assert len(drawn) == 8 * 2 * 64
    assert len(torch.unique(drawn, dim=0)) == len(drawn)


def test_a_position_may_change_the_recipe_or_the_replacement():
    settings = []

    def keep(trainer):
        settings.append((trainer.settings, trainer.model.encoder.std().item()))

    for position in ({"recipe": "default start, Adam"}, {"replacement": "off", "beta": 0}):
        train_linear(position, (0,), keep, base=TINY | {"steps": 1}, frames=(1,))
    assert (settings[0][0].optimizer, settings[0][0].learning_rate) == ("adamw", 2e-3)
    assert settings[0][1] == pytest.approx((3 * DIM) ** -0.5, rel=0.1)
    assert (settings[-1][0].replace_below, settings[-1][0].commitment_weight) == (None, 0)


def test_adaptive_seeds_switch_one_by_one_each_as_if_alone():
    base = TINY | {"steps": 400, "codebook_size": 4}
    cell, alone = (train_adaptive({"position": "slope 2"}, seeds, base=base) for seeds in ((0, 1, 2), (1,)))
    assert cell["switched"].shape == (3,)
    assert ((cell["switched"] > 0) & (cell["switched"] <= 200)).all()
    np.testing.assert_array_equal(cell["switched"][1:2], alone["switched"])
    np.testing.assert_allclose(cell["mse"][1:2], alone["mse"], rtol=1e-5)


def test_clustering_few_modes_costs_the_others_variance():
    position = {"slope": 1, "codebook_size": 64}
    one, two, all_ = (cluster_modes(position | {"modes": m}, (0, 1), samples=2048)["mse"] * DIM for m in (1, 2, DIM))
    spectrum = data.power_law_spectrum(DIM, 1)
    assert (one > spectrum[1:].sum()).all()
    assert one.mean() == pytest.approx(spectrum[1:].sum(), rel=0.01)
    assert (two < one).all()
    assert (all_ < two).all()


@pytest.mark.parametrize("warmup", [0, 200])
def test_a_fresh_training_repeats_what_is_stored(sweep, warmup):
    position = {"warmup": warmup, "beta": 1}
    fresh, stored = sweep.experiment().run(position, (200, 201)), sweep.at(**position)
    assert abs(fresh["code_dim"][:, -1].mean() - stored["code_dim"][:, -1].mean()) <= 1
    assert fresh["mse"][:, -1].mean() == pytest.approx(stored["mse"][:, -1].mean(), rel=0.02)
    assert fresh["active"][:, -1].min() > 250


# --- what the lab says of the sweeps -----------------------------------------------------------------------


def test_all_codes_are_used_and_most_dimensions_are_not(sweep):
    assert sweep.final("active", beta=1).min() > 0.99 * 256
    assert sweep.final("code_dim", warmup=0, beta=1).max() <= 6


def test_at_beta_1_a_warm_up_lowers_the_error_clearly_and_the_dimension_grows_with_it(sweep):
    error = readings.errors(sweep, beta=1)
    gain = readings.gain(error)
    assert readings.clear(gain)
    assert 0.03 < gain.mean() < 0.1
    dimension = sweep.final("code_dim", beta=1).mean(1)
    assert (np.diff(dimension) >= -0.26).all()
    assert dimension[-1] >= dimension[0] + 3


def test_at_beta_1_the_count_at_the_switch_bounds_the_dimension_of_the_codes(sweep):
    counted = readings.at_switch(sweep, beta=1).mean(1)
    dimension = sweep.final("code_dim", beta=1).mean(1)
    assert (dimension[1:] <= counted[1:] + 0.5).all()
    assert counted[0] > dimension[0] + 4  # vacuous from cold


def test_the_gap_to_shannon_is_that_of_a_finite_code(sweep, clustered):
    lowest = readings.errors(sweep, beta=1).mean(1).min()
    assert 1.05 < lowest / readings.shannon(sweep).distortion < 1.2
    kmeans = clustered.at(codebook_size=256, slope=1)["mse"].mean(1).min() * DIM
    assert lowest == pytest.approx(kmeans, rel=0.02)


def test_real_latents_lose_the_race_as_the_flow_says(sweep):
    counted = theory.water_fill(sweep.at(warmup=0, beta=1)["latent_variances"], 8).active.mean(0)  # (frames,)
    assert counted[0] > 9
    assert counted[sweep.settings["frames"].index(100)] < 6
    assert counted[-1] < 6


def test_the_gain_is_judged_where_its_own_noise_did_not_choose():
    rng = np.random.default_rng(0)
    noise = 16 + rng.normal(0, 0.1, (400, 8, 4))  # no warm-up is better than another
    gains = np.array([readings.gain(error).mean() for error in noise])
    assert abs(gains.mean()) < 3 * gains.std() / np.sqrt(len(gains))
    assert not readings.clear(np.array([0.01, -0.01, 0.01, -0.01]))
    assert readings.clear(np.array([0.01, 0.02, 0.01, 0.02]))


def test_regret_is_measured_from_the_best_fixed_warm_up_of_each_position(adaptive):
    regrets = readings.regrets(adaptive)
    assert list(regrets)[:2] == ["cold start", "rule"]
    for share in regrets.values():
        assert share.shape == (len(adaptive.axes["position"].values), len(adaptive.seeds))
    assert regrets["rule"].mean() < 0.5 * regrets["cold start"].mean()
    hindsight = list(regrets.values())[2]
    assert (hindsight.mean(1) >= -1e-12).all()


def test_every_claim_is_a_row_with_numbers_and_with_where_it_holds():
    rows = claims.rows()
    assert all(len(row) == len(claims.HEADER) for row in rows)
    for _, measured, holds in rows:
        assert any(character.isdigit() for character in measured)
        assert "nan" not in measured
        assert holds
    assert claims.where({"a": True, "b": False}) == "at a<br>not at b"
    assert (claims.where({"a": True}), claims.where({"a": False})) == ("everywhere here", "nowhere here")


def test_a_large_commitment_makes_a_long_warmup_harmless(sweep):
    losses = {}
    for beta in (0.25, 1):
        view = flow.flow_view(sweep.settings, FLOW | {"warmup": 800, "beta": beta})
        line = next(line for line in view.figure.axes[2].lines if line.get_label() == "loss")
        losses[beta] = line.get_ydata()[-1]
    assert losses[0.25] > 1.01
    assert losses[1] < 1.001


# --- the pictures ------------------------------------------------------------------------------------------


def every_view(sweep, adaptive, codes, clustered):
    betas = sweep.axes["beta"].values
    yield [water.water_view({"bits": bits, "slope": slope}) for bits in (0, 8, 16) for slope in (0, 2)]
    yield [race.race_view(sweep.settings, {"warmup": w, "bits": r}) for w in (0, 800) for r in (2, 14)]
    yield [
        flow.flow_view(sweep.settings, {"warmup": w, "bits": r, "beta": beta, "start": eps})
        for w, r, beta, eps in ((0, 2, 0, 0.02), (800, 14, 4, 0.5), (0, 14, 4, 0.02), (800, 2, 0, 0.5))
    ]
    yield [
        dimensions.training_view(sweep, {"warmup": w, "beta": beta, "budget": budget})
        for w, beta, budget in itertools.product((0, 800), betas, (500, 1500))
    ]
    yield [verdicts.verdict_view(sweep, clustered, {"beta": beta}) for beta in betas]
    yield [sizes.sizes_view(codes, {"warmup": w}) for w in codes.axes["warmup"].values]
    yield [dip.dip_view(sweep)]
    yield [switching.switching_view(adaptive)]


def test_every_picture_is_small_legible_described_and_holds_its_place(sweep, adaptive, codes, clustered):
    for group in every_view(sweep, adaptive, codes, clustered):
        for view in group:
            pictures.check(view, stored=view is group[0])
        pictures.check_that_nothing_moves(group)


def test_the_race_marks_every_mode_that_drowns_where_it_meets_the_water(sweep):
    view = race.race_view(sweep.settings, {"warmup": 200, "bits": 8})
    for axis, warmup in zip(view.figure.axes, (0, 200), strict=True):
        path, drowned = race.run(sweep.settings, warmup, 8)
        marks = next(line for line in axis.lines if line.get_marker() == "x")
        expected = np.sort(drowned[:13][np.isfinite(drowned[:13])])
        np.testing.assert_allclose(np.sort(marks.get_xdata()) ** 2, expected)
        level = np.interp(expected, path.times, path.level)
        assert (np.sort(marks.get_ydata()) <= level[-1] * 1.05).all()
    assert "13 modes deserve 8 bits: 3 live from a cold start, 10 after" in view.figure._suptitle.get_text()


def test_water_stands_at_the_level_and_covers_the_modes_it_kills():
    columns = water.water_view({"bits": 8, "slope": 1}).figure.axes[0]
    filled = theory.water_fill(data.power_law_spectrum(32, 1), 8)
    level = next(line for line in columns.lines if "water level" in line.get_label())
    assert level.get_ydata()[0] == pytest.approx(float(filled.level))
    above, below, dead = ([column.vertices for column in part.get_paths()] for part in columns.collections)
    assert (len(above), len(below), len(dead)) == (13, 13, 19)
    np.testing.assert_allclose([corners[:, 1].max() for corners in above], data.power_law_spectrum(32, 1)[:13])
    assert all(corners[:, 1].min() == filled.level for corners in above)
    assert max(corners[:, 1].max() for corners in dead) <= filled.level


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Cold start"),
        ({"warmup": 75}, "Short warm-up"),
        ({"warmup": 200}, "Lifted"),
        ({"warmup": 200, "beta": 1}, "Short warm-up"),
        ({"warmup": 400, "beta": 1}, "Balanced"),
        ({"warmup": 800, "beta": 4}, "Strong commitment"),
        ({"start": 0.5, "bits": 2}, "Large start"),
        ({"warmup": 800}, "Long warm-up"),
        ({"beta": 0}, "Slow escape"),
    ],
)
def test_the_flow_names_its_regime(sweep, changes, name):
    view = flow.flow_view(sweep.settings, FLOW | changes)
    assert view.figure._suptitle.get_text().startswith(name)
    assert view.status.startswith(name)


def test_the_flow_draws_every_mode_once_active_or_dead(sweep):
    view = flow.flow_view(sweep.settings, FLOW)
    for axis in view.figure.axes[:2]:
        active, dead = axis.collections[:2]
        assert (len(active.get_paths()), len(dead.get_paths())) == (4, 28)
    decoder = view.figure.axes[1].collections[1].get_paths()
    late = [path.vertices[path.vertices[:, 0] > 300**0.5, 1] for path in decoder]
    assert max(np.ptp(gains) for gains in late) < 1e-6


def test_enough_warmup_is_the_first_step_with_all_of_shannons_modes():
    spectrum, needed = data.power_law_spectrum(32, 1), 13
    steps = flow.enough_warmup(spectrum, 8, 0.08, 0.02, 1500)
    before, after = theory.predicted_active(spectrum, 0.02 * np.array([0.9 * steps, steps]), 8, 0.08)
    assert before < needed <= after
    assert flow.enough_warmup(spectrum, 8, 0.08, 0.02, 50) == 50


def test_the_real_picture_shows_codes_and_dimensions_side_by_side(sweep):
    view = dimensions.training_view(sweep, COLD)
    cell = sweep.at(warmup=0, beta=1)
    dimension = cell["code_dim"][:, -1].mean()
    assert f"256 of 256 codes in use, {dimension:.1f} of 32 dimensions" in view.figure._suptitle.get_text()
    assert f"100% of codes,\n{dimension / 32:.0%} of dimensions" in [t.get_text() for t in view.figure.axes[1].texts]
    measured, predicted = view.figure.axes[1].lines[:2]
    np.testing.assert_allclose(measured.get_ydata(), sweep.final("code_dim", beta=1).mean(1))
    np.testing.assert_array_equal(predicted.get_ydata(), readings.predict(sweep, 1).dimension)
    bars = [top for _, (_, top) in view.figure.axes[0].collections[0].get_segments()]
    lost = cell["dimension_mse"][:, -1] / cell["dimension_mse"][:, 0]
    np.testing.assert_allclose(bars, lost.mean(0), rtol=1e-5)


def test_a_budget_inside_the_warmup_has_no_codes_yet(sweep):
    view = dimensions.training_view(sweep, COLD | {"warmup": 800, "budget": 500})
    assert "no codes yet" in view.alt
    assert "lengthen the budget" in view.status
    assert len(view.figure.axes[1].lines[0].get_xdata()) == len(readings.trained_warmups(sweep, 500))
    trained = {key: values[:4] for key, values in sweep.at(warmup=800, beta=1).items()}
    assert dimensions.training_view(sweep, COLD | {"warmup": 800, "budget": 500}, trained).status == view.status


def test_live_runs_are_judged_by_error_and_dimension(sweep):
    stored = sweep.at(warmup=0, beta=1)
    same = {key: values[:4] for key, values in stored.items()}
    agreed = dimensions.training_view(sweep, COLD, same)
    assert f"agree with the {len(sweep.seeds)} stored ones" in agreed.status
    assert "agrees with the stored" in agreed.status
    early = dimensions.training_view(sweep, COLD | {"budget": 500}, same)
    at_500 = sweep.settings["frames"].index(500)
    assert f"end at error {figures.spread(same['mse'][:, at_500] * DIM, 4)} and agree" in early.status
    assert early.figure.axes[2].lines[-1].get_xdata()[-1] == 500
    other = dimensions.training_view(sweep, COLD, same | {"mse": same["mse"] * 2, "code_dim": same["code_dim"] + 9})
    assert "DIFFER from" in other.status
    assert "DIFFERS from" in other.status


def test_the_verdict_picture_puts_each_warmup_at_its_prediction_and_its_error(sweep, clustered):
    scatter, curve = verdicts.verdict_view(sweep, clustered, {"beta": 1}).figure.axes
    predicted, measured = readings.predict(sweep, 1), sweep.final("code_dim", beta=1).mean(1)
    np.testing.assert_allclose(scatter.containers[0].lines[0].get_data(), [predicted.dimension, measured])
    floor = readings.shannon(sweep).distortion
    lines = {line.get_label(): np.array(line.get_data()) for line in curve.lines}
    np.testing.assert_allclose(lines["trained"], [measured, readings.errors(sweep, beta=1).mean(1) / floor], rtol=1e-5)
    assert lines["floor"][1, -1] == pytest.approx(1)
    assert f"{(np.abs(measured - predicted.dimension) <= 1).sum()} of {len(measured)}" in scatter.get_title(loc="left")
