"""Grade one submission in a process of its own, so that whatever it does ends with it."""

import multiprocessing
import os
import sys
from pathlib import Path

import psutil
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config, PyFileConfigLoader

from vqlab.classroom.course import Assignment, Course

FEEDBACK = ("generate_feedback",)
GRADING = ("autograde", *FEEDBACK)  # what nbgrader calls the steps
if sys.platform == "win32":
    _PROCESSES = multiprocessing.get_context("spawn")
else:  # a server that has read nbgrader's modules once; each submission starts as a copy of it
    _PROCESSES = multiprocessing.get_context("forkserver")
    _PROCESSES.set_forkserver_preload([__name__])


def run(
    course: Course, one: Assignment, student: str, minutes: float, gigabytes: float, steps: tuple[str, ...] = GRADING
) -> str:
    """Autograde the student's submission and write feedback, within limits; returns why that failed, "" if it did not.

    steps: GRADING, or FEEDBACK to write only that anew.
    The memory limit holds for every process of the submission, and on Linux only.
    """
    log = course.folder.resolve() / "logs" / f"{one.name} {student}.txt"
    log.parent.mkdir(exist_ok=True)
    process = _PROCESSES.Process(target=_grade, args=(course, one, student, gigabytes, steps, log))
    process.start()
    try:
        process.join(60 * minutes)
        in_time, status = not process.is_alive(), process.exitcode
    finally:
        _end(process.pid)
        process.join()
    if not in_time:
        return f"it ran longer than {minutes:g} minutes and was stopped"
    if status == 0:
        log.unlink()
        return ""
    said = log.read_text(encoding="utf-8", errors="replace")
    if "DeadKernelError" in said or "Kernel died" in said:
        return "its code ended the kernel: it ran out of memory or called os._exit; ask the student to run all cells"
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    return f"nbgrader could not grade it ({last[:160]}): see logs/{log.name}"


def _grade(course: Course, one: Assignment, student: str, gigabytes: float, steps: tuple, log: Path) -> None:
    with log.open("w", encoding="utf-8") as file:
        for number in (1, 2):  # what the kernel inherits, not only what Python calls stdout and stderr
            os.dup2(file.fileno(), number)
        _limit_memory(gigabytes)
        folder = str(course.folder.resolve())
        config = Config(PyFileConfigLoader("nbgrader_config.py", path=folder).load_config())
        config.CourseDirectory.root = folder
        api = NbGraderAPI(config=config)
        for step in steps:
            done = getattr(api, step)(one.name, student, force=True)
            print(done.get("log", ""), done.get("error", ""))
            if not done["success"]:
                sys.exit(1)


def _limit_memory(gigabytes: float) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit; its submissions share the machine's memory
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
