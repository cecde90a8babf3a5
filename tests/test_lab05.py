"""Lab 05: what its trainings record, its pictures, its readings and verdicts, and its checkpoints."""

import json
from types import SimpleNamespace

import made_up_cifar10
import numpy as np
import pictures
import pytest
import torch

from vqlab import data, figures, measures, sweeps, theory
from vqlab.labs.lab05 import checkpoints, claims, experiments, readings
from vqlab.labs.lab05.pictures import lengths, sizes, training
from vqlab.models import PerceptualDistance
from vqlab.models.classifier import embeddings
from vqlab.sweeps import Axis, tokenizers

TINY = {
    "steps": 50,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "loss": "l1+perceptual",
    "optimizer": "adam",
    "initialisation_latents": 256,
}


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """CIFAR-10 of a few random images, of which 130 are trained on and 12 held out."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cifar10")
        made_up_cifar10.write_binary(folder, n=26)
        patch.setenv("VQLAB_DATA", str(folder))
        patch.setattr(experiments, "_TRAINING", 130)
        patch.setattr(experiments, "_HELD_OUT", 12)
        experiments.images.cache_clear()
        yield
        experiments.images.cache_clear()


@pytest.fixture(scope="module")
def trained(made_up):
    """A cell of one seed with a warm-up of 25 steps, and its trainer at the end."""
    seen = []
    position = {"warmup": 25, "codebook_size": 16, "width": 8}
    cell = experiments.train_vqgan(position, (1,), seen.append, base=TINY, frames=(0, 25, 50))
    return cell, seen[-1]


def test_a_training_records_what_vqgan_is_judged_by(trained):
    cell, trainer = trained
    held_out = torch.from_numpy(experiments.images()[1])
    reconstruction, tokens = trainer.reconstruct(held_out)
    images, back = held_out / 255, reconstruction[0]
    assert cell["mse"].shape == cell["l1"].shape == cell["perceptual"].shape == cell["frechet"].shape == (1, 3)
    assert cell["mse"][0, -1] == pytest.approx((back - images).square().mean().item(), rel=1e-4)
    assert cell["l1"][0, -1] == pytest.approx((back - images).abs().mean().item(), rel=1e-4)
    with torch.no_grad():
        distance = PerceptualDistance()(2 * images - 1, 2 * back - 1).mean().item()
    assert cell["perceptual"][0, -1] == pytest.approx(distance, rel=1e-3)
    frechet = measures.frechet_distance(embeddings(images), embeddings(back))
    assert cell["frechet"][0, -1] == pytest.approx(frechet, rel=1e-2)
    assert cell["active"][0, -1] == len(np.unique(tokens))
    assert cell["usage"].sum() == tokens.numel() == 12 * 16


def test_codes_are_there_from_the_last_step_of_the_warm_up_on(trained):
    cell, _ = trained
    for key in ("perplexity", "active", "code_dim", "used_dim", "centroid_dim", "quantized_dim"):
        assert np.isnan(cell[key][:, 0]).all()
        assert np.isfinite(cell[key][:, 1:]).all(), f"{key}: the frame at the switch is that of the codes just placed"
    for key in ("mse", "l1", "perceptual", "frechet", "latent_dim", "spread", "spectrum"):
        assert np.isfinite(cell[key]).all()


def test_pictures_of_photographs_are_kept_at_every_frame(trained):
    cell, _ = trained
    assert cell["patches"].shape == (3, 6, 3, 32, 32)
    assert cell["patches"].dtype == np.uint8
    assert not np.array_equal(cell["patches"][0], cell["patches"][-1])


def test_the_loss_and_a_spectrum_are_kept_all_the_way(trained):
    cell, trainer = trained
    assert cell["loss"].shape == (1, 2)
    assert cell["loss"][0, 1] < cell["loss"][0, 0] * 1.5
    assert cell["watched"].shape == (1, 3, 64)
    latents = trainer.latents(trainer.data[:128])[:, :2048]
    np.testing.assert_allclose(cell["watched"][0, -1], measures.principal_variances(latents)[0], rtol=1e-3, atol=1e-7)


def test_without_a_length_the_rule_decides_and_the_step_is_kept(made_up):
    position = {"width": 8, "codebook_size": 16}
    cell = experiments.train_vqgan(position, (1,), base=TINY, frames=(0, 50))
    assert cell["switched"].tolist() == [25], "the first look at half of the training is its latest"
    assert np.isnan(cell["active"][0, 0])
    assert np.isfinite(cell["active"][0, -1])


CHANGES = experiments.VARIANTS | experiments.ABLATIONS


@pytest.mark.parametrize("variant", CHANGES)
def test_every_variant_is_a_training_with_its_change(made_up, variant):
    changes = CHANGES[variant]
    trainer = experiments.trainer({"variant": variant, "warmup": 0}, 0)
    assert {key: getattr(trainer.settings, key) for key in changes} == changes
    assert trainer.model.grid[0] == (8 if variant == "8×8 tokens" else 4)


def test_every_sweep_stores_its_switches_and_its_end():
    for experiment in experiments.EXPERIMENTS:
        frames, steps = experiment.settings["frames"], experiment.settings["steps"]
        assert frames[-1] == steps
        assert steps % experiments.EVERY == 0
        lengths = next((axis.values for axis in experiment.axes if axis.name == "warmup"), ())
        assert set(lengths) <= set(frames), f"{experiment.name}: the codes just placed are not stored"


# --- pictures -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stored():
    return {experiment.name: sweeps.load(experiment.name) for experiment in experiments.EXPERIMENTS}


def moments(sweep):
    frames = readings.frames(sweep)
    for warmup in sweep.axes["warmup"].values:
        for step in {frames[0], frames[1], warmup, frames[-1]}:
            yield {"warmup": warmup, "step": step}


def training_views(sweep):
    for name, axis in sweep.axes.items():
        if name != "warmup":
            for value in axis.values:
                yield from (training.training_view(sweep, {name: value} | moment) for moment in moments(sweep))
            return
    yield from (training.training_view(sweep, moment) for moment in moments(sweep))


@pytest.mark.parametrize("name", ["vqgan_warmup", "vqgan_sizes", "vqgan_longer"])
def test_a_training_is_small_legible_and_still_while_its_sliders_move(stored, name):
    views = list(training_views(stored[name]))
    for view in views:
        pictures.check(view, stored=view is views[0])
    pictures.check_that_nothing_moves(views)


def test_lengths_and_sizes_are_small_legible_and_still(stored):
    grid, adaptive = stored["vqgan_warmup"], stored["vqgan_adaptive"]
    views = [lengths.lengths_view(adaptive, grid, {"width": width}) for width in grid.axes["width"].values]
    pictures.check_that_nothing_moves(views)
    for view in [*views, sizes.sizes_view(stored["vqgan_sizes"])]:
        pictures.check(view)


def test_the_curves_are_those_of_the_sweep(stored):
    grid = stored["vqgan_warmup"]
    position = {"width": 8, "warmup": 200}
    view = training.training_view(grid, position | {"step": 500})
    _, loss, dims = view.figure.panels
    this = next(line for line in loss.lines if line.get_label() == "this")
    np.testing.assert_allclose(this.get_ydata(), grid.at(**position)["loss"].mean(0), rtol=1e-6)
    latents = next(line for line in dims.lines if line.get_label() == "latents")
    expected = readings.dimensions_over_training(grid, **position).mean(0)
    np.testing.assert_allclose(latents.get_ydata(), expected, rtol=1e-6)
    assert latents.get_xdata()[-1] == grid.settings["steps"]
    assert f"{figures.spread(grid.at(**position)['mse'][:, 3])}" in view.status


def test_the_stars_stand_where_the_rule_switched(stored):
    grid, adaptive = stored["vqgan_warmup"], stored["vqgan_adaptive"]
    view = lengths.lengths_view(adaptive, grid, {"width": 16})
    star = next(line for line in view.figure.panels[1].lines if line.get_marker() == "*")
    np.testing.assert_allclose(star.get_ydata(), 1000 * adaptive.final("mse", width=16), rtol=1e-6)
    np.testing.assert_allclose(star.get_xdata(), adaptive.at(width=16)["switched"], rtol=1e-5)


# --- readings and verdicts ----------------------------------------------------------------------------------


def test_the_count_is_water_filling_at_the_switch(stored):
    grid, where = stored["vqgan_warmup"], {"width": 8, "warmup": 500}
    spectrum = grid.at(**where)["spectrum"][:, readings.frames(grid).index(500)]
    np.testing.assert_array_equal(readings.predicted_count(grid, **where), theory.water_fill(spectrum, 10).active)
    assert (readings.predicted_count(grid, 16, **where) >= readings.predicted_count(grid, 10, **where)).all()


def test_regrets_are_shares_above_the_best_length_of_a_width():
    errors = np.array([[[4.0, 4], [2, 2], [3, 3]], [[6, 6], [5, 5], [4, 4]]])  # (widths, warm-ups, seeds)
    axes = {"width": Axis("width", "w", (8, 16)), "warmup": Axis("warmup", "w", (0, 100, 200))}
    grid = SimpleNamespace(axes=axes, final=lambda key: errors)
    adaptive = SimpleNamespace(final=lambda key, width: np.array([2.0, 3.0]) if width == 8 else np.array([4.0, 4.4]))
    above = readings.regrets(grid, adaptive)
    np.testing.assert_allclose(above["cold start"], [[1, 1], [0.5, 0.5]])
    np.testing.assert_allclose(above["the rule"], [[0, 0.5], [0, 0.1]])
    np.testing.assert_allclose(above["always 100 steps"], [[0, 0], [0.25, 0.25]])


def made_up_grid(cold, warm, key):
    """A sweep of two widths and two lengths whose number `key` is given, (seeds,) each; all else is equal."""

    def final(name, width, warmup):
        return np.array(warm if warmup else cold, float) if name == key else np.ones(2)

    return SimpleNamespace(
        axes={"width": Axis("width", "", (8, 16)), "warmup": Axis("warmup", "", (0, 9))}, final=final
    )


@pytest.mark.parametrize(
    ("key", "cold", "warm", "struck"),
    [
        ("latent_dim", [2, 2], [3, 4], False),
        ("latent_dim", [2, 2], [2, 1], True),
        ("latent_dim", [2, 2], [2, 3], False),  # not in both seeds
        ("mse", [2, 2], [1, 1.5], False),
        ("mse", [2, 2], [2, 3], True),
    ],
)
def test_the_falsifier_strikes_if_no_seed_is_better(key, cold, warm, struck):
    found = [line for line in claims.falsified(made_up_grid(cold, warm, key)) if ("dim" in line) == ("dim" in key)]
    assert len(found) == (2 if struck else 0)


def test_verdicts_are_as_many_as_hold():
    assert claims.verdict([True, True]) == claims.HELD
    assert claims.verdict([True, False]) == claims.PARTLY
    assert claims.verdict([False]) == claims.FAILED


COLD = {"latent_dim": [2, 2], "mse": [16, 17], "perceptual": [58, 59], "active": [40, 50]}
WARM = {"latent_dim": [4, 4], "mse": [13, 14], "perceptual": [50, 51], "active": [800, 900]}
NEAR = WARM | {"mse": [15.8, 16.5], "perceptual": [57, 57.5]}  # saves next to nothing


class MadeUp:
    """A sweep of made-up ends: of a cold and of a warm start for each variant, or for none."""

    def __init__(self, seeds=(0, 1), **pairs):
        self.pairs, self.seeds = pairs, seeds
        self.axes = {"variant": Axis("variant", "", tuple(pairs)), "warmup": Axis("warmup", "", (0, 9))}

    def at(self, warmup, variant="none", width=None):
        ends = self.pairs[variant][warmup > 0]
        return {key: np.array(values, float)[:, None] for key, values in ends.items()}

    def final(self, key, **where):
        return self.at(**where)[key][:, -1]


def made_up_sweeps(quarter=(COLD, WARM), without=(WARM, WARM), unreplaced=(COLD, WARM), fresh=(COLD, WARM)):
    return {
        "vqgan_warmup": MadeUp(none=(COLD, WARM)),
        "vqgan_variants": MadeUp(**{"8×8 tokens": (COLD, WARM)}),
        "vqgan_ablations": MadeUp(**{"β = ¼": quarter, "β = 0": without, "no replacement": unreplaced}),
        "vqgan_seeds": MadeUp(seeds=(2, 3), none=fresh),
    }


@pytest.mark.parametrize(
    ("judge", "ends", "verdict"),
    [
        (claims._weaker, {"quarter": (COLD, NEAR)}, claims.HELD),
        (claims._weaker, {"quarter": (COLD, WARM)}, claims.FAILED),
        (claims._weaker, {"quarter": (COLD, WARM | {"mse": [14, 15.5]})}, claims.PARTLY),
        (claims._weaker, {"quarter": (COLD, NEAR | {"perceptual": [53, 54]})}, claims.PARTLY),
        (claims._uncommitted, {"without": (COLD | {"latent_dim": [4, 3]}, WARM)}, claims.HELD),
        (claims._uncommitted, {"without": (WARM, WARM)}, claims.PARTLY),
        (claims._uncommitted, {"without": (WARM | {"latent_dim": [2, 4]}, WARM)}, claims.FAILED),
        (claims._unreplaced, {"unreplaced": (COLD, WARM)}, claims.HELD),
        (claims._unreplaced, {"unreplaced": (COLD, WARM | {"active": [45, 900]})}, claims.PARTLY),
        (claims._unreplaced, {"unreplaced": (WARM, COLD)}, claims.FAILED),
        (claims._fresh, {"fresh": (COLD, WARM)}, claims.HELD),
        (claims._fresh, {"fresh": (COLD, WARM | {"mse": [13, 16]})}, claims.PARTLY),
        (claims._fresh, {"fresh": (WARM, COLD)}, claims.FAILED),
    ],
)
def test_verdicts_on_what_is_taken_away_and_on_new_seeds_can_go_either_way(judge, ends, verdict):
    assert judge(made_up_sweeps(**ends))[1] == verdict


def long_training(dims, errors):
    """A cold and a warm start at steps 0, 2 and 4: dimensions and errors, [cold, warm] at each step; 2 seeds."""
    cells = [
        {key: np.tile([float(moment[start]) for moment in moments], (2, 1)) for key, moments in numbers.items()}
        for start, numbers in enumerate(2 * [{"latent_dim": dims, "mse": errors}])
    ]
    return SimpleNamespace(
        settings={"frames": [0, 2, 4]},
        axes={"warmup": Axis("warmup", "", (0, 1))},
        at=lambda warmup: cells[warmup],
    )


@pytest.mark.parametrize(
    ("dims", "errors", "verdict"),
    [
        ([[9, 9], [2, 4], [2, 4]], [[9, 9], [5, 4], [5, 4]], claims.HELD),
        ([[9, 9], [2, 4], [3, 4]], [[9, 9], [5, 4], [4, 5]], claims.PARTLY),
        ([[9, 9], [2, 4], [4, 4]], [[9, 9], [5, 4], [4, 5]], claims.FAILED),
    ],
)
def test_the_collapse_lasts_if_nothing_moves_and_the_warm_start_leads(dims, errors, verdict):
    assert claims._longer({"vqgan_longer": long_training(dims, errors)})[1] == verdict


def test_every_claim_has_what_was_expected_and_a_verdict(stored):
    rows = claims.claims_table(stored)._rows
    assert len(rows) == len(claims.CLAIMS) >= 8
    for claim, expected, measured, verdict in rows:
        assert claim
        assert expected
        assert any(digit in measured for digit in "0123456789")
        assert verdict in (claims.HELD, claims.PARTLY, claims.FAILED)


# --- checkpoints, your own image ----------------------------------------------------------------------------


@pytest.mark.parametrize("corner", range(4))
def test_a_checkpoint_is_the_trained_vqgan_of_the_sweep(corner, stored):
    tokenizer, position = checkpoints.SHELF.load(corner), checkpoints.SHELF.positions[corner]
    tokens = tokenizer.encode(data.photo_patches(6).x)
    assert tokens.shape == (6, 4, 4)
    assert tokens.max() < 1024
    assert tokenizer.decode(tokens).shape == (6, 3, 32, 32)
    described = json.loads((tokenizers.home() / "vqgan_corners.json").read_text())
    file = described["files"][checkpoints.SHELF.file_name(position)]
    assert measures.agrees([file["mse"]], stored["vqgan_warmup"].final("mse", **position))
    assert file["mse"] == pytest.approx(file["mse_float32"], rel=0.02)
    assert "JPEG" in described["images"]


def test_your_own_image_goes_through_all_of_them():
    own = checkpoints.own_image()
    pictures.check(own.current())
    assert own.names == ["cold, width 8", "warm-up 500, width 8", "cold, width 16", "warm-up 500, width 16"]
    assert "16" in own._status.value
