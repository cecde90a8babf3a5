"""VQGAN's losses: pixels and perception, the discriminator's part, and a training with all of them."""

import pytest
import torch
from torch.nn import functional

from vqlab.data import photo_patches
from vqlab.models import VQGAN, ConvAutoencoder, PatchDiscriminator, PerceptualDistance
from vqlab.training import Settings, Trainer
from vqlab.training.objective import Adversary, Error

IMAGES = torch.from_numpy(photo_patches(64).x)
RECIPE = {
    "codebook_size": 16,
    "steps": 6,
    "warmup": 2,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "loss": "l1+perceptual",
    "optimizer": "adam",
    "commitment_weight": 1.0,
    "replace_below": 0.1,
}


def make(seed=0, perceptual=None, **changes):
    model = VQGAN.of("tiny", seed, width=8, latent_dim=8)
    return Trainer(model, IMAGES, Settings(**RECIPE | changes), (seed,), perceptual=perceptual)


def pairs(runs=2, n=3):
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(runs, n, 3, 32, 32, generator=generator) for _ in range(2))


# --- The error -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "reference"), [("mse", functional.mse_loss), ("l1", functional.l1_loss)])
def test_a_pointwise_error_is_torch_s_own_for_each_run(loss, reference):
    y, x = pairs()
    wanted = torch.stack([reference(a, b) for a, b in zip(y, x, strict=True)])
    torch.testing.assert_close(Error(loss)(y, x), wanted)


def test_with_perception_pixels_count_in_minus_one_to_one_and_the_distance_for_each_run():
    y, x = pairs()
    wanted = [
        functional.l1_loss(2 * a - 1, 2 * b - 1) + 0.5 * PerceptualDistance()(2 * b - 1, 2 * a - 1).mean()
        for a, b in zip(y, x, strict=True)
    ]
    torch.testing.assert_close(Error("l1+perceptual", 0.5)(y, x), torch.stack(wanted))


def test_a_distance_of_one_s_own_takes_the_place_of_ours_in_the_shape_that_packages_return():
    seen = []

    def package(x, y):  # as lpips: images in [−1, 1], an answer (B, 1, 1, 1)
        seen.append((float(x.min()), x.shape))
        return (x - y).square().mean((1, 2, 3), keepdim=True)

    y, x = pairs()
    error = Error("l1+perceptual", 1.0, package)(y, x)
    torch.testing.assert_close(error, 2 * (y - x).abs().mean((1, 2, 3, 4)) + 4 * (y - x).square().mean((1, 2, 3, 4)))
    assert seen[0][0] < -0.9
    assert seen[0][1] == (6, 3, 32, 32)
    make(perceptual=package).run()
    assert len(seen) == 1 + RECIPE["steps"]


# --- The adversary -------------------------------------------------------------------------------------------


class LastLayer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.last_layer = torch.nn.Parameter(torch.full((3, 1, 1), 0.9))

    def forward(self, x):
        return x * self.last_layer


def test_the_adversary_s_pull_on_the_last_layer_is_as_strong_as_the_error_s_times_its_weight():
    model, adversary = LastLayer(), Adversary(PatchDiscriminator(width=8, layers=2), 1e-3, weight=0.8)
    _, x = pairs(1)
    reconstruction = model(x)
    error = (reconstruction - x).abs().mean()[None]
    pull = torch.autograd.grad(error, model.last_layer, retain_graph=True)[0].norm()
    part = adversary.loss(reconstruction, error, model.last_layer)
    assert part.shape == (1,)
    push = torch.autograd.grad(part, model.last_layer)[0].norm()
    assert push.item() == pytest.approx(0.8 * pull.item(), rel=0.02)
    assert all(p.grad is None for p in adversary.discriminator.parameters())


def test_the_discriminator_learns_to_tell_real_from_made_by_the_hinge_loss():
    adversary = Adversary(PatchDiscriminator(width=8, layers=2), 2e-3)
    real, made = (IMAGES[:16] / 255)[None], torch.full((1, 16, 3, 32, 32), 0.5)
    first = adversary.learn(real, made)
    assert first == pytest.approx(1.0, abs=0.4)  # scores near 0 cost 1
    for _ in range(40):
        last = adversary.learn(real, made)
    assert last < 0.2
    scores = [adversary.discriminator(2 * images[0] - 1).mean() for images in (real, made)]
    assert scores[0] > 0.5
    assert scores[1] < -0.5


# --- Training ------------------------------------------------------------------------------------------------


def test_the_recipe_s_optimiser_has_the_reference_s_betas_and_starts_afresh_at_the_switch():
    trainer = make(update="gradient").run(until=1)
    before = trainer.optimizer
    assert before.defaults["betas"] == (0.5, 0.9)
    weights = [p.clone() for p in trainer.model.parameters()]
    trainer.run(until=2)  # the switch comes before the third step
    trainer.switch()
    assert trainer.optimizer is not before
    assert not trainer.optimizer.state
    assert len(weights) == len(list(trainer.model.parameters()))
    assert any(p is trainer.quantizer.codebook for group in trainer.optimizer.param_groups for p in group["params"])


@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_the_whole_recipe_trains_and_every_part_of_it_moves(update):
    trainer = make(update=update, discriminator_start=4).run(until=2)
    judge = [p.clone() for p in trainer.adversary.discriminator.parameters()]
    codes = trainer.quantizer.codebook.clone()
    trainer.run(until=4)
    assert all(torch.equal(a, b) for a, b in zip(judge, trainer.adversary.discriminator.parameters(), strict=True))
    trainer.run()
    assert not torch.equal(judge[0], next(iter(trainer.adversary.discriminator.parameters())))
    assert not torch.equal(codes, trainer.quantizer.codebook)
    assert trainer.losses.isfinite().all()


def test_before_its_start_a_discriminator_changes_nothing():
    plain, delayed = make().run(), make(discriminator_start=6).run()
    for a, b in zip(plain.model.parameters(), delayed.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("start", [None, 1])
def test_training_goes_on_from_a_file_exactly_where_it_was(tmp_path, start):
    whole, halved = make(discriminator_start=start).run(), make(discriminator_start=start).run(until=3)
    halved.save(tmp_path / "half.pt")
    resumed = make(discriminator_start=start).load(tmp_path / "half.pt").run()
    for a, b in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b)
    if start:
        for a, b in zip(*(t.adversary.discriminator.parameters() for t in (whole, resumed)), strict=True):
            assert torch.equal(a, b)


def test_reconstructions_come_from_latents_as_they_come_from_images():
    trainer = make().run()
    images = IMAGES[:5]
    direct, tokens = trainer.reconstruct(images)
    again, same = trainer.reconstruct_latents(trainer.latents(images), 5)
    assert torch.equal(direct, again)
    assert torch.equal(tokens, same)


def test_a_discriminator_without_a_last_layer_is_refused_and_so_are_odd_settings(refuses):
    with refuses("last_layer"):
        Trainer(ConvAutoencoder(), IMAGES, Settings(discriminator_start=0))
    for wrong in ({"discriminator_start": -1}, {"discriminator_weight": -0.1}, {"perceptual_weight": -1}):
        with refuses("at least 0"):
            Settings(**wrong)
    with refuses("unknown loss"):
        Settings(loss="lpips")
