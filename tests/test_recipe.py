"""CONTRIBUTING.md's recipe, walked: a lab is made in a copy of the repository, and no other file has to be touched."""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TINY = ROOT / "tests" / "tiny_lab"
ROW = "| [77 Tiny](labs/77_tiny.ipynb) | say what area a square has | 2 + 7 | [open](https://mybinder.org/v2/gh/{}) |\n"
RIGHT, WRONG = "return side * np.asarray(side)", "return 4 * side"


def commands(heading: str) -> list[str]:
    """The commands of a section of CONTRIBUTING.md, for lab 77 and the sweep of the tiny lab."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = re.search(r"^```sh\n(.*?)^```", section, re.M | re.S)[1].replace("NN", "77").replace("NAME", "tiny")
    return [line for line in lines.splitlines() if not line.startswith("#")]


class Copy:
    """A copy of what git tracks, in which commands find their own `vqlab`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in filter(None, tracked.stdout.split("\0")):
            if (ROOT / name).exists():  # else it was deleted, and that is not committed yet
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        self.run("git init --quiet")
        self.run("git add --all")
        self.run("git -c user.name=tests -c user.email=tests@localhost commit --quiet --message before")

    def run(self, command: str) -> str:
        command = command.replace(".venv/bin/python", shlex.quote(sys.executable))
        without = "-p no:cacheprovider -p no:xdist -p no:nbval"
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTEST_ADDOPTS": without}
        environment.pop("VQLAB_SWEEPS", None)
        done = subprocess.run(
            shlex.split(command), cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def touched(self) -> set[str]:
        """Files that are new or have changed since the copy was made, those that git ignores aside."""
        status = self.run("git status --porcelain --untracked-files=all")
        return {line[3:].strip('"') for line in status.splitlines()}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Copy:
    """With the tiny lab's folder and its row in the README: all that a person writes."""
    copy = Copy(tmp_path_factory.mktemp("recipe") / "vqlab")
    shutil.copytree(TINY, copy.folder / "vqlab" / "labs" / "lab77", ignore=shutil.ignore_patterns("__pycache__"))
    readme = copy.folder / "README.md"
    rows = [line for line in readme.read_text().splitlines(keepends=True) if line.startswith("| [0")]
    binder = re.search(r"mybinder\.org/v2/gh/(\S+?)labs/", rows[-1])[1]
    row = ROW.format(f"{binder}labs/77_tiny.ipynb")
    readme.write_text(readme.read_text().replace(rows[-1], rows[-1] + row))
    return copy


def test_a_new_lab_is_one_folder_and_one_row(copy):
    by_hand = {f"vqlab/labs/lab77/{path.name}" for path in TINY.glob("*.py")} | {"README.md"}
    assert copy.touched() == by_hand
    assert len(by_hand) == 6
    (sweep,) = commands("A new sweep")
    copy.run(sweep)
    *steps, release, grade = commands("A new lab")
    for step in steps:
        said = copy.run(step)
        if "pytest" in step:
            assert int(re.search(r"(\d+) passed", said)[1]) >= 15
            assert "skipped" not in said
    built = {"labs/77_tiny.ipynb", "data/sweeps/tiny.npz", "data/sweeps/tiny.json"}
    assert copy.touched() == by_hand | built
    copy.run(release)
    copy.run(".venv/bin/python -m vqlab.notebooks.build 77 --solved solved")
    right = (copy.folder / "solved" / "77_tiny.ipynb").read_text()
    assert RIGHT in right
    for student, text in (("ada", right), ("bob", right.replace(RIGHT, WRONG))):
        (copy.folder / "submissions" / student).mkdir(parents=True)
        (copy.folder / "submissions" / student / "77_tiny.ipynb").write_text(text)
    copy.run(grade)
    with (copy.folder / "course" / "marks_lab77.csv").open(encoding="utf-8-sig") as file:
        marks = {row["student"]: (row["status"], row["area"], row["to mark by hand"]) for row in csv.DictReader(file)}
    assert marks == {"ada": ("graded", "2", "tiles"), "bob": ("graded", "0", "tiles")}
