"""The command `python -m vqlab sweep`: compute and store experiments, or check what is stored."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from vqlab import LabError

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from vqlab.sweeps import Experiment

INTERRUPTED = 130


def add_sweep(subcommands: argparse._SubParsersAction, experiments: Callable[[], Mapping[str, "Experiment"]]) -> None:
    """Add the command for the experiments, by name, that `experiments()` finds when it is run."""
    parser = subcommands.add_parser("sweep", help="compute and store the experiments behind the labs, or check them")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones (none: list their names)")
    parser.add_argument("--all", action="store_true", help="every experiment")
    parser.add_argument("--check", action="store_true", help="retrain a few stored cells, half with new seeds, compare")
    parser.add_argument("--partial", action="store_true", help="compute nothing, store the cells that are finished")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="compute on the workers of this Dask scheduler, as tcp://host:8786"
    )
    parser.set_defaults(run=partial(_run, find=experiments))


def _run(chosen: argparse.Namespace, find: Callable[[], Mapping[str, "Experiment"]]) -> int:
    experiments = find()
    names = list(experiments) if chosen.all else chosen.names
    if not names:
        raise LabError(f"no sweep was named: give --all, or one or more of {', '.join(experiments)}")
    if unknown := [name for name in names if name not in experiments]:
        raise LabError(f"no sweep is called {', '.join(unknown)}: choose from {', '.join(experiments)}")
    if chosen.jobs < 1:
        raise LabError(f"a sweep needs at least one process, got --jobs {chosen.jobs}")
    if chosen.check and chosen.partial:
        raise LabError("--check compares what is stored and --partial stores: give one of them at a time")
    if chosen.scheduler and (chosen.check or chosen.partial):
        raise LabError("--scheduler computes cells, and --check and --partial do not: leave it out")
    with _executor(chosen.scheduler) as executor:
        return _each(chosen, names, experiments, executor)


def _executor(scheduler: str | None) -> "AbstractContextManager[Executor | None]":
    if scheduler is None:
        return nullcontext()
    from vqlab.sweeps.cluster import workers_of

    return workers_of(scheduler)


def _each(
    chosen: argparse.Namespace,
    names: Sequence[str],
    experiments: Mapping[str, "Experiment"],
    executor: "Executor | None",
) -> int:
    from vqlab.sweeps import runner

    missed = 0
    for name in names:
        if chosen.check:
            for sentence, agrees in runner.check(experiments[name]):
                print(f"[{'OK' if agrees else 'DIFFERS'}] {name}: {sentence}")
                missed += not agrees
            continue
        if chosen.partial:
            print(f"stored what is finished of {runner.write_finished(experiments[name])}")
            continue
        try:
            print(f"stored {runner.run(experiments[name], chosen.jobs, executor=executor)}")
        except KeyboardInterrupt:
            print("Stopped; finished cells are kept, so the same command goes on from here.", file=sys.stderr)
            return INTERRUPTED
    return 1 if missed else 0
