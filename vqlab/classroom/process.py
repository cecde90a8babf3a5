"""A process that runs strangers' code, watched from outside: what it sends, what it uses, and its end."""

import contextlib
import queue
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

import psutil

from vqlab.exercises import wire

_MOST_PROCESSES, _MOST_SENT = 100, 100_000_000
_STARTING, _ENDING = 120.0, 10.0  # seconds, on a busy machine
_LOOK = 0.01  # seconds between looks whether what was killed is gone


class MachineFault(Exception):
    """What says nothing about a hand-in: to be tried again once the machine is well."""


class Process:
    """A worker and all that it starts, watched. lines: what it sends, None when it ends."""

    def __init__(self, command: list[str], environment: dict, folder: Path, most_bytes: float, walled: bool) -> None:
        self.most_bytes, self.walled = most_bytes, walled
        self.says = tempfile.TemporaryFile()  # noqa: SIM115
        self._popen = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.says,
            start_new_session=True,
        )
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=_pump, args=(self._popen.stdout, self.lines), daemon=True).start()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        end, family = time.monotonic() + _ENDING, self.family()
        while family and time.monotonic() < end:
            for one in family:
                with contextlib.suppress(psutil.Error):
                    one.kill()
            time.sleep(_LOOK)
            family = list(filter(_runs, {*family, *self.family()}))
        self._popen.kill()
        self._popen.wait()
        self._popen.stdin.close()
        self.says.close()

    def start(self, order: bytes) -> None:
        """Hand over what is to be done and wait until it has begun. Raises: MachineFault if it does not."""
        with contextlib.suppress(OSError):
            self._popen.stdin.write(order)
            self._popen.stdin.flush()
        try:
            line = self.lines.get(timeout=_STARTING)
        except queue.Empty:
            line = None
        if line != b'{"ready": true}\n':
            self._popen.kill()
            self._popen.wait()
            self.says.seek(0)
            said = self.says.read(100_000).decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
            raise MachineFault(f"the process for hand-ins could not start ({said[-1][:200]})")

    def family(self) -> list[psutil.Process]:
        """The process and all that descend from it, the last first."""
        try:
            first = psutil.Process(self._popen.pid)
            return [*first.children(recursive=True)[::-1], first]
        except psutil.Error:
            return []

    def excess(self) -> str:
        """What it uses too much of, "" if nothing."""
        family, used = self.family(), 0
        if len(family) > _MOST_PROCESSES:
            return f"it started more than {_MOST_PROCESSES} processes"
        for process in family:
            with contextlib.suppress(psutil.Error):
                memory = process.memory_info()
                used += memory.rss - getattr(memory, "shared", 0)
        return f"it used more than {self.most_bytes / 1e9:g} GB of memory" if used > self.most_bytes else ""

    def killed_from_outside(self) -> bool:
        """Whether the wall itself was killed, which nothing inside can do."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(5)
        return self.walled and (self._popen.returncode or 0) < 0


def _runs(process: psutil.Process) -> bool:
    """Whether it is alive: one that has ended may be listed until its parent, or the system, asks for its end."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _pump(stream: IO[bytes], lines: queue.Queue) -> None:
    sent = 0
    with contextlib.suppress(OSError, ValueError):
        while line := stream.readline(wire.LONGEST):
            sent += len(line)
            if sent > _MOST_SENT:
                break
            lines.put(line)
    lines.put(None)
