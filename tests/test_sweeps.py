"""Stored sweeps: load without torch, resume after a kill, refuse what is damaged, check themselves."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

from vqlab import LabError, labs, sweeps
from vqlab.__main__ import main
from vqlab.sweeps import Axis, Experiment, runner
from vqlab.sweeps.experiment import describe
from vqlab.sweeps.packing import pack, unpack

EXPERIMENTS = labs.experiments()


def toy(**changes) -> Experiment:
    """Two axes, three seeds, arrays whose width depends on the cell."""
    described = {
        "name": "toy",
        "title": "a toy",
        "axes": (Axis("a", "letter a", (1, 2, 3), "m"), Axis("b", "letter b", ("x", "y"))),
        "seeds": (0, 1, 2),
        "settings": {"version": 1},
        "run": toy_cell,
        "headline": ("score",),
    }
    return Experiment(**(described | changes))


def toy_cell(position: dict, seeds, *callbacks) -> dict:
    a, shift = position["a"], {"x": 0.0, "y": 10.0}[position["b"]]
    score = np.array([[a + shift + 0.01 * seed] for seed in seeds], np.float32)  # (seeds, 1)
    return {"score": score, "wide": np.full((len(seeds), a), a, np.float16), "count": np.full((len(seeds), a), a)}


def test_what_is_stored_is_what_was_computed(tmp_path):
    runner.run(toy(), folder=tmp_path)
    stored = sweeps.load("toy", tmp_path)
    assert stored.seeds == (0, 1, 2)
    assert stored.axes["a"].values == (1, 2, 3)
    assert stored.axes["a"].unit == "m"
    np.testing.assert_allclose(stored.at(a=2, b="y")["score"][:, 0], [12.0, 12.01, 12.02], rtol=1e-6)
    assert stored.at(b="x")["score"].shape == (3, 3, 1)


def test_arrays_of_different_width_are_padded_with_nan_or_zero(tmp_path):
    runner.run(toy(), folder=tmp_path)
    cell = sweeps.load("toy", tmp_path).at(a=2, b="x")
    np.testing.assert_array_equal(cell["wide"][0], np.array([2, 2, np.nan], np.float16))
    np.testing.assert_array_equal(cell["count"][0], [2, 2, 0])


def test_provenance_names_command_versions_and_time(tmp_path):
    runner.run(toy(), folder=tmp_path)
    provenance = sweeps.load("toy", tmp_path).provenance
    assert provenance["command"] == "python -m vqlab sweep toy"
    assert {"torch", "numpy", "scikit-learn", "vqlab"} <= set(provenance["versions"])
    assert {"date", "commit", "core_seconds", "machine", "python"} <= set(provenance)


def waiting_cell(position: dict, seeds, *callbacks) -> dict:
    time.sleep(0.2)
    return toy_cell(position, seeds)


def test_a_sweep_counts_the_seconds_of_the_core_and_not_those_it_waited(tmp_path):
    runner.run(toy(run=waiting_cell), folder=tmp_path)  # six cells
    assert sweeps.load("toy", tmp_path).provenance["core_seconds"] == 0


def break_off(folder) -> None:
    """Compute four of the six toy cells, and then press Ctrl-C."""
    done = []

    def breaks_at_four(position, seeds):
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(position)
        return toy_cell(position, seeds)

    with pytest.raises(KeyboardInterrupt):
        runner.run(toy(run=breaks_at_four), folder=folder)


def test_a_broken_off_sweep_keeps_its_finished_cells_and_goes_on(tmp_path):
    break_off(tmp_path)
    again = []
    runner.run(toy(run=lambda p, s: again.append(p) or toy_cell(p, s)), folder=tmp_path)
    assert len(again) == 2
    assert sweeps.load("toy", tmp_path).arrays["score"].shape == (3, 2, 3, 1)


def test_a_half_written_cell_is_computed_again(tmp_path):
    experiment = toy()
    part = tmp_path / ".parts" / f"toy-{experiment.fingerprint}" / "cell-00002.npz"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"PK\x03\x04 half a file")
    runner.run(experiment, folder=tmp_path)
    assert np.isfinite(sweeps.load("toy", tmp_path).arrays["score"]).all()


def test_other_settings_do_not_reuse_finished_cells(tmp_path):
    assert toy().fingerprint != toy(settings={"version": 2}).fingerprint
    assert toy().fingerprint != toy(seeds=(0, 1)).fingerprint
    assert toy().fingerprint == toy().fingerprint


def test_kill_9_loses_no_finished_cell(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, 'tests')\n"
        "from test_sweeps import toy, toy_cell; from vqlab.sweeps import runner\n"
        "def slow(position, seeds):\n    time.sleep(0.3); return toy_cell(position, seeds)\n"
        f"runner.run(toy(run=slow), folder=Path({str(tmp_path)!r}))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[1])
    deadline = time.time() + 60
    while len(list(tmp_path.glob(".parts/*/cell-*.npz"))) < 2 and time.time() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = len(list(tmp_path.glob(".parts/*/cell-*.npz")))
    assert 2 <= kept < 6
    again = []
    runner.run(toy(run=lambda p, s: again.append(p) or toy_cell(p, s)), folder=tmp_path)
    assert len(again) == 6 - kept


def test_a_full_disk_is_one_sentence_and_keeps_what_is_finished(tmp_path, monkeypatch):
    original, calls = runner._savez, []

    def fills_up(file, arrays):
        calls.append(1)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(file, arrays)

    monkeypatch.setattr(runner, "_savez", fills_up)
    with pytest.raises(LabError, match=r"No space left on device.*finished cells are kept"):
        runner.run(toy(), folder=tmp_path)
    assert len(list(tmp_path.glob(".parts/*/cell-*.npz"))) == 2
    assert not list(tmp_path.glob("**/*.partial"))


def test_failing_to_remake_leaves_the_old_sweep(tmp_path):
    runner.run(toy(), folder=tmp_path)
    before = (tmp_path / "toy.npz").read_bytes()

    def fails(position, seeds):
        raise LabError("no")

    with pytest.raises(LabError):
        runner.run(toy(run=fails), folder=tmp_path)
    assert (tmp_path / "toy.npz").read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f: (f / "toy.npz").write_bytes((f / "toy.npz").read_bytes()[:-50]), "truncated or was edited"),
        (lambda f: (f / "toy.npz").unlink(), "missing"),
        (lambda f: (f / "toy.json").unlink(), "missing"),
        (lambda f: (f / "toy.json").write_text("{ half"), "not JSON"),
        (lambda f: _edit(f, format=99), "format 99"),
        (lambda f: (f / "toy.json").write_text("[1, 2]"), "does not describe a sweep"),
        (lambda f: _drop(f, "seeds", "axes"), "lacks axes, seeds"),
        (lambda f: _edit(f, seeds="0, 1"), "seeds of its .json are of another kind"),
        (lambda f: _edit(f, name="other"), "its .json is that of 'other'"),
        (lambda f: _edit(f, settings={"version": 2}), "truncated or was edited"),
        (lambda f: _edit(f, seeds=[0, 1, 3]), "truncated or was edited"),
        (lambda f: _edit(f, axes=[{"name": "a", "label": "a", "values": [3, 2, 1], "unit": ""}]), "was edited"),
    ],
)
def test_a_damaged_sweep_is_refused_with_the_mend(tmp_path, damage, says):
    runner.run(toy(), folder=tmp_path)
    damage(tmp_path)
    with pytest.raises(LabError, match=says) as caught:
        sweeps.load("toy", tmp_path)
    assert "python -m vqlab sweep toy" in str(caught.value)
    assert "\n" not in str(caught.value)


def _edit(folder: Path, **changes) -> None:
    path = folder / "toy.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _drop(folder: Path, *keys: str) -> None:
    path = folder / "toy.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k not in keys}))


def test_another_layout_of_the_json_is_no_damage(tmp_path):
    runner.run(toy(), folder=tmp_path)
    path = tmp_path / "toy.json"
    path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items()))))
    assert sweeps.load("toy", tmp_path).seeds == (0, 1, 2)


@pytest.mark.parametrize("name", ["../toy", "", "toy.npz", None, 3])
def test_a_name_that_is_none_is_refused(name, tmp_path, refuses):
    with refuses("has a name such as tokens_collapse"):
        sweeps.load(name, tmp_path)


def test_the_final_number_is_the_last_frame_of_every_seed(tmp_path, refuses):
    def three_frames(position, seeds):
        start = toy_cell(position, seeds)["score"]
        return {
            "score": np.concatenate([start, start + 1, start + 2], 1),
            "once": start[:, 0],
            "wide": start[..., None],
        }

    runner.run(toy(run=three_frames), folder=tmp_path)
    stored = sweeps.load("toy", tmp_path)
    np.testing.assert_allclose(stored.final("score", a=2, b="y"), [14.0, 14.01, 14.02], rtol=1e-6)
    np.testing.assert_allclose(stored.final("once", a=2, b="y"), [12.0, 12.01, 12.02], rtol=1e-6)
    assert stored.final("score", b="x").shape == (3, 3)
    assert stored.final("score").shape == (3, 2, 3)
    with refuses("toy holds no 'speed': choose from score, once"):
        stored.final("speed")
    with refuses("no number but a picture"):
        stored.final("wide", a=2)
    with refuses("a = 9 is not stored"):
        stored.final("score", a=9)


def test_an_unfinished_sweep_can_be_stored_and_goes_on(tmp_path, monkeypatch, capsys, refuses):
    monkeypatch.setenv("VQLAB_SWEEPS", str(tmp_path))
    monkeypatch.setattr(labs, "experiments", lambda: {"toy": toy()})
    assert main(["sweep", "toy", "--partial"]) == 1
    assert "no cell of toy is finished" in capsys.readouterr().err
    break_off(tmp_path)
    assert main(["sweep", "toy", "--partial"]) == 0
    stored = sweeps.load("toy")
    assert stored.finished.tolist() == [True] * 4 + [False] * 2
    np.testing.assert_allclose(stored.final("score", a=2, b="y"), [12.0, 12.01, 12.02], rtol=1e-6)
    assert np.isnan(stored.at(a=3)["wide"]).all()
    assert all(agrees for _, agrees in runner.check(toy()))
    assert main(["sweep", "toy", "--jobs", "1"]) == 0
    assert sweeps.load("toy").finished.all()
    assert np.isfinite(sweeps.load("toy").arrays["score"]).all()


def _children(pid: int) -> set[int]:
    return {int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in Linux's /proc")
def test_kill_9_of_a_sweep_ends_its_processes(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, 'tests')\n"
        "from test_sweeps import toy, slow_cell; from vqlab.sweeps import runner\n"
        f"runner.run(toy(run=slow_cell), jobs=2, folder=Path({str(tmp_path)!r}))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[1])
    deadline = time.time() + 60
    while not list(tmp_path.glob(".parts/*/cell-*.npz")) and time.time() < deadline:
        time.sleep(0.02)
    workers = _children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert workers
    deadline = time.time() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.time() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    assert len(list(tmp_path.glob(".parts/*/cell-*.npz"))) < 6


def slow_cell(position, seeds):
    time.sleep(2)
    return toy_cell(position, seeds)


def test_unknown_positions_are_named(tmp_path):
    runner.run(toy(), folder=tmp_path)
    stored = sweeps.load("toy", tmp_path)
    with pytest.raises(LabError, match=r"a = 7 is not stored in toy: choose from \[1, 2, 3\]"):
        stored.at(a=7)
    with pytest.raises(LabError, match="no axis c"):
        stored.at(c=1)


def test_check_agrees_with_itself_and_sees_a_change(tmp_path):
    runner.run(toy(), folder=tmp_path)
    assert all(agrees for _, agrees in runner.check(toy(), cells=6, folder=tmp_path))
    report = [sentence for sentence, _ in runner.check(toy(), cells=6, folder=tmp_path)]
    assert [("new seeds 3…5" in sentence, "the same seeds" in sentence) for sentence in report] == [
        (False, True),
        (True, False),
    ] * 3
    wrong = toy(run=lambda p, s: toy_cell(p, s) | {"score": toy_cell(p, s)["score"] * 1.5})
    assert not any(agrees for _, agrees in runner.check(wrong, cells=6, folder=tmp_path))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_stored_sweep_is_that_of_its_experiment(name):
    description = json.loads((sweeps.home() / f"{name}.json").read_text())
    expected = json.loads(json.dumps(describe(EXPERIMENTS[name])))
    assert {key: description[key] for key in expected} == expected
    fewest = {"images": 3, "dimensions": 4, "vqgan": 2}  # minutes a seed; samples that are never seen twice
    assert len(description["seeds"]) >= (1 if name == "images_codecs" else fewest.get(name.partition("_")[0], 8))
    assert (sweeps.home() / f"{name}.npz").stat().st_size < 3_000_000
    stored = sweeps.load(name)
    for key in EXPERIMENTS[name].headline:
        assert np.isfinite(stored.arrays[key][..., -1].astype(float)).all()


def test_loading_needs_neither_torch_nor_scikit_learn():
    script = (
        "import sys\n"
        "from vqlab import sweeps\n"
        "for path in sweeps.home().glob('*.npz'): sweeps.load(path.stem)\n"
        "print('torch' in sys.modules, 'sklearn' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_pictures_keep_their_shape_in_a_byte():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3, 40, 2)) * np.array([1e-3, 1.0, 50.0])[:, None, None]
    points[1, 3] = np.nan
    packed, scale = pack(points)
    assert packed.dtype == np.int8
    back = unpack(packed, scale)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(points))
    assert (np.nanmax(np.abs(back - points), (1, 2)) <= np.nanmax(np.abs(points), (1, 2)) / 250).all()
    assert not unpack(*pack(np.zeros((1, 5, 2)))).any()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sweep"], "no sweep was named: give --all"),
        (["sweep", "nope"], "no sweep is called nope: choose from tokens_collapse"),
        (["sweep", "tokens_long", "--jobs", "0"], "at least one process, got --jobs 0"),
    ],
)
def test_the_command_line_refuses_with_a_sentence(arguments, says, capsys):
    assert main(arguments) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("vqlab: ")
    assert says in printed


def test_the_command_line_computes_checks_and_survives_ctrl_c(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VQLAB_SWEEPS", str(tmp_path))
    monkeypatch.setattr(labs, "experiments", lambda: {"toy": toy()})
    assert main(["sweep", "toy", "--jobs", "1"]) == 0
    assert f"stored {tmp_path / 'toy.npz'}" in capsys.readouterr().out
    assert main(["sweep", "toy", "--check"]) == 0
    assert capsys.readouterr().out.startswith("[OK] toy: a ")
    monkeypatch.setattr(
        labs, "experiments", lambda: {"toy": toy(run=lambda p, s: {"score": toy_cell(p, s)["score"] + 5})}
    )
    assert main(["sweep", "toy", "--check"]) == 1
    assert "[DIFFERS] toy: a " in capsys.readouterr().out

    def interrupted(position, seeds):
        raise KeyboardInterrupt

    monkeypatch.setattr(labs, "experiments", lambda: {"toy": toy(run=interrupted)})
    assert main(["sweep", "toy", "--jobs", "1"]) == 130
    assert "finished cells are kept" in capsys.readouterr().err


def test_a_killed_process_is_a_sentence(tmp_path, monkeypatch):
    def broken(*_):
        raise BrokenProcessPool
        yield

    monkeypatch.setattr(runner, "_compute", broken)
    with pytest.raises(LabError, match=r"a process of the sweep was killed.*fewer --jobs"):
        runner.run(toy(), jobs=2, folder=tmp_path)
