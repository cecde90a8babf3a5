"""The adaptive switch ends the warm-up where its history says so, for any model, and changes nothing else."""

import numpy as np
import pytest
import torch

from vqlab import data, theory
from vqlab.measures import principal_variances
from vqlab.models import ConvAutoencoder, LinearAutoencoder
from vqlab.training import AdaptiveSwitch, Settings, Trainer

SAMPLES = torch.from_numpy(data.power_law_gaussian(4096, d=8).x)


def trainer(seeds=(0, 1), **changes) -> Trainer:
    settings = {
        "codebook_size": 16,
        "steps": 400,
        "warmup": 400,
        "batch_size": 64,
        "learning_rate": 0.1,
        "optimizer": "sgd",
    }
    return Trainer(LinearAutoencoder(seeds, 8, 8), SAMPLES, Settings(**(settings | changes)), seeds)


def test_it_switches_at_the_check_where_the_rule_first_says_so():
    rule = AdaptiveSwitch(every=10, patience=30, latest=0.99)
    trained = trainer().run(rule)
    assert trained.quantizing
    assert rule.looked == list(range(0, rule.switched_at + 1, 10))
    assert theory.adaptive_switch(rule.looked, rule.history, 30) == rule.switched_at
    assert theory.adaptive_switch(rule.looked[:-1], rule.history[:-1], 30) is None
    assert 0 < rule.switched_at < 396


def test_the_score_is_the_mean_number_of_active_modes_over_the_runs():
    rule = AdaptiveSwitch(every=10)
    trained = trainer(seeds=(0, 1, 2)).run(rule, until=0)
    latents = trained.latents(SAMPLES).numpy()
    active = [theory.water_fill(np.linalg.eigvalsh(np.cov(run.T, bias=True)).clip(0), 4).active for run in latents]
    assert rule.history == [pytest.approx(np.mean(active))]


def test_the_training_is_that_of_a_fixed_warmup_of_the_same_length():
    rule = AdaptiveSwitch(every=10)
    adaptive = trainer().run(rule)
    fixed = trainer(warmup=rule.switched_at).run()
    for ours, theirs in zip(adaptive.model.parameters(), fixed.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(adaptive.quantizer.codebook, fixed.quantizer.codebook)


def test_a_training_that_stops_at_a_look_and_goes_on_switches_where_one_without_a_stop_does():
    whole, halved = AdaptiveSwitch(every=10), AdaptiveSwitch(every=10)
    trainer().run(whole)
    stopped = trainer().run(halved, until=20)
    stopped.run(halved)
    assert (halved.looked, halved.history, halved.switched_at) == (whole.looked, whole.history, whole.switched_at)


def test_looking_more_often_switches_at_about_the_same_step():
    switches = []
    for every in (2, 5, 20):
        rule = AdaptiveSwitch(every=every, patience=60, latest=0.99)
        trainer().run(rule, until=399)
        switches.append(rule.switched_at)
    assert max(switches) - min(switches) <= 2 * 20


def test_more_codes_ask_for_a_longer_warmup():
    switches = []
    for codes in (4, 256):
        rule = AdaptiveSwitch(every=10, patience=30, latest=0.9)
        trainer(codebook_size=codes, steps=600, warmup=600).run(rule)
        switches.append(rule.switched_at)
    assert switches[0] < switches[1]


def test_it_switches_at_the_latest_share_of_the_steps_whatever_the_score():
    rule = AdaptiveSwitch(every=10, patience=1000, latest=0.25)
    trainer(steps=200, warmup=200).run(rule)
    assert rule.switched_at == 50


def test_it_leaves_a_training_alone_that_is_quantized_already():
    rule = AdaptiveSwitch(every=10)
    trainer(warmup=0, steps=40).run(rule)
    assert (rule.history, rule.switched_at) == ([], None)


def test_it_serves_a_convolutional_model_on_images():
    images = torch.from_numpy(data.photo_patches(64).x)
    settings = Settings(codebook_size=8, steps=8, warmup=8, batch_size=4, learning_rate=1e-3)
    rule = AdaptiveSwitch(every=2, patience=2, latest=0.5, probe=256)
    trained = Trainer(ConvAutoencoder(latent_dim=4, hidden=8), images, settings).run(rule)
    assert trained.quantizing
    assert rule.switched_at <= 4
    assert all(1 <= score <= 4 for score in rule.history)


def test_principal_variances_are_those_of_the_covariance_largest_first():
    points = np.random.default_rng(0).normal(size=(2, 500, 3)) * [1, 3, 2] + 7
    variances = principal_variances(points)
    for row, run in zip(variances, points, strict=True):
        np.testing.assert_allclose(row, np.linalg.eigvalsh(np.cov(run.T, bias=True))[::-1])


@pytest.mark.parametrize("bad", [{"every": 0}, {"patience": 0}, {"probe": 0}, {"latest": 0}, {"latest": 1}])
def test_impossible_rules_are_refused(bad, refuses):
    with refuses(f"{next(iter(bad))}"):
        AdaptiveSwitch(**bad)
