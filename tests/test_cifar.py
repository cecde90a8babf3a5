"""CIFAR-10 is read from either official layout, and what is not CIFAR-10 gets a sentence and runs nothing."""

import os
import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from made_up_cifar10 import NAMES, batches, pickled, write_binary, write_python
from steady import given

from vqlab import LabError, data
from vqlab.data import cifar
from vqlab.data.pickles import read_batch

IMAGE_BYTES = 3 * 32 * 32
WRITERS = {"cifar-10-batches-bin": write_binary, "cifar-10-batches-py": write_python}


@pytest.fixture(params=WRITERS)
def copy(request, tmp_path) -> Path:
    """A small CIFAR-10 in one of the layouts, 3 images a file."""
    return WRITERS[request.param](tmp_path / request.param)


@pytest.fixture
def binary(tmp_path) -> Path:
    return write_binary(tmp_path / "cifar-10-batches-bin")


@pytest.fixture
def python(tmp_path) -> Path:
    return write_python(tmp_path / "cifar-10-batches-py")


@pytest.mark.parametrize("nested", [True, False])
def test_both_splits_are_read_in_file_order(copy, nested):
    made = batches()
    for split, names in (("train", NAMES[:5]), ("test", NAMES[5:])):
        read = data.cifar10(split, copy.parent if nested else copy)
        pixels = np.concatenate([made[name][0] for name in names])
        assert read.x.shape == (len(pixels), 3, 32, 32)
        assert read.x.dtype == np.uint8
        assert read.y.dtype == np.int64
        assert np.array_equal(read.x.reshape(len(pixels), -1), pixels)
        assert np.array_equal(read.y, np.concatenate([made[name][1] for name in names]))


def test_the_planes_are_red_green_blue_and_their_rows_run_from_the_top(tmp_path):
    pixels = np.repeat([10, 20, 30], 1024).astype(np.uint8)[None]  # (1, 3072)
    pixels[0, 5] = 255  # row 0, column 5 of the red plane
    for name in NAMES:
        np.c_[np.uint8([[7]]), pixels].tofile(tmp_path / f"{name}.bin")
    read = data.cifar10("test", tmp_path)
    assert read.x[0, :, 9, 9].tolist() == [10, 20, 30]
    assert np.argwhere(read.x[0, 0] == 255).tolist() == [[0, 5]]
    assert read.y.tolist() == [7]


@pytest.mark.parametrize("split", ["train", "test"])
def test_both_layouts_read_equal_arrays(binary, python, split):
    first, second = data.cifar10(split, binary), data.cifar10(split, python)
    assert np.array_equal(first.x, second.x)
    assert np.array_equal(first.y, second.y)


def test_what_is_read_may_be_written_to(copy):
    data.cifar10("test", copy).x[:] = 0


def test_of_two_copies_the_complete_one_is_read(binary, python):
    (binary / "test_batch.bin").unlink()
    assert len(data.cifar10("test", binary.parent).x) == 3


# --- Where it is looked for ----------------------------------------------------------------------------------


def test_the_folder_named_wins_then_the_environment_then_the_cache(no_cifar10, monkeypatch, tmp_path):
    write_python(no_cifar10 / "cifar-10-batches-py", n=1)
    assert len(data.cifar10("test").x) == 1
    monkeypatch.setenv("VQLAB_DATA", str(write_binary(tmp_path / "environment", n=2)))
    assert len(data.cifar10("test").x) == 2
    assert len(data.cifar10("test", write_binary(tmp_path / "named", n=4)).x) == 4
    monkeypatch.setenv("VQLAB_DATA", str(tmp_path / "nowhere"))  # not silently the cache
    with pytest.raises(LabError, match="nowhere is not a folder"):
        data.cifar10()


def test_nowhere_is_said_with_the_command_that_fetches_it(no_cifar10, refuses):
    assert data.find_cifar10() is None
    with refuses("not on this machine: fetch it with `python -m vqlab download cifar10`"):
        data.cifar10()


def test_the_cache_is_in_the_clone_or_else_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    import pooch

    users = pooch.os_cache("vqlab")
    monkeypatch.setattr(cifar, "repository", lambda: None)
    assert data.cache_folder() == users
    monkeypatch.setattr(cifar, "repository", lambda: tmp_path)
    assert data.cache_folder() == users  # nothing can be written there
    (tmp_path / "data").mkdir()
    assert data.cache_folder() == tmp_path / "data" / "cache"


def test_this_clone_keeps_its_cache_out_of_the_repository():
    root = Path(__file__).parents[1]
    assert data.cache_folder() == root / "data" / "cache"
    assert "data/cache/" in (root / ".gitignore").read_text().splitlines()


def test_an_unknown_split_is_refused(copy, refuses):
    with refuses("'train' or 'test', got 'validation'"):
        data.cifar10("validation", copy)


# --- Missing, truncated, wrong -------------------------------------------------------------------------------


def test_every_missing_file_is_named(copy, refuses):
    for name in copy.iterdir():
        if name.stem in ("data_batch_2", "test_batch"):
            name.unlink()
    with refuses("is not a complete CIFAR-10: data_batch_2"):
        data.cifar10("train", copy)
    with pytest.raises(LabError, match=r"data_batch_2\S*, test_batch\S* missing"):
        data.cifar10("train", copy)


def test_a_folder_of_something_else_is_said(tmp_path, refuses):
    (tmp_path / "cifar-100-python").mkdir()
    with refuses("holds neither cifar-10-batches-bin nor cifar-10-batches-py"):
        data.cifar10("train", tmp_path)


@pytest.mark.parametrize("keep", [0, 1, 1000, 1 + IMAGE_BYTES, 2 * (1 + IMAGE_BYTES), 3 * (1 + IMAGE_BYTES) - 1])
@pytest.mark.parametrize("name", ["data_batch_3", "test_batch"])
def test_a_truncated_file_is_refused_wherever_it_is_cut(copy, name, keep, refuses):
    (path,) = copy.glob(f"{name}*")
    os.truncate(path, keep)
    with refuses(path.name):
        data.cifar10("train" if name == "data_batch_3" else "test", copy)


def test_labels_above_nine_are_refused(binary, python, refuses):
    path = binary / "test_batch.bin"
    path.write_bytes(b"\x0a" + path.read_bytes()[1:])
    with refuses("labels above 9"):
        data.cifar10("test", binary)
    pixels, labels = batches()["test_batch"]
    (python / "test_batch").write_bytes(pickled(pixels, labels + 10))
    with refuses("labels are not numbers 0…9"):
        data.cifar10("test", python)


def test_a_folder_in_the_place_of_a_file_and_a_giant_are_refused(copy, refuses):
    (path,) = copy.glob("test_batch*")
    os.truncate(path, 10**9)  # takes no room on disk
    for other in copy.glob("data_batch*"):
        os.truncate(other, 10**9)
    with refuses("1,000,000,000 bytes, too many"):
        data.cifar10("test", copy)
    path.unlink()
    path.mkdir()
    with refuses("missing"):
        data.cifar10("test", copy)


# --- Pickles are not trusted ---------------------------------------------------------------------------------


def test_the_made_up_pickles_are_what_pickle_and_numpy_understand():
    pixels, labels = batches()["data_batch_1"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the old name of numpy's module, which is what the files say
        batch = pickle.loads(pickled(pixels, labels), encoding="bytes")
    assert np.array_equal(batch[b"data"], pixels)
    assert batch[b"labels"] == labels.tolist()


@pytest.mark.parametrize("protocol", [3, 4])
def test_pickles_that_today_s_numpy_writes_are_read_too(protocol):
    pixels, labels = batches()["data_batch_1"]
    read = read_batch(pickle.dumps({b"data": pixels, b"labels": labels.tolist()}, protocol))
    assert np.array_equal(read[0], pixels)
    assert np.array_equal(read[1], labels)


class Calls:
    def __init__(self, function: object, *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple:
        return self.function, self.arguments


def attacks(marker: Path) -> dict[str, object]:
    write = f"open({str(marker)!r}, 'w')"
    return {
        "shell": Calls(os.system, f"touch {marker}"),
        "eval": Calls(eval, write),
        "exec": Calls(exec, write),
        "open": Calls(open, str(marker), "w"),
        "copy": Calls(shutil.copy, __file__, str(marker)),
        "numpy": Calls(np.save, str(marker), [1]),
        "pickle": Calls(pickle.loads, pickle.dumps(Calls(eval, write))),
    }


@pytest.mark.parametrize("name", attacks(Path("marker")))
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_wants_to_run_something_is_refused_and_runs_nothing(name, protocol, python, tmp_path, refuses):
    marker = tmp_path / "marker"
    attack = pickle.dumps({b"data": attacks(marker)[name], b"labels": [1]}, protocol)
    (python / "test_batch").write_bytes(attack)
    with refuses("no batch of CIFAR-10's python layout (it wants to run "):
        data.cifar10("test", python)
    assert not list(tmp_path.glob("marker*"))
    pickle.loads(attack)
    assert list(tmp_path.glob("marker*"))  # the attack would have worked


def test_numpy_is_not_run_either_on_what_a_pickle_says(refuses):
    """ndarray(shape, dtype, buffer) over bytes of an attacker would make objects out of addresses."""
    hostile = pickle.dumps({b"data": Calls(np.ndarray, (1, 3072), "O", b"A" * 8 * 3072), b"labels": [1]})
    with pytest.raises(ValueError, match="pixels are not bytes of shape"):
        read_batch(hostile)


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ([1, 2], "no list of labels"),
        ({b"labels": []}, "labels are not numbers"),
        ({b"fine_labels": [3]}, "no list of labels"),  # CIFAR-100
        ({b"labels": [True]}, "labels are not numbers"),
        ({b"labels": ["cat"]}, "labels are not numbers"),
        ({b"labels": [1]}, "pixels are not bytes of shape (1, 3072)"),
        ({b"labels": [1], b"data": b"0" * 3072}, "pixels are not bytes"),
        ({b"labels": [1], b"data": np.zeros((2, 3072), np.uint8)}, "pixels are not bytes"),
        ({b"labels": [1], b"data": np.zeros((1, 3072))}, "pixels are not bytes"),
        ({b"labels": [1], b"data": np.zeros((1, 784), np.uint8)}, "pixels are not bytes"),
        ({b"labels": [1, 2], b"data": np.asfortranarray(np.zeros((2, 3072), np.uint8))}, "pixels are not bytes"),
    ],
)
def test_a_pickle_of_something_else_is_refused(batch, words, python, refuses):
    (python / "test_batch").write_bytes(pickle.dumps(batch, protocol=4))
    with refuses(words):
        data.cifar10("test", python)


@given(st.data())
def test_damaged_pickles_are_read_or_refused_but_never_end_otherwise(draw):
    raw = bytearray(pickled(*batches(n=2)["test_batch"]))
    heads = [*range(120), *range(len(raw) - 60, len(raw))]  # where the structure is, not the pixels
    for place in draw.draw(st.lists(st.sampled_from(heads), min_size=1, max_size=3)):
        raw[place] = draw.draw(st.integers(0, 255))
    try:
        pixels, labels = read_batch(bytes(raw))
    except ValueError:
        return
    assert pixels.shape == (len(labels), 3072)
