"""Compute the cells of an experiment, keep what is finished, store the whole, and check what is stored."""

import json
import os
import platform
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vqlab import LabError, __version__, measures
from vqlab.files import write_atomically
from vqlab.inputs import whole
from vqlab.sweeps import stored as store
from vqlab.sweeps.experiment import Arrays, Experiment, describe
from vqlab.sweeps.threads import one_thread_for_good


def run(experiment: Experiment, jobs: int = 1, folder: Path | None = None, executor: Executor | None = None) -> Path:
    """Compute every cell that is not there yet, then write NAME.npz and NAME.json; return the .npz path.

    Each finished cell is written at once, so an interrupted or killed sweep goes on where it stopped.
    jobs: processes, which end with this one.   executor: computes the cells instead; see `sweeps.cluster`. It needs to
    see no file of this machine. A progress bar with the remaining time goes to stderr.
    Raises: LabError if the disk is full or not writable; finished cells are kept.
    """
    jobs = whole(jobs, "the number of processes, jobs,")
    folder = folder or store.home()
    parts, paths = _parts(experiment, folder)
    try:
        parts.mkdir(parents=True, exist_ok=True)
        todo = [i for i, path in enumerate(paths) if _read_part(path) is None]
        finished = _compute(experiment, todo, jobs, executor)
        for i, cell in tqdm(finished, experiment.name, total=len(paths), initial=len(paths) - len(todo), unit="cell"):
            write_atomically(paths[i], partial(_savez, arrays=cell))
        stored = _write(experiment, [_read_part(path) for path in paths], folder)
    except BrokenProcessPool as error:
        raise LabError(
            "a process of the sweep was killed, most likely for want of memory: run the same command again with "
            "fewer --jobs, finished cells are kept"
        ) from error
    except OSError as error:
        raise LabError(
            f"could not write under {folder} ({error.strerror}): make room there, or set VQLAB_SWEEPS to another "
            "folder, and run the same command again, finished cells are kept"
        ) from error
    shutil.rmtree(parts)
    return stored


def write_finished(experiment: Experiment) -> Path:
    """Write NAME.npz and NAME.json from the cells of an unfinished sweep, which can go on afterwards.

    The other cells are NaN (or zero, for whole numbers), and the .json says which are stored.
    Raises: LabError if no cell is finished, or the disk is full or not writable.
    """
    folder = store.home()
    _, paths = _parts(experiment, folder)
    cells = [_read_part(path) for path in paths]
    if not any(cells):
        raise LabError(
            f"no cell of {experiment.name} is finished in {folder}: start it with "
            f"`python -m vqlab sweep {experiment.name}` first"
        )
    try:
        return _write(experiment, cells, folder)
    except OSError as error:
        raise LabError(f"could not write under {folder} ({error.strerror}): make room there and try again") from error


def check(experiment: Experiment, cells: int = 4, folder: Path | None = None) -> list[tuple[str, bool]]:
    """Retrain a random handful of stored cells and compare their headline numbers with those stored.

    Every second cell is trained with seeds that nobody has seen: the stored ones could be lucky.
    Returns one (sentence, agrees?) per cell and headline number.
    """
    stored = store.load(experiment.name, folder)
    there = np.flatnonzero(stored.finished)
    chosen = np.random.default_rng().choice(there, min(cells, len(there)), replace=False)
    after = max(experiment.seeds) + 1
    fresh_seeds = tuple(range(after, after + len(experiment.seeds)))
    report = []
    for turn, i in enumerate(tqdm(chosen, f"checking {experiment.name}", unit="cell")):
        position = experiment.cells[i]
        seeds = fresh_seeds if turn % 2 else experiment.seeds
        which = f"with new seeds {seeds[0]}…{seeds[-1]}" if turn % 2 else "with the same seeds"
        fresh, old = experiment.run(position, seeds), stored.at(**position)
        where = ", ".join(f"{name} {value}" for name, value in position.items())
        for key in experiment.headline:
            new, was = final(fresh[key]), final(old[key])
            line = (
                f"{where}, {which}: {key} {new.mean():.4g} ± {new.std():.2g}, stored {was.mean():.4g} ± {was.std():.2g}"
            )
            report.append((line, measures.agrees(new, was)))
    return report


def final(values: np.ndarray) -> np.ndarray:
    """The last frame of (seeds, frames) values, one number a seed; (seeds,) values stay as they are."""
    return np.asarray(values, float).reshape(len(values), -1)[:, -1]


def _parts(experiment: Experiment, folder: Path) -> tuple[Path, list[Path]]:
    """Where finished cells are kept until all are: the folder, and a file for each cell."""
    parts = folder / ".parts" / f"{experiment.name}-{experiment.fingerprint}"
    return parts, [parts / f"cell-{i:05d}.npz" for i in range(len(experiment.cells))]


def _compute(
    experiment: Experiment, todo: Sequence[int], jobs: int, executor: Executor | None
) -> Iterator[tuple[int, Arrays]]:
    """Each cell's index and arrays, as they are finished."""
    if executor is None and jobs == 1:
        for i in todo:
            yield i, _compute_cell(experiment.run, *_cell(experiment, i))
        return
    own = ProcessPoolExecutor(jobs, initializer=_start_worker, initargs=(os.getpid(),)) if executor is None else None
    with own or nullcontext(executor) as pool:
        futures = {pool.submit(_compute_cell, experiment.run, *_cell(experiment, i)): i for i in todo}
        try:
            for future in as_completed(list(futures)):
                yield futures.pop(future), future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            pool.shutdown(wait=False)
            raise


def _start_worker(parent: int) -> None:
    """One thread a process; and whoever kills the sweep, even with kill -9, ends its processes within a second."""
    one_thread_for_good()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _cell(experiment: Experiment, i: int) -> tuple[dict, tuple[int, ...]]:
    return experiment.cells[i], experiment.seeds


def _compute_cell(train: Callable[..., Arrays], position: dict, seeds: Sequence[int]) -> Arrays:
    started = time.process_time()  # of the core, so that it does not matter what else the machine did
    arrays = train(position, seeds)
    return arrays | {"seconds": np.array(time.process_time() - started)}


def _savez(file, arrays: Arrays) -> None:
    np.savez(file, **arrays)


def _read_part(path: Path) -> Arrays | None:
    """A finished cell; None if it is not there or damaged, and so must be computed again."""
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, EOFError, zipfile.BadZipFile):
        return None


def _write(experiment: Experiment, cells: Sequence[Arrays | None], folder: Path) -> Path:
    shape = tuple(len(axis.values) for axis in experiment.axes)
    finished = [cell for cell in cells if cell is not None]
    seconds = sum(float(cell.pop("seconds")) for cell in finished)
    nothing = {key: np.empty((0,) * array.ndim, array.dtype) for key, array in finished[0].items()}
    arrays = {key: _stack([(cell or nothing)[key] for cell in cells]) for key in nothing}
    arrays = {key: array.reshape(*shape, *array.shape[1:]) for key, array in arrays.items()}  # (cells, …) -> (axes…, …)
    npz = folder / f"{experiment.name}.npz"
    write_atomically(npz, lambda file: np.savez_compressed(file, **arrays))
    description = describe(experiment) | {
        "defined_in": getattr(experiment.run, "func", experiment.run).__module__,
        "provenance": provenance(f"python -m vqlab sweep {experiment.name}") | {"core_seconds": round(seconds)},
    }
    if len(finished) < len(cells):
        description["finished"] = [cell is not None for cell in cells]
    description["sha256"] = store.digest(npz.read_bytes(), description)
    text = json.dumps(description, indent=1) + "\n"
    write_atomically(npz.with_suffix(".json"), lambda file: file.write(text.encode()))
    return npz


def _stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """(cells, …), each array padded to the largest: NaN for floats, zero for the rest."""
    shape = np.max([a.shape for a in arrays], 0)
    padding = np.nan if arrays[0].dtype.kind == "f" else 0
    out = np.full((len(arrays), *shape), padding, arrays[0].dtype)
    for row, array in zip(out, arrays, strict=True):
        row[tuple(slice(n) for n in array.shape)] = array
    return out


def provenance(command: str) -> dict:
    """By which command, when, from which commit, with which versions and on what machine something is being made."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return {
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() or "unknown",
        "versions": {"vqlab": __version__}
        | {package: version(package) for package in ("torch", "numpy", "scikit-learn")},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
