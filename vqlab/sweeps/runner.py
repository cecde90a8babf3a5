"""Compute the cells of an experiment, keep what is finished, store the whole, and check what is stored."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vqlab import LabError, __version__, measures
from vqlab.sweeps import stored as store
from vqlab.sweeps.experiment import Arrays, Experiment, describe


def run(experiment: Experiment, jobs: int = 1, folder: Path | None = None) -> Path:
    """Compute every cell that is not there yet, then write NAME.npz and NAME.json; return the .npz path.

    Each finished cell is written at once, so an interrupted or killed sweep goes on where it stopped.
    jobs: processes. A progress bar with the remaining time goes to stderr.
    Raises: LabError if the disk is full or not writable; finished cells are kept.
    """
    folder = folder or store.home()
    parts = folder / ".parts" / f"{experiment.name}-{experiment.fingerprint}"
    paths = [parts / f"cell-{i:05d}.npz" for i in range(len(experiment.cells))]
    try:
        parts.mkdir(parents=True, exist_ok=True)
        todo = [i for i, path in enumerate(paths) if _read_part(path) is None]
        finished = _compute(experiment, {i: paths[i] for i in todo}, jobs)
        for _ in tqdm(finished, experiment.name, total=len(paths), initial=len(paths) - len(todo), unit="cell"):
            pass
        stored = _write(experiment, [_read_part(path) for path in paths], folder)
    except BrokenProcessPool as error:
        raise LabError(
            "a process of the sweep was killed, most likely for want of memory: run the same command again with "
            "fewer --jobs, finished cells are kept"
        ) from error
    except OSError as error:
        raise LabError(
            f"could not write under {folder} ({error.strerror}): make room there and run the same command again, "
            "finished cells are kept"
        ) from error
    shutil.rmtree(parts)
    return stored


def check(experiment: Experiment, cells: int = 4, folder: Path | None = None) -> list[tuple[str, bool]]:
    """Retrain a random handful of stored cells and compare their headline numbers with the stored seeds.

    Returns one (sentence, agrees?) per cell and headline number.
    """
    stored = store.load(experiment.name, folder)
    rng = np.random.default_rng()
    chosen = rng.choice(len(experiment.cells), min(cells, len(experiment.cells)), replace=False)
    report = []
    for i in tqdm(chosen, f"checking {experiment.name}", unit="cell"):
        position = experiment.cells[i]
        fresh, old = experiment.run(position, experiment.seeds), stored.at(**position)
        where = ", ".join(f"{name} {value}" for name, value in position.items())
        for key in experiment.headline:
            new, was = final(fresh[key]), final(old[key])
            line = f"{where}: {key} {new.mean():.4g} ± {new.std():.2g}, stored {was.mean():.4g} ± {was.std():.2g}"
            report.append((line, measures.agrees(new, was)))
    return report


def final(values: np.ndarray) -> np.ndarray:
    """The last frame of (seeds, frames) values, one number a seed; (seeds,) values stay as they are."""
    return np.asarray(values, float).reshape(len(values), -1)[:, -1]


def _compute(experiment: Experiment, todo: dict[int, Path], jobs: int) -> Iterator[None]:
    if jobs == 1:
        for i, path in todo.items():
            yield _compute_cell(experiment.run, *_cell(experiment, i), path)
        return
    with ProcessPoolExecutor(jobs, initializer=_single_threaded) as pool:
        futures = [pool.submit(_compute_cell, experiment.run, *_cell(experiment, i), path) for i, path in todo.items()]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _single_threaded() -> None:
    import torch

    torch.set_num_threads(1)


def _cell(experiment: Experiment, i: int) -> tuple[dict, tuple[int, ...]]:
    return experiment.cells[i], experiment.seeds


def _compute_cell(train: Callable[..., Arrays], position: dict, seeds: Sequence[int], path: Path) -> None:
    started = time.perf_counter()
    arrays = train(position, seeds)
    seconds = np.array(time.perf_counter() - started)
    _atomic(path, partial(_savez, arrays=arrays | {"seconds": seconds}))


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


def _write(experiment: Experiment, cells: Sequence[Arrays], folder: Path) -> Path:
    shape = tuple(len(axis.values) for axis in experiment.axes)
    seconds = sum(float(cell.pop("seconds")) for cell in cells)
    arrays = {key: _stack([cell[key] for cell in cells]) for key in cells[0]}
    arrays = {key: array.reshape(*shape, *array.shape[1:]) for key, array in arrays.items()}  # (cells, …) -> (axes…, …)
    npz = folder / f"{experiment.name}.npz"
    _atomic(npz, lambda file: np.savez_compressed(file, **arrays))
    description = describe(experiment) | {
        "defined_in": getattr(experiment.run, "func", experiment.run).__module__,
        "sha256": hashlib.sha256(npz.read_bytes()).hexdigest(),
        "provenance": _provenance(experiment, seconds),
    }
    _atomic(npz.with_suffix(".json"), lambda file: file.write((json.dumps(description, indent=1) + "\n").encode()))
    return npz


def _stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """(cells, …), each array padded to the largest: NaN for floats, zero for the rest."""
    shape = np.max([a.shape for a in arrays], 0)
    padding = np.nan if arrays[0].dtype.kind == "f" else 0
    out = np.full((len(arrays), *shape), padding, arrays[0].dtype)
    for row, array in zip(out, arrays, strict=True):
        row[tuple(slice(n) for n in array.shape)] = array
    return out


def _atomic(path: Path, write: Callable) -> None:
    unfinished = path.with_name(path.name + ".partial")
    try:
        with open(unfinished, "wb") as file:
            write(file)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _provenance(experiment: Experiment, seconds: float) -> dict:
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return {
        "command": f"python -m vqlab sweep {experiment.name}",
        "date": time.strftime("%Y-%m-%d"),
        "core_seconds": round(seconds),
        "commit": commit.stdout.strip() or "unknown",
        "versions": {"vqlab": __version__}
        | {package: version(package) for package in ("torch", "numpy", "scikit-learn")},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
