"""Installed as a library, outside the repository: stored sweeps come along, and the doctor asks for no Jupyter."""

import os
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from vqlab import sweeps

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds nothing but vqlab, installed from a wheel."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    source = folder / "source"  # a build leaves files behind, which do not belong in the repository
    subprocess.run(["git", "clone", "-q", ROOT, source], check=True)
    changed = subprocess.run(["git", "diff", "HEAD", "--binary"], cwd=ROOT, capture_output=True, check=True).stdout
    if changed:
        subprocess.run(["git", "apply", "-"], cwd=source, input=changed, check=True)
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, source]
    subprocess.run(wheel, check=True)
    (file,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", file], check=True)
    return folder, file


def run(installed, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    folder, _ = installed
    variables = {k: v for k, v in os.environ.items() if k not in ("VQLAB_SWEEPS", "VQLAB_DATA")}
    variables |= {"PYTHONPATH": str(folder / "site")} | environment
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=variables, capture_output=True, text=True)


def test_the_wheel_holds_every_stored_sweep(installed):
    names = zipfile.ZipFile(installed[1]).namelist()
    shipped = {Path(name).name for name in names if name.startswith("vqlab/sweeps/shipped/")}
    assert shipped == {path.name for path in sweeps.home().iterdir() if path.is_file()}
    assert not [name for name in names if name.startswith(("tests", "data/"))]


def test_the_wheel_holds_the_classifier_that_perceptual_distances_need(installed):
    script = (
        "from vqlab.models import PerceptualDistance; print(sum(p.numel() for p in PerceptualDistance().parameters()))"
    )
    answer = run(installed, "-c", script)
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) > 50_000


def test_stored_sweeps_load_outside_the_repository(installed):
    script = (
        "import vqlab; from vqlab import sweeps\n"
        "names = sorted(path.stem for path in sweeps.home().glob('*.npz'))\n"
        "for name in names: sweeps.load(name)\n"
        "print(vqlab.__file__, len(names))\n"
    )
    answer = run(installed, "-c", script)
    assert answer.returncode == 0, answer.stderr
    where, count = answer.stdout.split()
    assert where.startswith(str(installed[0] / "site"))
    assert int(count) == len(list(sweeps.home().glob("*.npz")))


def test_another_folder_of_sweeps_can_be_named(installed, tmp_path):
    answer = run(installed, "-c", "from vqlab import sweeps; print(sweeps.home())", VQLAB_SWEEPS=str(tmp_path))
    assert answer.stdout.strip() == str(tmp_path)


def test_the_doctor_passes_without_jupyter_and_says_what_the_labs_need(installed):
    absent = ["jupyterlab", "jupytext", "nbval"]
    if int(version("ipywidgets").partition(".")[0]) >= 8:  # older ones bring a kernel
        absent += ["jupyter_client", "ipykernel", "psutil"]
    script = (
        "import sys\n"
        f"for name in {absent}:\n"
        "    sys.modules[name] = None\n"
        "from vqlab import doctor; sys.exit(doctor.main())\n"
    )
    answer = run(installed, "-c", script)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    *lines, passed, last = answer.stdout.splitlines()
    assert {line[:4] for line in lines} == {"[OK]", "[--]"}
    assert passed.startswith("All ")
    kernel = ["Jupyter kernel"] if "ipykernel" in absent else []
    needed = ", ".join(["jupyterlab", "jupytext", "nbval", *kernel])
    assert last == f"As a library vqlab works; the labs need {needed}, too."
