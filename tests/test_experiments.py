"""What is kept of a training, and what Lab 01 says of its stored sweeps."""

import threading

import numpy as np
import pytest
import torch

from vqlab import labs, sweeps
from vqlab.data import gaussian_ring
from vqlab.labs.lab01 import readings
from vqlab.labs.lab01.experiments import train_ring
from vqlab.sweeps.recorder import frame_steps
from vqlab.sweeps.threads import one_thread

TINY = {"hidden": 8, "steps": 40, "batch_size": 32, "learning_rate": 2e-3}


def test_frames_are_taken_at_the_stored_warm_up_lengths():
    steps = frame_steps(1000)
    assert steps[0] == 0
    assert steps[-1] == 1000
    warmups = labs.experiments()["tokens_collapse"].axes[0].values
    assert set(warmups) <= set(steps), "the moment when codes are placed is not in the pictures"


def test_before_the_switch_there_are_errors_and_latents_but_no_codes():
    cell = train_ring({"codebook_size": 8, "warmup": 16}, (0, 1), base=TINY, pictured=5)
    steps = np.array(frame_steps(40))
    assert cell["mse"].shape == (2, len(steps))
    assert np.isfinite(cell["mse"]).all()
    assert np.isfinite(cell["latent_dim"]).all()
    for key in ("perplexity", "active", "code_dim"):
        assert (np.isnan(cell[key][0]) == (steps < 16)).all()
    assert cell["latents"].shape == (2, len(steps), 5, 2)
    assert cell["usage"].shape == (2, len(steps), 8)
    assert (cell["usage"].sum(-1)[0] == np.where(steps < 16, 0, 4000)).all()


def test_a_seed_gives_the_same_run_alone_and_in_a_stack():
    together = train_ring({"codebook_size": 8, "warmup": 16}, (3, 4), base=TINY)
    alone = train_ring({"codebook_size": 8, "warmup": 16}, (4,), base=TINY)
    np.testing.assert_allclose(together["mse"][1], alone["mse"][0], rtol=1e-3)


def test_callbacks_reach_the_training():
    seen = []
    train_ring({"codebook_size": 8, "warmup": 0}, (0,), lambda trainer: seen.append(trainer.step), base=TINY)
    assert seen == list(range(41))


def _fail_on_one_thread(seen: list[int]) -> None:
    with one_thread():
        seen.append(torch.get_num_threads())
        raise ZeroDivisionError


def test_small_trainings_use_one_thread_and_give_the_others_back():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        seen = []
        with pytest.raises(ZeroDivisionError):
            _fail_on_one_thread(seen)
        assert (seen, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


def test_a_live_training_in_a_thread_of_its_own_leaves_the_others_alone():
    before = torch.get_num_threads()
    live_runs, cell_is_done = threading.Event(), threading.Event()
    live_saw, new_saw = [], []

    def live() -> None:
        with one_thread():
            live_saw.append(torch.get_num_threads())
            live_runs.set()
            cell_is_done.wait()
            live_saw.append(torch.get_num_threads())

    try:
        torch.set_num_threads(2)
        thread = threading.Thread(target=live)
        with one_thread():
            with one_thread():
                pass
            assert torch.get_num_threads() == 1
            thread.start()
            live_runs.wait()
        after_the_cell = torch.get_num_threads()
        cell_is_done.set()
        thread.join()
        new = threading.Thread(target=lambda: new_saw.append(torch.get_num_threads()))
        new.start()
        new.join()
        assert (after_the_cell, torch.get_num_threads(), live_saw, new_saw) == (2, 2, [1, 1], [2])
    finally:
        torch.set_num_threads(before)


# --- what Lab 01 says of its sweeps, over all their seeds ----------------------------------------------------


@pytest.fixture(scope="module")
def collapse():
    return sweeps.load("tokens_collapse")


@pytest.fixture(scope="module")
def placed():
    return sweeps.load("tokens_initialisation")


def test_cold_perplexity_stops_growing_and_warm_it_grows_with_k(collapse):
    sizes = np.array(collapse.axes["codebook_size"].values)
    cold, warm = (collapse.final("perplexity", warmup=warmup) for warmup in (0, 400))  # (K, seeds)
    assert cold[-1].max() < sizes[-1] / 8
    assert cold[-1].mean() < 2 * cold[1].mean()
    assert (warm.min(1) > 0.75 * sizes).all()
    assert (collapse.final("active", warmup=0, codebook_size=256) < 30).all()  # the README's "fewer than thirty"


def test_a_longer_and_wider_training_gets_further_and_collapses_as_well(collapse):
    long = sweeps.load("tokens_long")
    cold, warm = (long.final("perplexity", warmup=warmup).mean(-1) for warmup in (0, 1000))
    assert cold[-1] > collapse.final("perplexity", warmup=0, codebook_size=256).mean()
    assert cold[-1] / cold[-3] < 2 < warm[-1] / warm[-3]


def test_with_a_code_a_cluster_the_error_is_that_of_clusters_without_a_code(collapse):
    cell = collapse.at(codebook_size=8)
    y = gaussian_ring().y[: cell["latents"].shape[-2]]
    served, error = [], []
    for warmup, seed in np.ndindex(cell["mse"].shape[:2]):
        served.append(readings.clusters_served(*(cell[key][warmup, seed, -1] for key in ("latents", "codebook")), y))
        error.append(cell["mse"][warmup, seed, -1])
    served, error = np.array(served), np.array(error)
    assert error[served == 8].max() < error[served < 8].min()
    cold, warm = np.split(served < 8, [len(collapse.seeds)])
    assert cold.mean() > warm.mean()


def test_codes_go_dead_because_latents_leave_the_heap(collapse):
    cell = collapse.at(warmup=0, codebook_size=256)
    spread = readings.spread_of(cell["latents"])  # (seeds, frames)
    assert (spread[:, -1] > 8 * spread[:, 0]).all()
    active, frames = cell["active"], collapse.settings["frames"]
    assert (active[:, frames.index(50)] < 64).all()
    assert active[:, -1].mean() > active.mean(0).min() + 1  # a few come back
    for heap, latents in zip(cell["codebook"][:, 0], cell["latents"][:, -1], strict=True):
        assert np.isin(readings.nearest(latents, heap), readings.rim(heap)).mean() > 0.7


def test_a_warm_up_cures_as_soon_as_the_latents_have_found_their_size(collapse):
    warmups = collapse.axes["warmup"].values
    found = np.stack([readings.size_when_placed(collapse, warmup, 256) for warmup in warmups])  # (W, seeds)
    perplexity = collapse.final("perplexity", codebook_size=256)
    tenth = warmups.index(100)
    assert perplexity[tenth:].min() > 0.8 * 256
    assert found[tenth:].min() > 0.8
    assert found[0].max() < 0.2
    assert np.corrcoef(found.ravel(), perplexity.ravel())[0, 1] > 0.9


def test_what_counts_is_where_the_codes_lie(placed):
    k = 128
    at = {
        (name, warm): placed.final("perplexity", initialisation=name, warmup=warm, codebook_size=k)
        for name in placed.axes["initialisation"].values
        for warm in placed.axes["warmup"].values
    }
    for name in ("k-means", "k-means++", "Gaussian mixture", "hierarchical"):
        assert at[name, 0].max() < k / 4
        assert at[name, 400].min() > 0.8 * k
    right_scale = at["normal, std 1", 0]
    assert right_scale.min() > max(
        at[name, 0].max() for name in ("normal, std 0.01", "normal, std 0.1", "normal, std 3")
    )
    assert right_scale.mean() == pytest.approx(at["normal, std 1", 400].mean(), rel=0.1)  # no warm-up needed
    for name in ("normal, std 0.01", "normal, std 0.1"):
        assert at[name, 400].mean() < at[name, 0].mean()
    assert at["k-means + replacement", 0].min() > 0.8 * k
