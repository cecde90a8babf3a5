"""Toy mixtures have the geometry they promise, and photo patches are cut from photographs."""

import numpy as np
import pytest

from vqlab import data


def class_statistics(samples):
    classes = np.unique(samples.y)
    means = np.array([samples.x[samples.y == c].mean(0) for c in classes])
    stds = np.array([samples.x[samples.y == c].std(0) for c in classes])
    return means, stds


def test_ring_classes_sit_evenly_on_the_circle_with_the_given_spread():
    samples = data.gaussian_ring(n=8000, classes=5, radius=2.0, std=0.1)
    means, stds = class_statistics(samples)
    angles = np.arctan2(means[:, 1], means[:, 0])
    steps = (angles - 2 * np.pi * np.arange(5) / 5 + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(steps).max() < 0.01
    assert np.linalg.norm(means, axis=1) == pytest.approx(np.full(5, 2.0), abs=0.02)
    assert stds == pytest.approx(np.full((5, 2), 0.1), rel=0.1)


def test_grid_classes_fill_the_square_row_by_row_from_the_top():
    means, stds = class_statistics(data.gaussian_grid(n=9000, classes=9, std=0.02))
    expected = [[x, y] for y in (1, 0, -1) for x in (-1, 0, 1)]
    assert means == pytest.approx(np.array(expected, float), abs=0.01)
    assert stds == pytest.approx(np.full((9, 2), 0.02), rel=0.1)


@pytest.mark.parametrize("classes", [1, 2, 5, 16, 17])
def test_grid_holds_any_number_of_classes_inside_the_square(classes):
    samples = data.gaussian_grid(n=10 * classes, classes=classes, std=0)
    assert len(np.unique(samples.x, axis=0)) == classes
    assert np.abs(samples.x).max() <= 1


@pytest.mark.parametrize("make", [data.gaussian_ring, data.gaussian_grid])
def test_mixtures_have_equal_classes_and_the_promised_types(make):
    samples = make(n=400, classes=8)
    assert samples.x.shape == (400, 2)
    assert samples.x.dtype == np.float32
    assert samples.y.dtype == np.int64
    assert np.bincount(samples.y).tolist() == [50] * 8


@pytest.mark.parametrize("make", [data.gaussian_ring, data.gaussian_grid, data.photo_patches])
def test_the_seed_alone_decides_the_samples(make):
    first, again, other = make(n=40, seed=3), make(n=40, seed=3), make(n=40, seed=4)
    assert np.array_equal(first.x, again.x)
    assert np.array_equal(first.y, again.y)
    assert not np.array_equal(first.x, other.x)


@pytest.mark.parametrize("make", [data.gaussian_ring, data.gaussian_grid])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"n": 0}, "n must be"), ({"classes": 0}, "classes must be"), ({"std": -0.1}, "std, must be at least 0")],
)
def test_mixtures_refuse_impossible_sizes(make, wrong, words, refuses):
    with refuses(words):
        make(**wrong)


def test_photo_patches_are_images_of_both_photographs():
    samples = data.photo_patches(n=60)
    assert samples.x.shape == (60, 3, 32, 32)
    assert samples.x.dtype == np.uint8
    assert samples.y.dtype == np.int64
    assert set(samples.y) == {0, 1}
    assert samples.x.std() > 20  # neither blank nor garbled


def test_photo_patches_are_cut_from_the_photographs_some_of_them_mirrored():
    from sklearn.datasets import load_sample_images

    samples = data.photo_patches(n=12)
    photos = [image[::2, ::2] for image in load_sample_images().images]

    def found(patch, photo):
        corners = np.argwhere((photo[:-31, :-31] == patch[0, 0]).all(-1))
        return any(np.array_equal(photo[i : i + 32, j : j + 32], patch) for i, j in corners)

    patches = samples.x.transpose(0, 2, 3, 1)  # (n, C, H, W) -> (n, H, W, C)
    plain = [found(patch, photos[y]) for patch, y in zip(patches, samples.y, strict=True)]
    mirrored = [found(patch[:, ::-1], photos[y]) for patch, y in zip(patches, samples.y, strict=True)]
    assert all(a or b for a, b in zip(plain, mirrored, strict=True))
    assert any(plain)
    assert any(mirrored)


def test_photo_patches_refuse_none(refuses):
    with refuses("n must be at least 1"):
        data.photo_patches(n=0)


@pytest.mark.parametrize("classes", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("layout", data.LAYOUTS)
def test_separate_classes_are_as_far_apart_for_their_spread_however_many(layout, classes):
    means, stds = class_statistics(data.separate_classes(layout, classes, n=20_000))
    distances = np.linalg.norm(means[:, None] - means, axis=-1) + 100 * np.eye(classes)
    assert distances.min() / stds.mean() == pytest.approx(1 / 0.18, rel=0.05)
    assert means == pytest.approx(data.class_centres(layout, classes), abs=0.03)


def test_classes_that_cannot_be_placed_are_refused(refuses):
    with refuses("unknown layout 'star': choose from ring, grid"):
        data.class_centres("star", 4)
    with refuses("at least 2, got 1"):
        data.separate_classes("ring", 1)
    with refuses("classes must be at least 1"):
        data.class_centres("grid", 0)
