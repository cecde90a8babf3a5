"""Linear regions, dead units and the classes they cost, against brute force and PyTorch's own initialisation."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from vqlab import data
from vqlab.labs.lab02 import dead_units

WIDTHS = np.array([1, 2, 3, 4, 6, 8])


@pytest.mark.parametrize(("width", "pieces"), [(1, 2), (2, 4), (3, 7), (4, 11), (8, 37)])
def test_lines_in_general_position_cut_the_plane_into_so_many_pieces(width, pieces):
    assert dead_units.max_linear_regions(width) == pieces
    rng = np.random.default_rng(width)
    normals, offsets = rng.normal(size=(width, 2)), rng.normal(size=width)
    found = {tuple(np.array([1.0, 0.0]) @ normals.T > offsets)} | {tuple(np.array([-1e9, 0.0]) @ normals.T > offsets)}
    for pair in itertools.combinations(range(width), 2):  # every piece has a corner where two lines cross
        corner = np.linalg.solve(normals[list(pair)], offsets[list(pair)])
        for side in itertools.product((-1e-6, 1e-6), repeat=2):
            beside = corner + np.linalg.solve(normals[list(pair)], side)
            found.add(tuple(normals @ beside > offsets))
    assert len(found) == pieces


@pytest.mark.parametrize("width", [2, 3, 5])
def test_units_without_bias_leave_a_dead_direction_as_often_as_wendel_says(width):
    angles = np.sort(np.random.default_rng(0).uniform(0, 2 * np.pi, (100_000, width)), 1)
    gaps = np.diff(np.concatenate([angles, angles[:, :1] + 2 * np.pi], 1), axis=1)
    # All dead in some direction: the units' directions leave a gap of at least π on the circle.
    assert dead_units.dead_direction_chance(width) == pytest.approx((gaps.max(1) >= np.pi).mean(), abs=0.006)


def test_wendels_numbers():
    assert dead_units.dead_direction_chance([1, 2, 3, 4, 5]).tolist() == [1, 1, 0.75, 0.5, 0.3125]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("point", [(0.0, 0.0), (1.0, 0.0), (-3.0, 40.0)])
def test_rank_chances_are_those_of_pytorchs_layers_at_any_point(layers, point):
    width, draws = 3, 40_000
    torch.manual_seed(0)
    hidden = torch.tensor(point).expand(draws, 2)
    jacobian = torch.eye(2).expand(draws, 2, 2)
    for fan_in, fan_out in itertools.pairwise([2] + [width] * layers):
        layer = nn.Linear(fan_in, fan_out * draws)  # its start depends on fan_in alone: as many layers as draws
        weight, bias = layer.weight.view(draws, fan_out, fan_in), layer.bias.view(draws, fan_out)
        hidden = (torch.einsum("doi,di->do", weight, hidden) + bias).relu()
        jacobian = (weight * (hidden > 0)[..., None]) @ jacobian
    ranks = torch.linalg.matrix_rank(jacobian.detach(), tol=1e-6).numpy()
    shares = np.bincount(ranks, minlength=3) / draws
    np.testing.assert_allclose(dead_units.rank_chances(width, layers), shares, atol=0.008)


def test_rank_chances_sum_to_one_and_grow_with_the_width():
    chances = dead_units.rank_chances(WIDTHS)
    assert chances.shape == (6, 3)
    np.testing.assert_allclose(chances.sum(-1), 1)
    assert (np.diff(chances[:, 2]) > 0).all()
    assert (np.diff(chances[:, 0]) < 0).all()
    assert dead_units.rank_chances(1)[2] == 0  # one unit has one coordinate


def test_one_layer_loses_a_class_of_two_as_often_as_counted():
    # Two centres coincide exactly where both are dead; far apart and with one unit, that is 1/4 less the bias's share.
    apart = dead_units.classes_kept_apart(np.array([[100.0, 0], [-100.0, 0]]), 1, layers=1, draws=20_000)
    assert (apart == 1).mean() < 0.01  # one of two opposite points is alive, whatever the sign of the weight
    apart = dead_units.classes_kept_apart(np.array([[100.0, 0], [100.1, 0]]), 1, layers=1, draws=20_000)
    assert (apart == 1).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_classes_kept_apart_are_the_different_outputs_of_untrained_networks(width):
    from vqlab.models import StackedMLP

    centres = data.class_centres("ring", 8)
    encoder = StackedMLP(range(1500), (2, width, width, 2))
    x = torch.from_numpy(centres.astype(np.float32)).expand(1500, 8, 2)
    hidden = x
    for weight, bias in list(zip(encoder.weights, encoder.biases, strict=True))[:-1]:
        hidden = torch.baddbmm(bias, hidden, weight).relu()
    counted = np.array([len({tuple(row) for row in run.tolist()}) for run in hidden.detach()])
    predicted = dead_units.classes_kept_apart(centres, width, draws=4000)
    assert predicted.shape == (4000,)
    assert predicted.min() >= 1
    assert predicted.max() <= 8
    assert predicted.mean() == pytest.approx(counted.mean(), abs=0.25)
    assert (predicted == 8).mean() == pytest.approx((counted == 8).mean(), abs=0.04)


def test_a_dead_class_is_lost_as_often_as_rank_chances_say():
    # With many classes nearly all that is lost is lost to rank 0, less the one place the dead ones keep.
    apart = dead_units.classes_kept_apart(data.class_centres("ring", 200), 4, draws=4000)
    lost = 1 - apart.mean() / 200
    assert lost == pytest.approx(dead_units.rank_chances(4)[0], abs=0.015)


@pytest.mark.parametrize("width", [1, 3, 6])
def test_living_units_are_those_of_untrained_networks(width):
    from vqlab.models import StackedMLP

    x = data.separate_classes("grid", 8, n=50).x
    encoder, hidden, living = StackedMLP(range(2000), (2, width, width, 2)), torch.from_numpy(x), []
    for weight, bias in list(zip(encoder.weights, encoder.biases, strict=True))[:-1]:
        hidden = (hidden @ weight + bias).relu()
        living.append((hidden > 0).any(1).sum(1).numpy())
    counted = np.bincount(np.min(living, 0), minlength=width + 1) / 2000
    drawn = np.bincount(dead_units.living_units(x, width, draws=2000), minlength=width + 1) / 2000
    np.testing.assert_allclose(drawn, counted, atol=0.05)


def test_living_units_of_a_hand_case():
    # Far out a unit is at work or dead by the sign of its weight alone; on both sides together it always lives.
    assert (dead_units.living_units(np.array([[1e6], [-1e6]]), 3, layers=1) == 3).all()
    one_side = dead_units.living_units(np.array([[1e6]]), 3, layers=1, draws=20_000)
    np.testing.assert_allclose(np.bincount(one_side) / 20_000, [1 / 8, 3 / 8, 3 / 8, 1 / 8], atol=0.015)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: dead_units.max_linear_regions(0), "width must be a whole number"),
        (lambda: dead_units.rank_chances(2.5), "width must be a whole number"),
        (lambda: dead_units.rank_chances(2, layers=0), "number of layers must be a whole number"),
        (lambda: dead_units.dead_direction_chance(0), "width must be a whole number"),
        (lambda: dead_units.classes_kept_apart(np.zeros(4), 2), "must have shape (N, d)"),
        (lambda: dead_units.living_units(np.zeros((4, 2)), 2, draws=0), "must be a whole number of at least 1"),
        (lambda: dead_units.classes_kept_apart(np.zeros((4, 2)), 0), "must be a whole number of at least 1"),
    ],
)
def test_bad_input_is_refused(call, words, refuses):
    with refuses(words):
        call()
