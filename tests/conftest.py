"""What every test shares: one thread, steady hypothesis examples, how a refusal must read, one run of each lab."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import executed
import hypothesis
import pytest
import torch

from vqlab import LabError

torch.set_num_threads(1)
hypothesis.settings.register_profile("lab", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("lab")

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
# A worker that begins with its longest tests does not end long after the other.
_LONGEST_FIRST = ("test_grading", "test_recipe", "test_explorers", "test_predictions", "test_mutants", "test_binder")


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
    """Put the longest modules first."""
    modules = list(_LONGEST_FIRST)
    items.sort(key=lambda item: modules.index(item.path.stem) if item.path.stem in modules else len(modules))


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
def run_solved(shared) -> Callable[..., executed.Run]:
    """`run_solved(lab)`: the solved notebook of a lab, executed once for the whole session."""
    return partial(executed.solved, shared=shared)
