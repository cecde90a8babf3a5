"""A round of grading that is killed again and again ends in the same marks as one that is left alone.

    python tests/killed_rounds.py [--students 60] [--kills 10] [--lab 00]

It prints both times and the number of kills; it fails if a single mark differs.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from submissions import fill

from vqlab import labs
from vqlab.classroom.course import Course
from vqlab.classroom.release import release
from vqlab.labs import Lab


def marks(course: Course, lab: Lab, submissions: Path, kill_after: float | None = None) -> str | None:
    """Grade in a process of its own. Returns: the table of marks, None if it was killed after so many seconds."""
    command = [sys.executable, "-m", "vqlab", "grade", lab.number, str(submissions), "--course", str(course.folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    try:
        _, said = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return None
    if process.returncode:
        raise RuntimeError(said.decode()[-500:])
    return (course.folder / f"marks_{lab.name}.csv").read_text(encoding="utf-8")


def compare(folder: Path, lab: Lab, students: int, kills: int) -> tuple[float, int]:
    """Grade the same hand-ins undisturbed and killed. Returns: seconds undisturbed, and how often it was killed."""
    left_alone, killed, submissions = Course(folder / "a"), Course(folder / "b"), folder / "submissions"
    release(left_alone, lab)
    shutil.copytree(left_alone.folder, killed.folder)  # the same secret, so the same instances
    submissions.mkdir()
    fill(submissions, lab, students)
    begun = time.monotonic()
    expected = marks(left_alone, lab, submissions)
    seconds = time.monotonic() - begun
    done = 0
    for _ in range(kills):
        done += marks(killed, lab, submissions, random.uniform(0.4, 1.2) * seconds / kills) is None
    found = marks(killed, lab, submissions)
    assert expected.count(",graded,") == students - 4
    assert found == expected, f"{expected}\n{found}"
    return seconds, done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--lab", default="00")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lab = labs.find(options.lab)
        seconds, killed = compare(Path(folder), lab, options.students, options.kills)
    print(f"{options.students} hand-ins to {lab.name} in {seconds:.0f} s; killed {killed} times, the same marks")


if __name__ == "__main__":
    main()
