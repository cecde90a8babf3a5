"""The process that runs a student's code: it gets cells and questions, runs, answers and knows nothing else.

    python -m vqlab.exercises.worker

One line of JSON comes in, with everything to do (`main`); for every job one goes out. Each job has a process of its own
where the system can copy processes, so that what one does is gone before the next. Nothing is judged here.
"""

import contextlib
import ctypes
import importlib
import os
import select
import signal
import sys
import time
import types
from pathlib import Path
from typing import IO

import psutil

from vqlab.exercises import running, wire
from vqlab.exercises.running import Task, TooSlow, put, within

READY = {"ready": True}
_SUBREAPER, _DUMPABLE = 36, 4


def main() -> None:
    """Do what the line on stdin asks for.

    {"modules": names to import beforehand, "limits": {"bytes" of memory and "file" size of every process},
    "files": {name: text} for the working folder, "asked": {module: {name: what its function returns}} and "silent":
    {module: names of checks}, which stand in for exercises, "jobs": [{"name": of the exercise, "cells": [(label,
    source)], "task": fields of a Task, "questions": [arguments], "seconds": for a "cell", "questions" and "all"}]}
    """
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    order = wire.receive(incoming)
    incoming.close()
    _stand_in(order["asked"], order["silent"])
    for name in order["modules"]:
        importlib.import_module(name)
    shell = _shell()
    _limit(**order["limits"])
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # nobody reads what student's code writes
        os.dup2(nowhere, number)
    _send(outgoing, READY)
    # From here on everything may be a stranger's, also what is called psutil.py.
    for name, text in order["files"].items():
        Path(name).write_text(text, encoding="utf-8")
    sys.path.insert(0, "")
    for job in order["jobs"]:
        if hasattr(os, "fork"):
            _in_a_copy(shell, job, outgoing)
        else:
            _send(outgoing, {"said": wire.packed(_done(shell, job)).decode(), "late": False})


def _send(stream: IO[bytes], message: dict) -> None:
    stream.write(wire.packed(message))
    stream.flush()


def _done(shell, job: dict) -> dict:
    """Run the cells of a job and put its questions. errors: what cells stopped with, [label, name, text] each."""
    errors = []
    for label, source in job["cells"]:
        try:
            result = within(job["seconds"]["cell"], shell.run_cell, source)
            error = result.error_before_exec or result.error_in_exec
        except (TooSlow, Exception) as stopped:  # IPython passes on what it cannot print
            error = stopped
        if error is not None and not isinstance(error, NotImplementedError):
            text = f"ran longer than {job['seconds']['cell']:g} s" if isinstance(error, TooSlow) else str(error)
            errors.append([label, type(error).__name__, wire.clean(text, 200)])
    answer = shell.user_ns.get(job["name"])
    if answer is None or answer is Ellipsis:
        return {"errors": errors, "outcomes": None}
    task = Task(**job["task"] | {"asks": getattr(running, job["task"]["asks"])})
    outcomes = put(task, answer, job["questions"], job["seconds"]["questions"])
    return {"errors": errors, "outcomes": [wire.as_message(outcome) for outcome in outcomes]}


def _in_a_copy(shell, job: dict, outgoing: IO[bytes]) -> None:
    """Do a job in a copy of this process, and pass on the one line that it says through a pipe of its own."""
    inlet, outlet = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.setsid()
            os.close(outgoing.fileno())
            with os.fdopen(outlet, "wb") as pipe:
                _send(pipe, _done(shell, job))
        os._exit(0)
    os.close(outlet)
    said, end, status = b"", time.monotonic() + job["seconds"]["all"], None
    while not said.endswith(b"\n") and len(said) < wire.LONGEST and (left := end - time.monotonic()) > 0:
        if select.select([inlet], [], [], left)[0]:
            piece = os.read(inlet, 1 << 20)
            if not piece:
                break
            said += piece
    while status is None and time.monotonic() < end and not said:
        done, code = os.waitpid(child, os.WNOHANG)
        status = os.waitstatus_to_exitcode(code) if done else None
        time.sleep(0.005)
    os.close(inlet)
    _end_all()
    _send(outgoing, {"said": said.decode("ascii", "replace"), "late": not said and status is None})


def _end_all() -> None:
    """Kill whatever this process has started, directly or not."""
    while family := psutil.Process().children(recursive=True):
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _stand_in(asked: dict[str, dict], silent: dict[str, list[str]]) -> None:
    """In place of the modules that hold right answers: what this student is asked, and checks that say nothing."""
    for name, values in asked.items():
        module = types.ModuleType(name)
        vars(module).update({key: lambda value=value: value for key, value in values.items()})
        vars(module).update({key: lambda answer=None: None for key in silent[name]})
        sys.modules[name] = module
        parent, _, own = name.rpartition(".")
        setattr(importlib.import_module(parent), own, module)


def _shell():
    """What runs cells as a notebook does: magics, `await`, `display` and an `In` that nobody sees."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.colors = "NoColor"
    settings.InteractiveShell.banner1 = ""
    return InteractiveShell.instance(config=settings)


def _limit(bytes: int, file: int) -> None:
    with contextlib.suppress(OSError, AttributeError):  # the system has no such thing
        system = ctypes.CDLL(None)
        system.prctl(_SUBREAPER, 1, 0, 0, 0)  # orphans come back to this process, which ends them
        system.prctl(_DUMPABLE, 0, 0, 0, 0)  # nobody opens its streams or its memory
    try:
        import resource
    except ImportError:  # Windows
        return
    for limit, most in ((resource.RLIMIT_DATA, bytes), (resource.RLIMIT_FSIZE, file), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # too large a file is an OSError, not the end


if __name__ == "__main__":
    main()
