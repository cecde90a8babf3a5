"""Run nbgrader on one hand-in in a process of its own, so that whatever it does ends with it."""

import multiprocessing
import os
import re
import sys
from pathlib import Path

import psutil
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config, PyFileConfigLoader

from vqlab.classroom.course import Course
from vqlab.labs import Lab

MINUTES, GIGABYTES = 10.0, 2.5
FEEDBACK = ("generate_feedback",)
GRADING = ("autograde", *FEEDBACK)  # what nbgrader calls the steps
_NO_ROOM = re.compile("No space left on device|Disk quota exceeded|disk is full|database is locked")
_MACHINE = 75  # the exit status that sendmail has for "try again later"; a log may not fit on the disk
if sys.platform == "win32":
    _PROCESSES = multiprocessing.get_context("spawn")
else:  # a server that has read nbgrader's modules once; each hand-in starts as a copy of it
    _PROCESSES = multiprocessing.get_context("forkserver")
    _PROCESSES.set_forkserver_preload([__name__])


class MachineFault(Exception):
    """What says nothing about a hand-in: to be tried again once the machine is well."""


def run(
    course: Course,
    lab: Lab,
    student: str,
    minutes: float = MINUTES,
    gigabytes: float = GIGABYTES,
    steps: tuple[str, ...] = GRADING,
    root: Path | None = None,
) -> str:
    """Take nbgrader's `steps` on a student's hand-in, within limits; returns why that failed, "" if it did not.

    root: where the hand-in lies, and what becomes of it; default: the course. Marks go to the course's gradebook.
    The memory limit holds for every process of the hand-in, and on Linux only.
    Raises: MachineFault if the disk was full or the process was killed from outside.
    """
    home = course.folder.resolve()
    log = home / "logs" / f"{lab.name} {student or 'release'}.txt"
    log.parent.mkdir(exist_ok=True)
    config = Config(PyFileConfigLoader("nbgrader_config.py", path=str(home)).load_config())
    config.CourseDirectory.root = str((root or home).resolve())
    config.CourseDirectory.db_url = f"sqlite:///{home / 'gradebook.db'}"
    process = _PROCESSES.Process(target=_work, args=(config, lab, student, gigabytes, steps, log))
    process.start()
    try:
        process.join(60 * minutes)
        in_time, status = not process.is_alive(), process.exitcode
    finally:
        _end(process.pid)
        process.join()
    if not in_time:
        return f"it ran longer than {minutes:g} minutes and was stopped"
    return _failure(status, log)


def _failure(status: int, log: Path) -> str:
    """Why a process failed, from its exit status and its log; "" if it did not."""
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    if status == 0:
        log.unlink(missing_ok=True)
        return ""
    if status < 0:
        raise MachineFault(f"its process was killed (signal {-status}), most likely for want of memory")
    if status == _MACHINE:
        raise MachineFault("the disk is full, or another program holds the gradebook")
    if "DeadKernelError" in said or "Kernel died" in said:
        return "its code ended the kernel: it ran out of memory or called os._exit; ask the student to run all cells"
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    return f"nbgrader could not grade it ({last[:160]}): see logs/{log.name}"


def _work(config: Config, lab: Lab, student: str, gigabytes: float, steps: tuple[str, ...], log: Path) -> None:
    with log.open("w", encoding="utf-8") as file:
        for number in (1, 2):  # what the kernel inherits, not only what Python calls stdout and stderr
            os.dup2(file.fileno(), number)
        _limit_memory(gigabytes)
        # nbgrader calls alembic by name, whether this environment was activated or not.
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        api = NbGraderAPI(config=config)
        for step in steps:
            done = getattr(api, step)(lab.name, *([student] if student else []), force=True)
            said = f"{done.get('log', '')} {done.get('error', '')}"
            if not done["success"] and _NO_ROOM.search(said):
                sys.exit(_MACHINE)
            print(said)
            if not done["success"]:
                sys.exit(1)


def _limit_memory(gigabytes: float) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit; its hand-ins share the machine's memory
        return
    limit = int(gigabytes * 1e9)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _end(pid: int) -> None:
    """Stop the process and its kernel, which lives in a session of its own and survives its parent."""
    try:
        worker = psutil.Process(pid)
        family = [*worker.children(recursive=True), worker]
    except psutil.NoSuchProcess:
        return
    for process in family:
        if process.is_running():
            process.kill()
