"""Lab 05: what its trainings record."""

import made_up_cifar10
import numpy as np
import pytest
import torch

from vqlab import measures
from vqlab.labs.lab05 import experiments
from vqlab.models import PerceptualDistance
from vqlab.models.classifier import embeddings

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


def test_the_loss_is_kept_all_the_way_and_the_spectrum_during_the_warm_up(trained):
    cell, _ = trained
    assert cell["loss"].shape == (1, 2)
    assert cell["loss"][0, 1] < cell["loss"][0, 0] * 1.5
    spectra = cell["warmup_spectrum"][0]
    checks = max(experiments.WARMUPS) // 25
    assert spectra.shape == (checks, 64)
    assert np.isfinite(spectra[0]).all()
    assert np.isnan(spectra[1:]).all(), "step 25 is the switch: its latents are no longer those of a warm-up"


def test_a_seed_gives_the_same_run_alone_and_beside_another(made_up):
    position = {"warmup": 0, "codebook_size": 16, "width": 8}
    base = TINY | {"steps": 25}
    both = experiments.train_vqgan(position, (0, 1), base=base, frames=(0, 25))
    alone = experiments.train_vqgan(position, (1,), base=base, frames=(0, 25))
    np.testing.assert_allclose(both["mse"][1], alone["mse"][0], rtol=1e-3)
    assert not np.allclose(both["mse"][0, -1], both["mse"][1, -1], rtol=1e-4)


@pytest.mark.parametrize("variant", experiments.VARIANTS)
def test_every_variant_is_a_training_with_its_change(made_up, variant):
    changes = experiments.VARIANTS[variant]
    trainer = experiments.trainer({"variant": variant, "warmup": 0}, 0)
    assert {key: getattr(trainer.settings, key) for key in changes} == changes
    assert (trainer.adversary is not None) == (variant == "discriminator")


def test_the_grid_has_its_frames_and_sliders():
    found = {experiment.name: experiment for experiment in experiments.EXPERIMENTS}
    grid = found["vqgan_warmup"]
    assert set(experiments.WARMUPS) <= set(experiments.FRAMES)
    assert experiments.FRAMES[-1] == grid.settings["steps"]
    assert grid.settings["steps"] % 25 == 0
    assert [axis.name for axis in grid.axes] == ["width", "codebook_size", "warmup"]
    assert {cell["warmup"] for cell in grid.cells[:3]} == set(experiments.WARMUPS), "the first cells are comparable"
    assert set(found["vqgan_variants"].axes[0].values) == set(experiments.VARIANTS)
