"""Run the quick tests with the oldest versions of packages that pyproject.toml promises, or with the newest there are.

    python tests/versions.py oldest                        in a new environment, .venv-oldest
    python tests/versions.py newest -k lab00 tests         further words go to pytest
    python tests/versions.py newest --python python3.13    by another Python than this one
    python tests/versions.py oldest --torch torch==2.13.0  where the promised PyTorch is not to be had

The tools of the tests, and JupyterLab with its own, stay as they are pinned, but for those built on PyTorch: beside
the oldest they are the newest that go with it.
"""

import argparse
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_BUILT_ON_TORCH = ("lightning-fabric", "vector-quantize-pytorch")
_OF_THE_TIME = {"oldest": ["scipy==1.14.*"], "newest": []}  # scikit-learn takes any, and warns of later ones
_QUICK = ["--ignore", "tests/browser"]


def promised(versions: str) -> dict[str, str]:
    """Package -> requirement for all that vqlab itself needs: the oldest release series, or the newest."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    bounds = dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", line).groups() for line in dependencies)
    return {name: f"{name}=={least}.*" if versions == "oldest" else name for name, least in bounds.items()}


def tools(without: set[str], versions: str) -> list[str]:
    """The pinned requirements of labs and tests, those of `without` left out."""
    lines = [line for path in ("", "tests/") for line in (ROOT / path / "requirements.txt").read_text().splitlines()]
    pinned = [line.partition("#")[0].strip() for line in lines]
    wanted = [line for line in pinned if line and line.partition("==")[0] not in without]
    free = _BUILT_ON_TORCH if versions == "oldest" else ()
    return [name if (name := line.partition("==")[0]) in free else line for line in wanted]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("versions", choices=["oldest", "newest"])
    parser.add_argument("--torch", help="a requirement instead of that of pyproject.toml")
    parser.add_argument("--python", default=sys.executable, help="that of the new environment")
    options, words = parser.parse_known_args()
    own = promised(options.versions)
    if options.torch:
        own["torch"] = options.torch
    folder = ROOT / f".venv-{options.versions}"
    subprocess.run([options.python, "-m", "venv", "--clear", folder], check=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*install, *own.values(), *tools(own.keys(), options.versions), *_OF_THE_TIME[options.versions], "-e", ROOT],
        check=True,
    )
    freeze = [python, "-m", "pip", "list", "--disable-pip-version-check"]
    listed = subprocess.run(freeze, capture_output=True, text=True, check=True).stdout
    print(*(line for line in listed.splitlines() if line.split()[0] in own), sep="\n", flush=True)
    programs = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])
    return subprocess.run(
        [python, "-m", "pytest", *_QUICK, *words], cwd=ROOT, env=os.environ | {"PATH": programs, "OMP_NUM_THREADS": "1"}
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
