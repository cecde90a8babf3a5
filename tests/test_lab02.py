"""Lab 02: its trainings, its exercises, its pictures, and every sentence that a sweep could contradict."""

import itertools
from unittest.mock import patch

import numpy as np
import pictures
import pytest
import torch
from matplotlib.lines import Line2D
from sklearn.neighbors import NearestCentroid

from vqlab import data, figures, measures, sweeps
from vqlab.labs.lab02 import capacity, dead_units, readings
from vqlab.labs.lab02.experiments import GRID, grid_points, train_classes, units_at_work
from vqlab.labs.lab02.pictures import capacity as capacity_pictures
from vqlab.labs.lab02.pictures import embeddings, widths
from vqlab.models import StackedMLP
from vqlab.sweeps.packing import unpack
from vqlab.widgets import Explorer, Slider

TINY = {"hidden": 8, "steps": 30, "batch_size": 32, "learning_rate": 2e-3}
POSITION = {"width": 3, "codebook_size": 16, "warmup": 10, "classes": 4, "layout": "ring"}
STATE = {
    "width": 2,
    "codebook_size": 64,
    "warmup": 400,
    "classes": 16,
    "layout": "ring",
    "seed": 1,
    "step": 1000,
    "read": "tokens",
}
CASE = {name: STATE[name] for name in ("codebook_size", "classes", "layout")}


@pytest.fixture(scope="module")
def sweep():
    return sweeps.load("embeddings_collapse")


@pytest.fixture(scope="module")
def many():
    return sweeps.load("embeddings_activation")


@pytest.fixture(scope="module")
def both():
    return sweeps.load("embeddings_capacity")


# --- what is recorded --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    trainers = []
    cell = train_classes(POSITION, (0, 1, 2, 3, 4), trainers.append, base=TINY, frames=(0, 10, 30), pictured=64)
    return cell, trainers[-1]


def test_the_recorded_numbers_are_those_of_the_final_state(trained):
    cell, trainer = trained
    samples = data.separate_classes("ring", 4)
    x = torch.from_numpy(samples.x)
    latents, (_, tokens) = trainer.latents(x).numpy(), trainer.reconstruct(x)
    assert cell["regions"].shape == (5, 3)
    for run in range(5):
        fits, judges = measures.held_out(samples.y)
        centroid = NearestCentroid().fit(latents[run, fits], samples.y[fits])
        expected = centroid.score(latents[run, judges], samples.y[judges])
        assert cell["mean_accuracy"][run, -1] == pytest.approx(expected, abs=2e-3)
    np.testing.assert_allclose(cell["regions"][:, -1], measures.distinct_regions(latents, samples.y))
    table = measures.token_table(tokens.numpy(), samples.y, 16)
    np.testing.assert_allclose(cell["purity"][:, -1], measures.token_purity(table), rtol=1e-5)
    np.testing.assert_allclose(cell["information"][:, -1], measures.token_information(table), rtol=1e-4)


def test_before_the_switch_only_the_tokens_are_missing(trained):
    cell, _ = trained
    for key in ("purity", "information", "token_accuracy"):
        assert np.isnan(cell[key][:, 0]).all()
        assert np.isfinite(cell[key][:, 1:]).all()
    for key in ("regions", "mean_accuracy", "scatter", "constant", "curve"):
        assert np.isfinite(cell[key]).all()


def test_pictures_are_kept_of_four_seeds_and_numbers_of_all(trained):
    cell, trainer = trained
    assert cell["latents"].shape == (4, 3, 64, 2)
    assert cell["grid"].shape == (4, 3, 81, 2)
    assert cell["reconstruction"].shape == (4, 3, 32, 2)
    assert cell["confusion_tokens"].shape == (4, 4, 4)
    assert cell["class_error"].shape == (5, 4)
    assert cell["probe_accuracy"].shape == (5,)
    image = trainer.latents(torch.from_numpy(grid_points(**GRID))).numpy()[:4]
    shown = unpack(cell["grid"], cell["grid_scale"])[:, -1]
    assert np.abs(shown - image).max() <= np.abs(image).max() / 200
    np.testing.assert_allclose(cell["class_error"].mean(1), cell["mse"][:, -1], rtol=2e-3)
    diagonal = np.trace(cell["confusion_tokens"], axis1=1, axis2=2) / 4
    np.testing.assert_allclose(diagonal / 100, cell["token_accuracy"][:4, -1], atol=0.01)


def test_only_the_encoder_narrows(trained):
    _, trainer = trained
    assert [weight.shape[-1] for weight in trainer.model.encoder.weights] == [3, 3, 2]
    assert [weight.shape[-1] for weight in trainer.model.decoder.weights] == [8, 8, 2]


def test_units_at_work_bound_the_rank_of_the_encoder():
    encoder = StackedMLP(range(200), (2, 2, 2, 2))
    x = torch.tensor([[0.3, -0.8]])
    working, living = units_at_work(encoder, x)
    (jacobian,) = torch.autograd.functional.jacobian(lambda p: encoder(p.expand(200, 1, 2)).sum(1), (x,))
    ranks = torch.linalg.matrix_rank(jacobian[:, :, 0], tol=1e-7).numpy()
    np.testing.assert_array_equal(ranks, np.minimum(working[:, 0], 2))
    np.testing.assert_array_equal(living, working[:, 0])  # one point: who works here is all who live
    smooth = StackedMLP(range(20), (2, 2, 2, 2), "tanh")
    assert (units_at_work(smooth, x)[0] == 2).all()


def test_units_that_do_not_live_have_no_gradient_and_the_rest_of_the_encoder_does_not_help_them():
    encoder, x = StackedMLP(range(100), (2, 3, 3, 2)), torch.from_numpy(data.separate_classes("ring", 8, n=200).x)
    _, living = units_at_work(encoder, x)
    assert (living == 0).sum() >= 2
    encoder(x.expand(100, *x.shape)).square().sum().backward()
    for run in np.flatnonzero(living == 0):
        assert not any(weight.grad[run].any() for weight in encoder.weights[:1])
    second = torch.baddbmm(encoder.biases[0], x.expand(100, *x.shape), encoder.weights[0]).relu()
    second = torch.baddbmm(encoder.biases[1], second, encoder.weights[1])
    dead = (second <= 0).all(1)  # (R, h): dead at every sample
    assert dead.any()
    assert not encoder.biases[1].grad[:, 0][dead].any()


@pytest.mark.parametrize("dimensions", [2, 3, 10])
def test_classes_in_any_number_of_dimensions_are_as_far_apart_for_their_spread(dimensions):
    x, y = capacity.classes_in(dimensions)
    assert (x.shape, x.dtype) == ((4000, dimensions), np.float32)
    means = measures.class_means(x, y)
    apart = min(np.linalg.norm(a - b) for a, b in itertools.combinations(means, 2))
    spread = np.sqrt(measures.class_covariances(x, y).trace(axis1=-2, axis2=-1).mean() / dimensions)
    assert spread / apart == pytest.approx(0.18, rel=0.1)
    assert measures.distinct_regions(x, y) == capacity.CLASSES


def test_what_a_squeeze_leaves_grows_with_the_width_and_is_all_at_full_width():
    for dimensions in (2, 10):
        left = [capacity.regions_left(dimensions, width) for width in (1, 2, 3, 4, 8, 16)]
        assert left == sorted(left)
        assert left[0] < left[-1] == capacity.CLASSES
    assert capacity.regions_left(10, 2) < capacity.regions_left(2, 2) == capacity.CLASSES


def test_an_encoder_of_ten_dimensions_is_narrow_in_the_middle_only():
    seen = []
    position = {"dimensions": 10, "width": 3, "activation": "linear", "warmup": 10}
    cell = train_classes(position, (0, 1), seen.append, base=TINY, frames=(0, 30))
    assert [weight.shape[-2:] for weight in seen[-1].model.encoder.weights] == [(10, 3), (3, 3), (3, 10)]
    assert cell["regions"].shape == (2, 2)
    assert (cell["living"] == 3).all()


# --- pictures ----------------------------------------------------------------------------------------------


def states():
    for width, classes, layout in ((1, 4, "grid"), (2, 16, "ring"), (4, 32, "ring"), (64, 32, "grid")):
        for warmup, step in ((0, 0), (400, 50), (400, 1000)):
            yield STATE | {"width": width, "classes": classes, "layout": layout, "warmup": warmup, "step": step}


def all_views(sweep, many):
    for i, state in enumerate(states()):
        yield embeddings.training_view(
            sweep, state | {"read": embeddings.READ_FROM[i % 2], "seed": i % 4, "codebook_size": 16 * 4 ** (i % 2)}
        )
    for codes, classes, layout in ((16, 4, "ring"), (64, 16, "ring"), (64, 32, "grid")):
        yield widths.two_diseases_view(sweep, {"codebook_size": codes, "classes": classes, "layout": layout})
    for classes in many.axes["classes"].values:
        for layout in many.axes["layout"].values:
            yield widths.merge_boundary_view(many, {"classes": classes, "layout": layout})


def test_every_picture_is_small_legible_and_described(sweep, many):
    for view in all_views(sweep, many):
        pictures.check(view)


def test_nothing_moves_when_a_slider_moves(sweep, many):
    pictures.check_that_nothing_moves([embeddings.training_view(sweep, state) for state in states()], {"x2", "y2"})
    pictures.check_that_nothing_moves(
        [widths.merge_boundary_view(many, {"classes": c, "layout": "ring"}) for c in (4, 32)]
    )


def test_the_headline_is_the_number_of_regions_of_the_seed_shown(sweep):
    for seed in range(4):
        view = embeddings.training_view(sweep, STATE | {"seed": seed})
        found = int(sweep.at(width=2, warmup=400, **CASE)["regions"][seed, -1])
        assert f"16 classes in {found} distinct region" in view.figure._suptitle.get_text()


def test_latents_are_drawn_with_the_marker_of_their_class(sweep):
    state = STATE | {"width": 64, "classes": 8}
    view = embeddings.training_view(sweep, state)
    stored = sweep.at(**{name: state[name] for name in ("width", "codebook_size", "warmup", "classes", "layout")})
    latents = stored["latents"][1, -1]
    groups = drawn_classes(view.figure.axes[1])
    spread = np.linalg.norm(latents - latents.mean(0), axis=1).max()
    assert len(groups) == 8
    for c, (points, _, _) in enumerate(groups):
        np.testing.assert_allclose(points, ((latents - latents.mean(0)) / spread)[c::8], atol=1e-6)


def drawn_classes(axis) -> list[tuple[np.ndarray, tuple, bytes]]:
    """Points, colour and marker of each group of markers that the classes of a panel are drawn in."""
    (marks,) = (line for line in axis.lines if type(line) is not Line2D)
    renderer = axis.figure.canvas.get_renderer()
    with patch.object(renderer, "draw_markers") as draw:
        marks.draw(renderer)
    return [
        (path.vertices, tuple(color), place.transform(marker.vertices).tobytes())
        for _, marker, place, path, _, color in (call.args for call in draw.call_args_list)
    ]


def test_classes_next_to_each_other_differ_in_colour_and_marker():
    _, (axis,) = figures.canvas(1, "64 classes")
    classes = np.arange(64)
    figures.draw_classes(axis, np.stack([classes, classes], 1), classes, 9)
    looks = {int(points[0, 0]): (color, marker) for points, color, marker in drawn_classes(axis)}
    assert len(set(looks.values())) == 64
    assert all(looks[c][0] != looks[c + 1][0] and looks[c][1] != looks[c + 1][1] for c in range(63))


def test_the_confusion_panel_shows_who_is_taken_for_whom(sweep):
    for read, key in (("tokens", "confusion_tokens"), ("embeddings", "confusion_latents")):
        view = embeddings.training_view(sweep, STATE | {"read": read})
        shown = view.figure.axes[2].images[0].get_array()
        expected = sweep.at(width=2, warmup=400, **CASE)[key][1, :16, :16]
        np.testing.assert_array_equal(shown, expected)
        assert f"From the {read}: {np.trace(expected) / 16:.0f} % right" in view.figure.axes[2].get_title(loc="left")


def test_an_encoder_that_is_dead_everywhere_is_drawn_as_a_point(sweep):
    dead = sweep.at(warmup=400, **CASE)["constant"][:, :4, -1] == 1  # (widths, pictured seeds)
    at, seed = map(int, np.argwhere(dead)[0])
    view = embeddings.training_view(sweep, STATE | {"width": sweep.axes["width"].values[at], "seed": seed})
    assert "16 classes in 1 distinct region (" in view.figure._suptitle.get_text()
    assert "single point" in view.figure.axes[1].get_title(loc="left")
    assert all(np.abs(c.get_offsets()).max() < 0.05 for c in view.figure.axes[1].collections)


def test_live_runs_replace_the_confusion_and_are_judged(sweep):
    stored = sweep.at(width=2, warmup=400, **CASE)
    live = {key: stored[key][:4] for key in ("regions", "token_accuracy", "mean_accuracy")}
    same = embeddings.training_view(sweep, STATE, live)
    assert "agree with the 8 stored ones" in same.status
    assert len(same.figure.axes[2].lines) == 1 + 4
    other = embeddings.training_view(sweep, STATE, live | {"regions": np.full((4, 5), 16.0)})
    assert "DIFFER from the 8 stored ones" in other.status
    for read, key in (("tokens", "token_accuracy"), ("embeddings", "mean_accuracy")):
        words = f"from the {read} is right for {figures.per_cent(live[key][:, -1])} of the samples live"
        assert words in embeddings.training_view(sweep, STATE | {"read": read}, live).status


def test_both_diseases_are_drawn_with_mean_and_range(sweep):
    view = widths.two_diseases_view(sweep, CASE)
    cell = sweep.at(**CASE)
    for axis, key in zip(view.figure.axes, ("mean_accuracy", "token_accuracy"), strict=True):
        for line, warmup, band in zip(axis.lines[1:3], (0, 1), axis.collections, strict=False):
            values = 100 * cell[key][:, warmup, :, -1]
            np.testing.assert_allclose(line.get_ydata(), values.mean(1), rtol=1e-5)
            corners = band.get_paths()[0].vertices[:, 1]
            assert corners.min() == pytest.approx(values.min(), rel=1e-5)
            assert corners.max() == pytest.approx(values.max(), rel=1e-5)


def test_the_boundary_picture_draws_every_seed_the_mean_and_the_prediction(many):
    view = widths.merge_boundary_view(many, {"classes": 8, "layout": "grid"})
    shares = 100 * readings.shares_apart(many, "relu", 8, "grid")
    left = view.figure.axes[0]
    seeds, mean, predicted = (left.lines[i].get_ydata() for i in (0, 2, 3))
    np.testing.assert_allclose(np.sort(seeds), np.sort(shares.ravel()), rtol=1e-6)
    np.testing.assert_allclose(mean, shares.mean(1), rtol=1e-6)
    np.testing.assert_allclose(predicted, 100 * readings.predicted_share(tuple(many.axes["width"].values), 8, "grid"))
    assert f"below width {measures.boundary(many.axes['width'].values, shares.mean(1) / 100)}" in view.alt


def capacity_states():
    for warmup, read in itertools.product((0, 400), capacity_pictures.READ_FROM):
        yield {"warmup": warmup, "read": read}


def test_the_capacity_picture_is_legible_and_draws_what_is_stored(both):
    shown = [capacity_pictures.capacity_view(both, state) for state in capacity_states()]
    for view in shown:
        pictures.check(view)
    pictures.check_that_nothing_moves(shown)
    stored = 100 * both.final("regions", dimensions=10, activation="relu", warmup=0).mean(-1) / capacity.CLASSES
    drawn = {line.get_label(): line.get_ydata() for line in shown[0].figure.axes[1].lines}
    np.testing.assert_allclose(drawn["ReLU"], stored)
    squeezed = [100 * capacity.regions_left(10, width) / capacity.CLASSES for width in both.axes["width"].values]
    np.testing.assert_allclose(drawn["squeezed"], squeezed)


def test_a_table_shows_seeds_as_mean_and_deviation():
    text = figures.table(["a", "b"], [["x", np.array([1.0, 3.0])], [2, np.float64(0.5)]]).data
    assert text.splitlines() == ["| a | b |", "| --- | --- |", "| x | 2.00 ± 1.00 |", "| 2 | 0.5 |"]


def test_the_live_button_trains_what_the_explorer_shows(sweep):
    explorer = Explorer.of(
        sweep,
        embeddings.training_view,
        start={name: STATE[name] for name in sweep.axes},
        also=[
            Slider("read", "read the class from", embeddings.READ_FROM, start="tokens"),
            Slider("seed", "seed", sweep.seeds[:4], start=1),
            Slider("step", "training step", tuple(sweep.settings["frames"]), start=1000),
        ],
        live=True,
    )
    explorer.set(width=64)
    explorer.train_live()
    assert "and agree with the 8 stored ones" in explorer._status.value


# --- what the lab says -------------------------------------------------------------------------------------


def final(sweep, key, width, warmup, **where):
    return sweep.final(key, width=width, warmup=warmup, **(CASE | where))


def test_the_puzzle_is_one_codes_are_used_and_about_half_of_the_samples_are_taken_for_another_class(sweep):
    assert final(sweep, "active", 2, 400)[1] > 0.9 * 64
    assert 0.3 < final(sweep, "token_accuracy", 2, 400)[1] < 0.7
    confusion = sweep.at(width=2, warmup=400, **CASE)["confusion_tokens"][1, :16, :16]
    flipped = (12 - np.arange(16)) % 16  # the second diagonal
    assert (confusion[np.arange(12), flipped[:12]] > 20).mean() > 0.6


def test_width_cures_the_embeddings_and_the_warm_up_the_tokens(sweep):
    for warmup in (0, 400):
        assert (final(sweep, "regions", 64, warmup) == 16).all()
        assert final(sweep, "regions", 2, warmup).mean() < 9
        assert final(sweep, "mean_accuracy", 2, warmup).mean() < 0.6
    assert final(sweep, "token_accuracy", 64, 400).min() > 0.97
    assert final(sweep, "token_accuracy", 64, 0).max() < 0.5
    assert final(sweep, "token_accuracy", 2, 400).max() < 0.7
    gain = final(sweep, "mean_accuracy", 2, 400).mean() - final(sweep, "mean_accuracy", 2, 0).mean()
    assert abs(gain) < 0.1


def test_a_narrow_encoder_is_a_lottery(sweep):
    assert np.ptp(final(sweep, "regions", 2, 400)) >= 8
    for key in ("regions", "token_accuracy"):
        narrow, wide = (final(sweep, key, width, 400) for width in (2, 64))
        assert narrow.std() / narrow.mean() > 0.25 > 5 * wide.std() / wide.mean()
    errors = sweep.at(width=2, warmup=400, **CASE)["class_error"][:, :16].astype(float)
    assert np.median(errors.max(1) / errors.min(1)) > 10


def test_what_asks_for_the_class_sees_every_merged_run_and_perplexity_and_scatter_miss_some(sweep):
    merged = sweep.final("regions", warmup=400, **CASE) < 16  # (widths, seeds)
    assert merged.sum() >= 10
    caught = {
        key: readings.seen_by(sweep.final(key, warmup=400, **CASE), merged)[1] / merged.sum()
        for key in ("perplexity", "active", "scatter", "purity", "information", "token_accuracy", "mean_accuracy")
    }
    for key in ("purity", "information", "token_accuracy", "mean_accuracy"):
        assert caught.pop(key) > 0.95
    assert all(0.2 < share < 0.8 for share in caught.values())
    # A low perplexity is not proof of merging, either: wide and cold it is lower still.
    assert final(sweep, "perplexity", 64, 0).max() < sweep.final("perplexity", warmup=400, **CASE)[~merged].min()


def test_untrained_encoders_are_as_constant_as_the_coin_says(sweep):
    cell = sweep.at(codebook_size=64, warmup=400, classes=16, layout="ring")
    for i, width in enumerate(sweep.axes["width"].values[:5]):
        for chance, key in zip(dead_units.rank_chances(width), ("constant", "curve"), strict=False):
            untrained = cell[key][i, :, 0]
            assert abs(untrained.mean() - chance) < 3 * max(untrained.std(), 0.1) / np.sqrt(8)


def test_training_wakes_units_up_but_not_an_encoder_that_is_dead_everywhere(sweep, many):
    relu = many.at(activation="relu", classes=16, layout="ring")
    sheet = 1 - relu["constant"] - relu["curve"]  # (widths, seeds, before and after)
    of = many.axes["width"].values.index
    assert (sheet[of(3) : of(5) + 1, :, 1].mean(1) > sheet[of(3) : of(5) + 1, :, 0].mean(1) + 0.1).all()
    cell = sweep.at(warmup=400, **CASE)
    dead = cell["constant"][..., 0] == 1
    assert dead.any()
    assert (cell["constant"][dead][:, -1] == 1).all()
    assert (cell["regions"][dead][:, -1] == 1).all()


def test_boundaries_are_predicted_by_living_units_and_not_by_linear_regions(many):
    tried = many.axes["width"].values
    for layout in many.axes["layout"].values:
        measured, counted = {}, {}
        for classes in many.axes["classes"].values:
            shares = readings.shares_apart(many, "relu", classes, layout).mean(1)
            measured[classes], counted[classes] = (
                measures.boundary(tried, shares),
                readings.predictions(tried, classes, layout),
            )
            assert np.abs(shares - readings.predicted_share(tried, classes, layout))[2:].max() < 0.15
        assert [counts["linear regions"] for counts in counted.values()] == [2, 4, 5, 8]
        for classes in (8, 16, 32):
            assert abs(tried.index(measured[classes]) - tried.index(counted[classes]["living units"])) <= 1
            assert abs(tried.index(measured[classes]) - tried.index(counted[classes]["dead points"])) <= 1
        assert measured[32] <= measured[8] + 1
        assert measured[4] < counted[4]["living units"]


def test_the_dashed_line_is_too_kind_when_narrow_and_too_strict_when_wide(many):
    tried = many.axes["width"].values
    for layout in many.axes["layout"].values:
        for classes in (8, 16, 32):
            missed = readings.shares_apart(many, "relu", classes, layout).mean(1) - readings.predicted_share(
                tried, classes, layout
            )
            assert (missed[:2] < 0).all()
            assert missed[tried.index(5)] > 0


def test_the_fate_of_a_seed_is_mostly_visible_before_its_first_step(many):
    relu = many.at(activation="relu", classes=16, layout="ring")
    living, ended = relu["living"][1:6, :, 0], relu["regions"][1:6, :, -1]
    fate = readings.fates(living, ended, 16)
    assert fate["0"][1] == fate["0"][0] > 0  # all merged
    assert fate["1"][3] < 0.25 * fate["1"][0]
    assert fate["2 or more"][3] > 0.75 * fate["2 or more"][0]
    assert (living[ended < 16] >= 2).mean() > 0.15  # a sheet, too, can be folded


def test_four_classes_nearly_fit_on_a_curve_and_more_do_not(many):
    kept = {}
    for layout, classes in itertools.product(many.axes["layout"].values, many.axes["classes"].values):
        cell = many.at(activation="relu", classes=classes, layout=layout)
        kept[layout, classes] = (cell["regions"][..., -1][cell["living"][..., 0] == 1] / classes).mean()
    for layout in many.axes["layout"].values:
        assert kept[layout, 4] > 0.8
        assert max(kept[layout, classes] for classes in (8, 16, 32)) < 0.7
        assert kept[layout, 32] < kept[layout, 8]


def test_units_that_never_die_need_little_more_than_half_the_width(many):
    for layout in many.axes["layout"].values:
        for classes in (8, 16, 32):
            limit = {a: readings.merge_width(many, a, classes, layout) for a in ("relu", "leaky relu", "tanh")}
            assert limit["tanh"] <= limit["leaky relu"] < limit["relu"]
            assert limit["leaky relu"] <= 0.6 * limit["relu"] + 1
    one = [readings.shares_apart(many, a, 16, "ring")[0].mean() for a in ("leaky relu", "tanh")]
    assert max(one) < 0.7  # one unit gives one number, whatever its shape
    at_two = [readings.shares_apart(many, a, 16, "ring")[1].mean() for a in ("relu", "leaky relu", "tanh")]
    assert at_two == sorted(at_two)


def test_breaking_the_cure(sweep):
    crowded = final(sweep, "token_accuracy", 64, 400, codebook_size=16, classes=32)
    assert crowded.max() <= 0.5
    assert crowded.min() > 0.45
    assert final(sweep, "token_accuracy", 64, 0, codebook_size=16, classes=4).min() > 0.95
    assert (
        final(sweep, "mse", 64, 0, codebook_size=64, classes=4).mean()
        > 1.3 * final(sweep, "mse", 64, 400, codebook_size=64, classes=4).mean()
    )
    ring, grid = (final(sweep, "token_accuracy", 64, 0, layout=layout).mean() for layout in ("ring", "grid"))
    assert grid > ring + 0.3
    assert final(sweep, "active", 64, 0, layout="grid").mean() > final(sweep, "active", 64, 0).mean()


def test_the_boundary_is_the_last_rise_above_the_level():
    assert measures.boundary((1, 2, 3, 4), [0.2, 0.96, 0.9, 0.97]) == 4
    assert measures.boundary((1, 2, 3, 4), [0.95, 0.96, 0.99, 0.97]) == 1
    assert measures.boundary((1, 2, 3), [0.2, 0.96, 0.9]) is None


def test_in_the_plane_dead_units_merge_classes_and_in_ten_dimensions_much_is_lost_without_them(both):
    def kept(dimensions, activation):
        return both.final("regions", dimensions=dimensions, activation=activation, warmup=400) / capacity.CLASSES

    leaky, linear = (
        {d: readings.shared_loss(kept(d, "relu"), kept(d, kind)) for d in (2, 10)} for kind in ("leaky relu", "linear")
    )
    assert linear[2] < 0.15 < 0.2 < linear[10]
    assert leaky[2] < 0.4 < 0.5 < leaky[10]
    of = both.axes["width"].values.index
    assert (kept(10, "linear")[of(2)] < 1).all()  # no dead unit and no fold, and yet too few
    assert kept(10, "leaky relu")[of(4)].mean() - kept(10, "relu")[of(4)].mean() < 0.1
    assert kept(10, "leaky relu")[of(2)].mean() - kept(10, "relu")[of(2)].mean() > 0.15
    assert (kept(10, "leaky relu")[of(16)] == 1).all()
