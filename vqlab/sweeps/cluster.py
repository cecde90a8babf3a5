"""The cells of a sweep on the workers of a Dask scheduler, on this machine or on many."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from vqlab import LabError

_TIMEOUT = 20


@contextmanager
def workers_of(address: str) -> Iterator[Executor]:
    """An executor for `runner.run` that computes on the workers of the scheduler at `address`, as "tcp://host:8786".

    Workers need this vqlab installed, one thread each, and no disk in common. What a worker that dies was computing
    is computed by another one. Those of a broken-off sweep are told to stop.
    Raises: LabError if the package distributed is missing, nobody answers there, or a cell has killed several workers.
    """
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise LabError("sweeps on a cluster need Dask: pip install 'vqlab[cluster]'") from None
    try:
        client = Client(address, timeout=_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split()).replace(". ", ", ")[:150]
        raise LabError(
            f"no Dask scheduler answers at {address} ({reason}): start one with `dask scheduler` and give the address "
            "that it prints"
        ) from None
    with client, client.get_executor(pure=False) as executor:
        try:
            yield executor
        except KilledWorker:
            raise LabError(
                "a cell of the sweep has killed several workers, most likely for want of memory: give them more and "
                "run the same command again, finished cells are kept"
            ) from None
