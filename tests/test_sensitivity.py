"""Lab 01 elsewhere: its changes of setting, the starts that tell two reasons apart, and what it says of both."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from vqlab import data, sweeps
from vqlab.labs.lab01 import readings, reasons, sensitivity
from vqlab.models.stacked import ACTIVATIONS
from vqlab.training import Cancelled

TINY = {"hidden": 8, "steps": 20, "batch_size": 32, "learning_rate": 2e-3}


@pytest.fixture(scope="module")
def others():
    return sweeps.load("tokens_sensitivity")


@pytest.fixture(scope="module")
def told_apart():
    return sweeps.load("tokens_reasons")


# --- how they are trained ------------------------------------------------------------------------------------


def test_all_data_sets_have_the_size_of_the_ring():
    ring = data.gaussian_ring().x
    named = {change["data"] for change in sensitivity.CHANGES.values() if "data" in change}
    assert len(named) == 3
    np.testing.assert_array_equal(sensitivity.data_set("ring of 8 Gaussians"), ring)
    for name in named:
        points = sensitivity.data_set(name)
        assert (points.shape, points.dtype) == (ring.shape, np.float32)
        assert readings.radius_of(points) == pytest.approx(readings.radius_of(ring), rel=1e-5)
    hole = [readings.share_in_the_middle(sensitivity.data_set(name)) for name in sorted(named)]
    assert hole[1] < 0.01 < 0.05 < min(hole[0], hole[2])  # the ring has a hole; grid and square have none


@pytest.mark.parametrize("setting", sensitivity.CHANGES)
def test_every_change_reaches_the_training(setting):
    seen = []

    def stop(trainer):
        seen.append(trainer)
        raise Cancelled

    with pytest.raises(Cancelled):
        sensitivity.train_changed({"setting": setting, "start": "warm", "codebook_size": 8}, (0,), stop, base=TINY)
    change, trainer = sensitivity.CHANGES[setting], seen[0]
    steps = change.get("steps", TINY["steps"])
    assert (trainer.settings.steps, trainer.settings.warmup) == (steps, 0.4 * steps)
    for name in change.keys() & asdict(trainer.settings).keys():
        assert getattr(trainer.settings, name) == change[name]
    points = sensitivity.data_set(change.get("data", "ring of 8 Gaussians"))
    np.testing.assert_array_equal(trainer.data.numpy(), points)
    encoder = trainer.model.encoder
    assert encoder.weights[0].shape[-1] == change.get("hidden", TINY["hidden"])
    assert encoder.activation is ACTIVATIONS[change.get("activation", "relu")]


def place(start: str, seeds=(0, 1)):
    """A cell of a start trained for no step, and the trainer as its codes have been placed."""
    seen = []
    cell = reasons.train_start(
        {"start": start, "codebook_size": 16}, seeds, seen.append, base=TINY | {"steps": 6}, warmup=30
    )
    return cell, seen[0]


def test_starts_differ_in_what_their_names_say():
    size, named = ({start: place(start)[0][key][:, 0] for start in reasons.STARTS} for key in ("size", "named"))
    np.testing.assert_allclose(size["cold, latents enlarged before"], size["warm-up"], rtol=1e-4)
    np.testing.assert_allclose(size["warm-up, latents shrunk before"], size["cold"], rtol=1e-4)
    for start, (warm, _, _) in reasons.STARTS.items():
        # To multiply all latents changes no neighbour, but for rounding.
        np.testing.assert_allclose(named[start], named["warm-up" if warm else "cold"], atol=5e-3)
    assert (size["warm-up"] != size["cold"]).all()


def test_codes_can_be_placed_on_other_points_of_the_same_mean_and_covariance():
    latents = 2 * reasons._noise((3, 4), 500) + 5
    latents[..., 1] += latents[..., 0]
    other = reasons._like(reasons._noise((8, 9), 700), latents)
    assert other.shape == (2, 700, 2)
    for run in range(2):
        torch.testing.assert_close(other[run].mean(0), latents[run].mean(0), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(other[run].T.cov(), latents[run].T.cov(), rtol=1e-3, atol=1e-3)


def test_codes_that_follow_keep_their_place_among_the_latents():
    class Moving:
        """A training whose latents are a fixed cloud, moved and enlarged."""

        def __init__(self, trainer, factor):
            self.quantizer, self.z = trainer.quantizer, trainer.latents(trainer.data) * factor + (factor - 1)

        def latents(self, _):
            return self.z

    _, trainer = place("cold")
    follow = reasons._Follow(None)
    chosen = []
    for factor in (1, 3, 9):
        now = Moving(trainer, factor)
        follow(now)
        codes = now.quantizer.codebook.detach()
        chosen.append(((now.z[:, :, None] - codes[:, None]) ** 2).sum(-1).argmin(-1).numpy())
    assert (chosen[0] == chosen[2]).mean() > 0.99
    assert (chosen[0] == chosen[1]).mean() > 0.99


# --- what the lab says ---------------------------------------------------------------------------------------


def ends(told_apart, start, k=256):
    return told_apart.final("perplexity", start=start, codebook_size=k)


def test_scale_foretells_every_training_on_which_the_two_reasons_disagree(told_apart):
    disagreeing = [start for start, (_, scale, distinct) in reasons.STARTS.items() if scale != distinct]
    assert len(disagreeing) == 4
    for k in (64, 256):
        alive = readings.halfway(ends(told_apart, "cold", k), ends(told_apart, "warm-up", k))
        for start in disagreeing:
            assert ((ends(told_apart, start, k) > alive) == reasons.STARTS[start].by_scale).all()


def test_size_is_most_of_it_and_place_the_rest(told_apart):
    cold, warm = (ends(told_apart, start).mean() for start in ("cold", "warm-up"))

    def brings(start):
        return (ends(told_apart, start).mean() - cold) / (warm - cold)

    assert brings("cold, latents enlarged before") > 0.4
    assert brings("warm-up, latents shrunk before") < 0.1
    assert brings("warm-up, codes of another encoder") > brings("warm-up, codes on shapeless noise") + 0.15
    at_once = told_apart.at(start="warm-up, codes on shapeless noise", codebook_size=256)["active"][:, 0]
    assert at_once.max() < 200


def cold_warm(others, setting, k):
    return [others.final("perplexity", setting=setting, start=start, codebook_size=k) for start in ("cold", "warm")]


def growth_after_switch(others, setting):
    size = others.at(setting=setting, start="warm", codebook_size=256)["size"]  # (seeds, frames)
    return (size[:, -1] / size[:, 1]).mean()


def test_the_claim_holds_in_most_settings_and_bends_where_the_lab_says(others):
    verdicts = {
        setting: {k: readings.verdict(*cold_warm(others, setting, k), k) for k in (64, 256)}
        for setting in others.axes["setting"].values
    }
    assert sum(set(said.values()) == {"holds"} for said in verdicts.values()) > len(verdicts) / 2
    for setting in ("as in this lab", "L1 loss, β = 4", "ring without clusters", "4,000 steps", "plain SGD"):
        assert set(verdicts[setting].values()) == {"holds"}
    assert verdicts["uniform square"][64] == "bends: the disease is mild"
    for setting in ("L1 loss", "β = 0.01"):
        assert verdicts[setting][256] != "holds"


def test_the_cure_fails_where_latents_go_on_growing(others):
    cured = {True: [], False: []}
    for setting in others.axes["setting"].values:
        whole = all((cold_warm(others, setting, k)[1] >= k / 2).all() for k in (64, 256))
        cured[whole].append(growth_after_switch(others, setting))
    assert max(cured[True]) < min(cured[False])
    assert growth_after_switch(others, "L1 loss, β = 4") < 1.1 < growth_after_switch(others, "L1 loss")


def test_the_hole_counts_more_than_the_clusters(others):
    both, hole, clusters, neither = (
        cold_warm(others, setting, 64)[0].mean()
        for setting in ("as in this lab", "ring without clusters", "16 clusters on a grid", "uniform square")
    )
    assert both < clusters < neither
    assert neither / hole > 1.5 * hole / both
    middle = [
        others.final("middle", setting=setting, start="cold", codebook_size=256).mean()
        for setting in ("as in this lab", "ring without clusters", "16 clusters on a grid", "uniform square")
    ]
    assert max(middle[:2]) < 0.03 < 0.1 < min(middle[2:])
