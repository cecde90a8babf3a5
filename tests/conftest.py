"""What every test shares: one thread, the order of groups, how a refusal must read, one run of each lab.

The process that hands out the tests, and those that only drive a browser, need no PyTorch: it is imported where it is
used.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vqlab import LabError

if TYPE_CHECKING:
    import executed

os.environ["OMP_NUM_THREADS"] = "1"

# Tests of these modules share one walk through, one course for, one page of or one execution of each lab.
_BY_LAB = {
    "test_explorers": "walk",
    "test_predictions": "walk",
    "test_grading": "course",
    "test_labs": "page",
    "test_binder": "solved",
    "test_notebooks": "solved",
    "test_rerun": "solved",
}
# A worker that begins with the longest of them does not end long after the other.
_LONGEST_FIRST = (
    "test_grading",
    "test_recipe",
    "test_explorers",
    "test_predictions",
    "test_mutants",
    "test_binder",
    "page 04",
    "page 02",
    "page 01",
    "test_widgets",
    "page 03",
    "page 05",
    "page 00",
)


def group(name: str) -> str:
    """What a worker runs together with a test of this name (node id): its module, or in some modules one lab of it."""
    module, lab = Path(name.split("::")[0]).stem, re.search(r"\[(?:lab)?(\d\d)", name)
    return f"{_BY_LAB[module]} {lab[1]}" if lab and module in _BY_LAB else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Hand out groups to the workers with `--dist loadscope`; with `--no-loadscope-reorder` in the order of tests."""
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = group  # its documented place for groups of one's own; loadgroup needs pytest < 9
    return scheduler


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest modules and groups first."""

    def place(item: pytest.Item) -> int:
        places = [_LONGEST_FIRST.index(name) for name in (item.path.stem, group(item.nodeid)) if name in _LONGEST_FIRST]
        return min(places, default=len(_LONGEST_FIRST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def refuses() -> Callable:
    """`with refuses("words"):` the block must raise LabError with one short sentence that holds these words."""

    @contextmanager
    def check(words: str) -> Iterator[None]:
        with pytest.raises(LabError) as caught:
            yield
        message = str(caught.value)
        assert words in message
        assert "\n" not in message
        assert ". " not in message
        assert len(message) < 400

    return check


@pytest.fixture
def no_cifar10(monkeypatch, tmp_path_factory) -> Path:
    """As on a machine that has no CIFAR-10, whatever is on this one. Returns the empty cache folder."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.delenv("VQLAB_DATA", raising=False)
    monkeypatch.setattr("vqlab.data.cifar.cache_folder", lambda: cache)
    return cache


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all workers of this test session share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def run_solved(shared) -> Callable[..., "executed.Run"]:
    """`run_solved(lab)`: the solved notebook of a lab, executed once for the whole session."""
    import executed

    return partial(executed.solved, shared=shared)
