"""Seconds that one solved hand-in of every lab costs, behind walls and without: `python tests/seconds_a_hand_in.py`.

They are seconds on the clock, so run it on a machine that does nothing else; the trial before a round is not in them.
"""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import nbformat
from submissions import solved

from vqlab import labs
from vqlab.classroom import judge, walls
from vqlab.classroom.collect import HandIn
from vqlab.classroom.course import Course, write
from vqlab.classroom.release import release
from vqlab.classroom.sandbox import sandbox


def main() -> None:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; walls: {walls.best().says}")
    for lab in labs.every():
        with tempfile.TemporaryDirectory() as folder, sandbox(lab) as box:
            course, path = Course(Path(folder) / "course"), Path(folder) / "ada.ipynb"
            release(course, lab)
            write(path, nbformat.writes(solved(lab)))
            for name, chosen in (("with walls", box), ("without", replace(box, walls=walls.Walls("", "none")))):
                begun = time.monotonic()
                verdict = judge.judge(course, lab, HandIn("ada", path), chosen)
                marks = sum(one["marks"] for one in verdict.exercises.values())
                print(f"{lab.name} {name}: {time.monotonic() - begun:.1f} s, {marks} marks", flush=True)


if __name__ == "__main__":
    main()
