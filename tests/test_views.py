"""What the pictures show: the data in their artists, their titles, limits, alt texts, size and speed."""

import itertools
import re

import numpy as np
import pictures
import pytest

from vqlab import data, figures, sweeps, theory
from vqlab.labs.lab00.pictures import occupancy
from vqlab.labs.lab01 import readings
from vqlab.labs.lab01.pictures import initialisations, tokens


@pytest.fixture(scope="module")
def collapse():
    return sweeps.load("tokens_collapse")


@pytest.fixture(scope="module")
def placed():
    return sweeps.load("tokens_initialisation")


def all_views(collapse, placed):
    yield occupancy.tokenizer_view(data.gaussian_ring(500).x, np.eye(2, dtype=np.float32))
    for k, n in itertools.product((16, 4096), (64, 16384)):
        yield occupancy.usage_view({"codebook_size": k, "tokens": n})
    for k in placed.axes["codebook_size"].values:
        yield initialisations.initialisation_view(placed, {"codebook_size": k})
    for warmup, k, step in itertools.product((0, 400), (8, 256), (0, 1000)):
        yield tokens.training_view(collapse, {"warmup": warmup, "codebook_size": k, "seed": 1, "step": step})


def test_every_picture_is_small_legible_and_described(collapse, placed):
    for view in all_views(collapse, placed):
        pictures.check(view)


def test_nothing_moves_when_a_slider_moves(collapse, placed):
    pictures.check_that_nothing_moves(
        [occupancy.usage_view({"codebook_size": k, "tokens": n}) for k, n in ((16, 64), (4096, 16384))]
    )
    pictures.check_that_nothing_moves(
        [initialisations.initialisation_view(placed, {"codebook_size": k}) for k in (8, 256)], {"x0"}
    )
    pictures.check_that_nothing_moves(
        [
            tokens.training_view(collapse, {"warmup": warmup, "codebook_size": k, "seed": 0, "step": step})
            for warmup, k, step in ((0, 8, 0), (400, 256, 200), (800, 64, 1000))
        ]
    )


def test_the_latent_panel_shows_every_code_dead_or_used(collapse):
    view = tokens.training_view(collapse, {"warmup": 0, "codebook_size": 256, "seed": 0, "step": 1000})
    latents = view.figure.axes[1]
    dead, used = (len(line.get_xdata()) for line in latents.lines[1:])
    cell = collapse.at(warmup=0, codebook_size=256)
    assert dead + used == 256
    assert used == int(cell["active"][0, -1])
    assert f"Cold start: {used} of 256 codes in use at the end" in view.figure._suptitle.get_text()


def test_the_growth_panel_draws_mean_and_range_of_all_seeds(collapse):
    view = tokens.training_view(collapse, {"warmup": 400, "codebook_size": 64, "seed": 0, "step": 1000})
    growth = view.figure.axes[2]
    cold, warm = (
        next(line for line in growth.lines if line.get_label() == label).get_ydata()
        for label in ("cold", "warm-up 400")
    )
    np.testing.assert_allclose(cold, collapse.at(warmup=0)["perplexity"][..., -1].mean(1), rtol=1e-6)
    np.testing.assert_allclose(warm, collapse.at(warmup=400)["perplexity"][..., -1].mean(1), rtol=1e-6)
    bands = growth.collections
    low = min(vertex[1] for vertex in bands[0].get_paths()[0].vertices)
    assert low == pytest.approx(collapse.at(warmup=0)["perplexity"][..., -1].min(), rel=1e-5)


def test_the_death_picture_marks_the_codes_that_trained_latents_choose(collapse):
    cell = collapse.at(warmup=0, codebook_size=256)
    heap, before, after = cell["codebook"][0, 0], cell["latents"][0, 0], cell["latents"][0, -1]
    view = tokens.death_view(collapse, heap, before, after)
    pictures.check(view)
    chosen = readings.nearest(after, heap)
    dead, nearest = view.figure.axes[1].lines
    np.testing.assert_allclose(np.stack(nearest.get_data(), 1), heap[chosen])
    assert len(dead.get_xdata()) == 256 - len(chosen)
    assert f"Of 256 codes, {len(chosen)} are nearest to one of {len(after)} trained latents" in view.alt
    np.testing.assert_allclose(view.figure.axes[2].lines[0].get_ydata(), cell["active"].mean(0))


def test_before_the_switch_there_are_no_codes(collapse):
    view = tokens.training_view(collapse, {"warmup": 400, "codebook_size": 256, "seed": 0, "step": 200})
    assert "still a plain autoencoder" in view.figure._suptitle.get_text()
    assert "no codes yet" in view.status
    assert len(view.figure.axes[1].lines) == 1


def test_live_runs_replace_the_growth_panel_and_are_judged(collapse):
    state = {"warmup": 0, "codebook_size": 64, "seed": 0, "step": 1000}
    stored = collapse.at(warmup=0, codebook_size=64)
    same = tokens.training_view(collapse, state, {"perplexity": stored["perplexity"][:4]})
    assert "agree with the 8 stored ones" in same.status
    assert len(same.figure.axes[2].lines) == 1 + 4
    other = tokens.training_view(collapse, state, {"perplexity": stored["perplexity"][:4] * 3})
    assert "DIFFER from the 8 stored ones" in other.status


def test_a_healthy_codebook_reads_less_than_k():
    view = occupancy.usage_view({"codebook_size": 512, "tokens": 1024})
    read = re.search(r"healthy is perplexity (\d+), not 512", view.alt)
    assert int(read[1]) == pytest.approx(float(theory.expected_perplexity(512, 1024)), rel=0.06)
    measured = next(line for line in view.figure.axes[1].lines if "measured" in line.get_label()).get_ydata()
    assert (np.diff(measured) > 0).all()
    assert 0.98 < measured[-1] < 1


def test_the_placement_picture_has_a_mean_per_placement_and_start(placed):
    view = initialisations.initialisation_view(placed, {"codebook_size": 128})
    cold, warm = view.figure.axes[0].containers
    expected = placed.at(codebook_size=128)["perplexity"][..., -1].mean(-1)  # (placement, warm-up)
    np.testing.assert_allclose(cold.lines[0].get_xdata(), expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(warm.lines[0].get_xdata(), expected[:, 1], rtol=1e-6)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([15.3, 15.3], "15.3 ± 0.0"),
        ([0.0123, 0.0143], "0.0133 ± 0.0010"),
        ([233, 235], "234 ± 1"),
        ([0, 0], "0.000 ± 0.000"),
    ],
)
def test_spread_keeps_three_digits(values, text):
    assert figures.spread(values) == text


def test_a_table_shows_bold_words_as_bold_and_all_else_as_it_is():
    shown = figures.table(["a", "b"], [["**not** 2 ** 3", "<i>"], ["one<br>two", "<br"]])._repr_html_()
    assert "<td>one<br>two</td><td>&lt;br</td>" in shown
    assert "<td><b>not</b> 2 ** 3</td><td>&lt;i&gt;</td>" in shown
