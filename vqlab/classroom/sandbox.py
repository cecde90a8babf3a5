"""Put questions to a hand-in that runs in a process of its own, behind walls and within limits, and get its answers."""

import contextlib
import queue
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vqlab import LabError
from vqlab.classroom import package
from vqlab.classroom.process import MachineFault, Process
from vqlab.classroom.slicing import Cell
from vqlab.classroom.walls import Walls, best
from vqlab.exercises import Exercise, wire
from vqlab.exercises.checks import Question
from vqlab.exercises.running import Outcome
from vqlab.files import repository
from vqlab.labs import Lab

MINUTES, GIGABYTES = 1.0, 2.5  # for one exercise, and for one hand-in
_SECONDS = 20.0  # for its questions: four times what a student's own check allows, for this machine may be busy
_FILE = 200_000_000  # bytes of one file, and of all files within walls
_LOOK = 0.1  # seconds between looks at what a hand-in uses
_KILLED = "its process was killed: by its own code, or for want of memory"
_ENDED = "its code ended the process before it answered: did it run out of memory, or call os._exit?"
_GARBLED = "what its process sent is no answer"


@dataclass(frozen=True)
class Job:
    """One exercise of one student: the cells that have to run, and what is then asked."""

    exercise: Exercise
    cells: Sequence[Cell]
    questions: Sequence[Question]


@dataclass(frozen=True)
class Reply:
    """What came of a job: an outcome for every question, None if the name holds nothing; and what cells stopped with.

    problem: why there are no outcomes, "" if there are.
    """

    outcomes: list[Outcome] | None = None
    errors: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Sandbox:
    """A lab's place for running hand-ins.

    package: the students' copy of vqlab.   minutes: for one exercise.   seconds: for all its questions together.
    gigabytes: for all that runs at a time.
    """

    lab: Lab
    package: Path
    walls: Walls
    minutes: float = MINUTES
    seconds: float = _SECONDS
    gigabytes: float = GIGABYTES

    def ask(self, jobs: Sequence[Job], asked: Mapping[str, object], files: Mapping[str, str]) -> list[Reply]:
        """The reply to every job. asked: what functions of the lab's exercises return for this student.

        files: text of what lies in the working folder, by name.
        Raises: MachineFault if the process could not start, or was killed from outside.
        """
        replies: list[Reply] = []
        tried_again = False
        while len(replies) < len(jobs):
            before = len(replies)
            with self._process(jobs[before:], asked, files) as process:
                problem = _collect(process, jobs[before:], replies, self.minutes * 60 + _LOOK)
            if problem is None:
                continue
            if not tried_again and problem == _KILLED:  # by the machine, perhaps: what follows a second time is its own
                tried_again = True
                continue
            replies.append(Reply(problem=problem))
        return replies

    @contextlib.contextmanager
    def _process(self, jobs: Sequence[Job], asked: Mapping[str, object], files: Mapping[str, str]) -> Iterator[Process]:
        module = f"vqlab.labs.{self.lab.name}.exercises"
        text = "\n".join(cell.source for job in jobs for cell in job.cells)
        needs_torch = "torch" in text or any(job.exercise.tensors for job in jobs)
        order = {
            "modules": ["numpy", *(["torch"] if needs_torch else [])],
            "limits": {"bytes": int(self.gigabytes * 1e9), "file": _FILE},
            "files": dict(files),
            "asked": {module: dict(asked)},
            "silent": {module: list(self.lab.exercises())},
            "jobs": [_message(job, self.minutes * 60, self.seconds) for job in jobs],
        }
        root = repository()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            words = ["-s", "-m", "vqlab.exercises.worker"]
            command, environment, folder = self.walls.command(
                words, self.package, root / "data" if root else None, Path(home), _FILE
            )
            with Process(command, environment, folder, self.gigabytes * 1e9, bool(self.walls.bwrap)) as process:
                process.start(wire.packed(order))
                yield process


@contextlib.contextmanager
def sandbox(lab: Lab, minutes: float = MINUTES, gigabytes: float = GIGABYTES) -> Iterator[Sandbox]:
    """A place for running hand-ins to a lab, gone afterwards. minutes: for one exercise.   gigabytes: in all.

    Raises: LabError if there is no room for it among the temporary files.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            copied = package.copy(lab, Path(folder))
        except OSError as error:  # one that holds the errors of all files has hundreds of lines
            raise LabError(
                f"grading cannot start, for {Path(folder).parent} takes no more temporary files: make room there, or "
                "set TMPDIR to a folder that has some"
            ) from error
        yield Sandbox(lab, copied, best(), minutes, gigabytes=gigabytes)


def _collect(process: Process, jobs: Sequence[Job], replies: list[Reply], patience: float) -> str | None:
    """Append the replies to jobs as they come. Returns: None if all came, else why the next one did not."""
    too_long = f"it ran longer than {patience / 60:.2g} minutes"
    for job in jobs:
        end, line = time.monotonic() + patience + 5, b""
        while not line:
            if problem := process.excess():
                return problem
            with contextlib.suppress(queue.Empty):
                line = process.lines.get(timeout=_LOOK)
            if line is None:
                if process.killed_from_outside():
                    raise MachineFault("the process of a hand-in was killed, most likely for want of memory")
                return _KILLED
            if time.monotonic() > end:
                return too_long
        try:
            message = wire.unpacked(line)
            late, said = message["late"], str(message["said"]).encode()
        except (wire.Garbled, TypeError, KeyError, ValueError):
            return _GARBLED
        if late or not said:
            replies.append(Reply(problem=too_long if late else _ENDED))
        else:
            replies.append(_reply(job, said))
    return None


def _reply(job: Job, said: bytes) -> Reply:
    """What a line from a student's process says."""
    try:
        message = wire.unpacked(said)
        errors = tuple(f"{label} stopped with {name}: {text}" for label, name, text in message["errors"])
        errors = tuple(wire.clean(error, 300).rstrip(": ") for error in errors[:10])
        if message["outcomes"] is None:
            return Reply(None, errors)
        things = len(job.exercise.returns) or 1
        outcomes = [wire.as_outcome(one, things) for one in message["outcomes"]]
        return Reply(outcomes, errors) if len(outcomes) == len(job.questions) else Reply(problem=_GARBLED)
    except (wire.Garbled, TypeError, KeyError, ValueError):
        return Reply(problem=_GARBLED)


def _message(job: Job, patience: float, seconds: float) -> dict:
    task = job.exercise.task
    return {
        "name": job.exercise.name,
        "cells": [[cell.label, cell.source] for cell in job.cells],
        "task": {**vars(task), "names": task.names, "asks": task.asks.__name__},
        "questions": [question.arguments for question in job.questions],
        # What comes after an endless loop in a cell may still be right.
        "seconds": {"cell": patience / 3, "questions": seconds, "all": patience},
    }
