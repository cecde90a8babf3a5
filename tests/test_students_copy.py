"""The students' copy of the package: no right answers in it, and no public function that is one."""

import importlib
import inspect
import itertools
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest
from test_variants import offered

import vqlab
from vqlab import data, labs, sweeps
from vqlab.classroom import package
from vqlab.exercises import Exercise, variants
from vqlab.exercises.running import TooSlow, within

EVERY = labs.every()
every_lab = pytest.mark.parametrize("lab", EVERY, ids=[lab.name for lab in EVERY])
SECONDS = 20.0  # for one call: none that answers a question takes long

# What a student has in hand who is asked for a value: everything that a function may want, by the names of its
# arguments. The case is what the cell has printed.
HAND: dict[str, Callable[..., dict]] = {
    "healthy": lambda k, n: {"k": k, "codebook_size": k, "n": n, "draws": 20},
    "bend": lambda warmup, share: {"sweep": sweeps.load("tokens_collapse"), "warmup": warmup, "share": share},
    "merge_width": lambda activation, classes, layout, share: {
        "sweep": sweeps.load("embeddings_activation"),
        **{"activation": activation, "classes": classes, "layout": layout, "share": share, "level": share},
    },
    "spared": lambda width, codebook_size: {
        "sweep": sweeps.load("images_collapse"),
        **{"width": width, "codebook_size": codebook_size, "warmup": 0, "key": "perplexity"},
    },
    "modes": lambda slope, warmup, bits: {
        "variances": data.power_law_spectrum(32, slope),
        **{"slope": slope, "d": 32, "warmup": warmup, "time": warmup, "times": warmup, "bits": bits, "eps": 0.08},
    },
    "promised": lambda width, warmup, bits: {
        "sweep": sweeps.load("vqgan_warmup"),
        **{"width": width, "warmup": warmup, "bits": bits, "key": "perceptual"},
    },
}


def public(lab: labs.Lab) -> Iterator[tuple[str, Callable]]:
    """The functions of the package that measure, predict or read off, where students can import them."""
    ours = ("vqlab.theory", "vqlab.measures", "vqlab.quantizers", f"vqlab.labs.{lab.name}")
    for found in pkgutil.walk_packages(vqlab.__path__, "vqlab."):
        own = found.name.rpartition(".")[2]
        if found.name.startswith(ours) and own not in ("exercises", "answers") and not own[:2].isdigit():
            for name, function in inspect.getmembers(importlib.import_module(found.name), inspect.isfunction):
                if function.__module__ == found.name and not name.startswith("_"):
                    yield f"{found.name}.{name}", function


def by_name(function: Callable, hand: dict) -> dict | None:
    """The arguments of a call with what is in hand; None if something is missing."""
    wanted, given = inspect.signature(function).parameters.values(), {}
    for parameter in wanted:
        if parameter.kind is parameter.VAR_KEYWORD:
            axes = hand["sweep"].axes if "sweep" in hand else {}
            given |= {name: value for name, value in hand.items() if name in axes and name not in given}
        elif parameter.name in hand:
            given[parameter.name] = hand[parameter.name]
        elif parameter.default is parameter.empty:
            return None
    return given


def returned(function: Callable, *arguments: object, **named: object) -> list[np.ndarray]:
    """What a call returns, in the forms in which it may be an answer: as it is, its first entries, and means."""
    try:
        with np.errstate(all="ignore"):
            found = within(SECONDS, lambda: function(*arguments, **named))
        given = [found, *(found if isinstance(found, tuple) or getattr(found, "ndim", 0) else ())][:8]
        arrays = [np.asarray(one, float) for one in given]
    except (Exception, TooSlow):  # whatever is no answer
        return []
    return [*arrays, *(np.array(array.mean()) for array in arrays if array.size > 1)]


class Asked(NamedTuple):
    """What one student is asked: arguments and right answers of every question, and what is in hand for a value."""

    arguments: list[tuple]
    rights: list[tuple]
    hand: dict


def students(exercise: Exercise, asked: Callable, many: int) -> list[Asked]:
    """The first of them has the constants of the open lab, which functions may have been made for."""
    found = []
    for case, seed in list(offered(asked).items())[:many]:
        with variants.asking(seed):
            arguments = [question.arguments for question in exercise.questions(5)]
            rights = [exercise.parts(exercise.reference, given) for given in arguments]
        found.append(Asked(arguments, rights, HAND[exercise.name](*case) if exercise.is_value else {}))
    return found


def answers_value(function: Callable, exercise: Exercise, of: list[Asked]) -> bool:
    """Whether one call gives one of the things asked to two students, who have other answers."""
    given: list[int] = []
    for one in of:
        named = by_name(function, one.hand)
        found = [] if named is None else returned(function, **named)
        given += {p for p, right in enumerate(one.rights[0]) for array in found if exercise.same((), array, right)}
    return any(given.count(part) >= 2 for part in given)


def answers_function(function: Callable, exercise: Exercise, of: list[Asked]) -> bool:
    """Whether one call with some of the arguments gives one of the things asked, at every question of a student."""
    least = sum(parameter.default is parameter.empty for parameter in inspect.signature(function).parameters.values())
    every = range(len(exercise.task.names))
    orders = [order for n in (1, 2) if least <= n for order in itertools.permutations(every, n)]
    orders += [tuple(every[:n]) for n in range(max(3, least), len(every) + 1)]
    return any(always(function, exercise, one, order) for one in of for order in orders)


def always(function: Callable, exercise: Exercise, one: Asked, order: tuple[int, ...]) -> bool:
    """Whether these of the arguments, in this order, give one of the things asked at every question."""
    alike = set(range(len(one.rights[0])))
    for arguments, right in zip(one.arguments, one.rights, strict=True):
        found = returned(function, *(arguments[i] for i in order))
        alike = {p for p in alike if any(exercise.same(arguments, array, right[p]) for array in found)}
        if not alike:
            return False
    return True


@every_lab
def test_what_answers_a_students_own_question_in_one_call_is_withheld_and_nothing_else(lab):
    found, functions = {}, list(public(lab))
    for exercise_name, (asked, _) in lab.module("exercises").VARIANTS.items():
        exercise = lab.exercises()[exercise_name]
        answers, many = (answers_value, 5) if exercise.is_value else (answers_function, 2)
        of = students(exercise, asked, many)
        found |= {name: exercise_name for name, function in functions if answers(function, exercise, of)}
    names, held = ({name.rpartition(".")[2] for name in some} for some in (found, package.withheld(lab)))
    assert names == held, found


# What every copy imports is imported once; then each copy has a process of its own.
_LOOK = """
import importlib, os, pkgutil, sys, traceback
import IPython, ipywidgets, matplotlib.figure, scipy.stats, sklearn.neighbors, torch

def look(folder, withheld):
    sys.path.insert(0, folder)
    import vqlab
    assert vqlab.__file__.startswith(folder), vqlab.__file__
    for found in pkgutil.walk_packages(vqlab.__path__, "vqlab."):
        of_lab, last = found.name.startswith("vqlab.labs"), found.name.rpartition(".")[2]
        assert not of_lab or last not in ("exercises", "answers"), found.name
        importlib.import_module(found.name)
    for name in withheld:
        module, _, function = name.rpartition(".")
        try:
            getattr(importlib.import_module(f"vqlab.{module}"), function)(1, 2, n=3)
        except RuntimeError as error:
            assert "would answer for you" in str(error), error
        else:
            raise AssertionError(name)

sys.path = [path for path in sys.path if not os.path.exists(os.path.join(path, "vqlab"))]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__name__", "")]
assert "vqlab" not in sys.modules
for copy in sys.argv[1:]:
    folder, *withheld = copy.split()
    child = os.fork()
    if not child:
        try:
            look(folder, withheld)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, copy
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system copies no processes")
def test_every_copy_works_without_them_and_says_why(tmp_path):
    copies = [(package.copy(lab, tmp_path / lab.name), *package.withheld(lab)) for lab in EVERY]
    command = [sys.executable, "-c", _LOOK, *(" ".join(map(str, copy)) for copy in copies)]
    run = subprocess.run(command, env={"PATH": ""}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
