"""What is kept of a training, and that the live button and the stored sweep run the same code."""

import threading

import numpy as np
import pytest
import torch

from vqlab import labs
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


@pytest.mark.parametrize("warmup", [0, 100, 400])
def test_the_stored_sweep_says_what_the_lab_says(warmup):
    from vqlab import sweeps

    sweep = sweeps.load("tokens_collapse")
    final = sweep.at(warmup=warmup, codebook_size=256)
    if warmup:
        assert (final["perplexity"][:, -1] > 0.8 * 256).all()
    else:
        assert (final["active"][:, -1] < 30).all()


def test_the_placement_sweep_says_what_the_lab_says():
    from vqlab import sweeps

    sweep = sweeps.load("tokens_initialisation")

    def mean(placement: str, warmup: int) -> float:
        return sweep.at(initialisation=placement, warmup=warmup, codebook_size=128)["perplexity"][:, -1].mean()

    for clustering in ("k-means", "k-means++", "Gaussian mixture", "hierarchical"):
        assert mean(clustering, 0) < 30
        assert mean(clustering, 400) > 100
    assert mean("normal, std 1", 0) > 60
    assert max(mean("normal, std 0.1", 0), mean("normal, std 3", 0)) < 60
    assert mean("normal, std 0.01", 400) < mean("normal, std 0.01", 0)
    assert mean("k-means + replacement", 0) > 100
