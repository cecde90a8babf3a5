"""The small classifier, the perceptual distance by it, and the Fréchet distance in its features."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from vqlab.data import photo_patches
from vqlab.measures import frechet_distance
from vqlab.models import PerceptualDistance
from vqlab.models.classifier import COMMAND, NAME, Classifier, embeddings, home, load_classifier
from vqlab.training import classifier as recipe


def patches(n=24, seed=0):
    return torch.from_numpy(photo_patches(n, seed).x) / 127.5 - 1


# --- The classifier ------------------------------------------------------------------------------------------


def two_kinds(n=256, seed=0):
    """Noisy images, light above or light below."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(2, (n,), generator=generator)
    x = torch.randint(0, 120, (n, 3, 32, 32), generator=generator)
    x[y == 0, :, :16] += 120
    x[y == 1, :, 16:] += 120
    return x.to(torch.uint8), y


def test_the_recipe_learns_what_it_is_shown_and_comes_back_the_same():
    x, y = two_kinds()
    short = {"epochs": 3, "batch_size": 32}
    first, second = (recipe.train(x, y, short) for _ in range(2))
    assert recipe.accuracy(first, *two_kinds(seed=1)) > 0.9
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b)
        assert not a.requires_grad


def test_folding_the_normalisation_does_not_change_what_is_computed():
    network = Classifier(norms=True)
    for norm in network.norms:
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
    for _ in range(3):
        network(patches())
    network.eval()
    plain = network.folded()
    assert not any(isinstance(module, nn.BatchNorm2d) for module in plain.modules())
    torch.testing.assert_close(plain(patches()), network(patches()), atol=1e-4, rtol=1e-4)


def test_what_is_stored_is_read_again_and_what_is_damaged_is_refused(tmp_path, refuses):
    network = Classifier().requires_grad_(False)
    path = recipe.store(network, {"test_accuracy": 0.1}, tmp_path)
    read = load_classifier(tmp_path)
    for a, b in zip(network.parameters(), read.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)
    load_classifier.cache_clear()
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with refuses(COMMAND):
        load_classifier(tmp_path)
    path.unlink()
    with refuses("missing"):
        load_classifier(tmp_path)


def test_the_shipped_classifier_is_small_and_says_how_it_was_made_and_how_good_it_is():
    path = home() / f"{NAME}.safetensors"
    described = json.loads(path.with_suffix(".json").read_text())
    assert path.stat().st_size < 1_000_000
    assert described["command"] == COMMAND
    assert described["recipe"].items() >= recipe.RECIPE.items()
    assert 0.7 < described["test_accuracy"] < 0.85
    assert described["core_seconds"] < 300
    assert not any(p.requires_grad for p in load_classifier().parameters())


# --- The distance --------------------------------------------------------------------------------------------


def test_the_distance_is_none_of_equal_images_symmetric_and_bounded():
    distance, x, y = PerceptualDistance(), patches(), patches(seed=1)
    assert distance(x, y).shape == (24,)
    assert distance(x, x).abs().max() < 1e-6
    torch.testing.assert_close(distance(x, y), distance(y, x))
    assert (distance(x, y) > 0.05).all()
    assert (distance(x, y) < 2).all()


def test_the_distance_is_the_squared_difference_of_features_of_length_one():
    x, y = patches(2), patches(2, seed=1)
    network, wanted = load_classifier(), []
    for image, other in zip(x, y, strict=True):
        stages = []
        for a, b in zip(network.stages(image[None]), network.stages(other[None]), strict=True):
            positions = zip(a[0].flatten(1).T, b[0].flatten(1).T, strict=True)
            stages.append(np.mean([(unit(u) - unit(v)).square().sum().item() for u, v in positions]))
        wanted.append(np.mean(stages))
    np.testing.assert_allclose(PerceptualDistance()(x, y), wanted, rtol=1e-3)


def unit(vector):
    return vector / (vector.norm() + 1e-12)


def test_the_distance_grows_with_the_damage_and_tells_blur_from_a_shift_in_brightness():
    x, distance = patches(), PerceptualDistance()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    grades = [distance(x, x + level * noise).mean().item() for level in (0.05, 0.1, 0.2, 0.4)]
    assert grades == sorted(grades)
    blurred = nn.functional.avg_pool2d(x, 3, 1, 1)
    brighter = x + (blurred - x).square().mean().sqrt()  # the same error in pixels
    assert distance(x, blurred).mean() > 2 * distance(x, brighter).mean()


def test_the_distance_has_a_finite_gradient_for_the_reconstruction_alone_even_of_flat_images():
    distance = PerceptualDistance()
    flat, x = torch.zeros(2, 3, 32, 32), torch.zeros(2, 3, 32, 32, requires_grad=True)
    distance(flat, x).sum().backward()
    assert x.grad.isfinite().all()
    y = patches(2).requires_grad_()
    distance(patches(2, seed=1), y).sum().backward()
    assert y.grad.abs().sum() > 0
    assert all(p.grad is None for p in distance.parameters())


# --- The Fréchet distance ------------------------------------------------------------------------------------


def test_between_normal_samples_it_is_the_formula_s_value():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(200_000, 2)), rng.normal(size=(200_000, 2)) * (2, 3) + (1, 0)
    assert frechet_distance(a, b) == pytest.approx(1 + (2 - 1) ** 2 + (3 - 1) ** 2, rel=0.03)


def test_it_agrees_with_scipy_s_square_root_of_a_matrix():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=(60, 7)) @ rng.normal(size=(7, 7)) + rng.normal(size=7) for _ in range(2))
    covariances = np.cov(a.T), np.cov(b.T)
    root = sqrtm(covariances[0] @ covariances[1]).real
    wanted = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(wanted, rel=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
    assert frechet_distance(a, a) < 1e-9


def test_fewer_samples_than_dimensions_are_no_obstacle_and_misfits_are_refused(refuses):
    rng = np.random.default_rng(2)
    assert frechet_distance(rng.normal(size=(5, 20)), rng.normal(size=(6, 20)) + 3) > 100
    for a, b in ((np.ones((1, 3)), np.ones((4, 3))), (np.ones((4, 3)), np.ones((4, 2)))):
        with refuses("features must be"):
            frechet_distance(a, b)


def test_embeddings_take_bytes_and_floats_alike():
    x = photo_patches(8).x
    assert embeddings(x).shape == (8, 128)
    np.testing.assert_allclose(embeddings(x), embeddings(x / np.float32(255)), atol=1e-5)
