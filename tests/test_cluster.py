"""A sweep on the workers of a Dask scheduler: the same cells, none lost when a worker is killed."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from distributed import Client, LocalCluster
from test_sweeps import toy, toy_cell

from vqlab import LabError, labs, sweeps
from vqlab.__main__ import main
from vqlab.sweeps import runner
from vqlab.sweeps.cluster import workers_of


def slow_cell(position: dict, seeds, *callbacks) -> dict:
    time.sleep(0.6)
    return toy_cell(position, seeds) | {"worker": np.full(len(seeds), os.getpid())}


def breaking_cell(position: dict, seeds, *callbacks) -> dict:
    if position["a"] == 3:
        raise LabError("this cell cannot work")
    return toy_cell(position, seeds)


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as running:
        yield running


def test_a_worker_killed_in_the_middle_loses_nothing(cluster, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VQLAB_SWEEPS", str(tmp_path))
    monkeypatch.setattr(labs, "experiments", lambda: {"toy": toy(run=slow_cell)})
    with Client(cluster, set_as_default=False) as client:
        workers = list(client.run(os.getpid).values())

    def kill_one():
        while not list(tmp_path.glob(".parts/*/cell-*.npz")):
            time.sleep(0.02)
        os.kill(workers[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    assert main(["sweep", "toy", "--scheduler", cluster.scheduler_address]) == 0
    killer.join(10)
    assert not killer.is_alive()
    assert "stored" in capsys.readouterr().out
    computed = sweeps.load("toy")
    assert computed.finished.all()
    assert os.getpid() not in computed.arrays["worker"]
    assert len(np.unique(computed.arrays["worker"])) >= 2
    monkeypatch.setenv("VQLAB_SWEEPS", str(tmp_path / "here"))
    runner.run(toy())
    np.testing.assert_array_equal(sweeps.load("toy").arrays["score"], computed.arrays["score"])


def test_a_cell_that_fails_stops_the_sweep_and_keeps_what_is_finished(cluster, tmp_path, refuses):
    with refuses("this cell cannot work"), workers_of(cluster.scheduler_address) as executor:
        runner.run(toy(run=breaking_cell), folder=tmp_path, executor=executor)
    kept = len(list(tmp_path.glob(".parts/*/cell-*.npz")))
    again = []
    runner.run(toy(run=lambda p, s: again.append(p) or toy_cell(p, s)), folder=tmp_path)
    assert len(again) == 6 - kept
    assert kept < 6


def test_what_cannot_work_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr("vqlab.sweeps.cluster._TIMEOUT", 0.5)
    monkeypatch.setattr(labs, "experiments", lambda: {"toy": toy()})
    assert main(["sweep", "toy", "--scheduler", "tcp://127.0.0.1:9"]) == 1
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err.splitlines()[-1]
    assert main(["sweep", "toy", "--scheduler", "tcp://127.0.0.1:9", "--check"]) == 1
    assert "leave it out" in capsys.readouterr().err
