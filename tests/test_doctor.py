"""The environment report: a good environment passes, and each thing that can be missing gets its own line."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from made_up_cifar10 import write_binary, write_python
from matplotlib.figure import Figure

from vqlab import data, doctor, sweeps
from vqlab.doctor import FAIL, OK, UNSET, Check, Unset, packages

pytestmark = pytest.mark.usefixtures("no_cifar10")


def examine(name: str) -> doctor.Finding:
    (check,) = [check for check in doctor.checks() if check.name == name]
    return doctor.examine(check)


def failure(name: str) -> str:
    """The report's line of a check that has to fail: one line, with what is wrong and a mend."""
    line = str(examine(name))
    assert re.fullmatch(rf"\[FAIL\] {re.escape(name)}: \S.* — mend: \S.*", line)
    return line


def test_this_environment_passes(capsys):
    assert doctor.main() == 0
    *lines, last = capsys.readouterr().out.splitlines()
    optional = [line for line in lines if line.startswith("[--] ")]
    assert all(line.startswith("[OK] ") for line in lines if line not in optional)
    assert {line.split()[1] for line in optional} <= {"bubblewrap:", "CIFAR-10:"}
    assert lines[-1].startswith("[--] CIFAR-10: not on this machine, so labs use")
    assert last == f"All {len(lines) - len(optional)} checks passed."


def test_one_failure_sets_the_exit_status_and_does_not_hide_the_rest(monkeypatch, capsys):
    def fail() -> str:
        raise RuntimeError("two\nlines")

    def unset() -> str:
        raise Unset("not set; labs do without")

    checks = [Check("a", fail, "mend a"), Check("b", lambda: "fine", "mend b"), Check("c", unset, "mend c")]
    monkeypatch.setattr(doctor, "checks", lambda: checks)
    assert doctor.main() == 1
    assert capsys.readouterr().out.splitlines() == [
        "[FAIL] a: two lines — mend: mend a",
        "[OK] b: fine",
        "[--] c: not set; labs do without",
        "1 of 2 checks failed.",
    ]


# --- Packages ------------------------------------------------------------------------------------------------


def test_the_doctor_starts_without_any_package():
    code = (
        "import sys, vqlab.__main__, vqlab.doctor; print({'torch', 'numpy', 'matplotlib', 'tqdm'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"


def test_every_missing_package_gets_its_line_and_no_traceback():
    code = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {set(doctor.PACKAGES.values()) | {"psutil", "jupyter_client"}}:
            raise ModuleNotFoundError(f"No module named {{name!r}}")
sys.meta_path.insert(0, Missing())
from vqlab.__main__ import main
sys.exit(main(["doctor"]))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr == ""
    *lines, last = answer.stdout.splitlines()
    failed = {line.split()[1].rstrip(":") for line in lines if line.startswith("[FAIL] ")}
    assert lines[-1].startswith("[--] CIFAR-10: not looked for (No module named ")
    assert failed == {*doctor.PACKAGES, "training", "pictures", "stored", "Jupyter"}
    assert re.fullmatch(rf"{len(failed)} of \d+ checks failed\.", last)


@pytest.mark.parametrize("name", doctor.PACKAGES)
def test_a_package_that_cannot_be_imported_says_how_to_install_it(name, monkeypatch):
    assert examine(name).status == OK
    monkeypatch.setitem(sys.modules, doctor.PACKAGES[name], None)  # makes its import fail
    assert re.search(rf'mend: run `python -m pip install "?{name}\b', failure(name))


def test_a_package_that_is_too_old_says_which_version_is_asked_for(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.26.4")
    line = failure("numpy")
    assert "version 1.26.4 is older than 2.0" in line
    assert '"numpy>=2.0"' in line


def test_a_quick_look_imports_nothing_and_finds_what_is_missing_or_too_old():
    code = """
import importlib.metadata, sys
from vqlab import doctor
lines = [str(doctor.examine(check)) for check in doctor.quick_checks()]
assert not {"torch", "sklearn", "matplotlib"} & set(sys.modules)
sys.modules["torch"] = None
importlib.metadata.version = lambda name: "1.26.4"
print(*lines, *(str(doctor.examine(check)) for check in doctor.quick_checks()), sep="\\n")
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    whole, found = (
        said[: len(doctor.PACKAGES)],
        {line.split()[1].rstrip(":"): line for line in said[len(doctor.PACKAGES) :]},
    )
    assert [line.split()[0] for line in whole] == ["[OK]"] * len(doctor.PACKAGES)
    assert re.fullmatch(
        r"\[FAIL\] torch: No module named 'torch' — mend: run `python -m pip install \S+`", found["torch"]
    )
    assert "version 1.26.4 is older than 2.0" in found["numpy"]


@pytest.mark.parametrize(
    ("requirement", "minimum"),
    [
        ("torch>=2.4", "2.4"),
        ("torch <3, >= 2.4.1 ; python_version > '3.8'", "2.4.1"),
        ("torch[extra]>=2.4", "2.4"),
        ("torch", None),
        ("torch==2.13.0", None),
        ("torch-vision>=0.1", None),
        ("torchvision>=0.1", None),
        ("pytorch>=0.1", None),
        ("torch; python_version>='3.8'", None),
    ],
)
def test_minimum_versions_are_those_of_vqlabs_own_requirements(requirement, minimum, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: {"vqlab": [requirement]}[name])
    assert packages.least_version("torch") == minimum


@pytest.mark.parametrize(
    ("old", "new"), [("2.4", "2.10"), ("2.9.1", "2.13.0+cpu"), ("3.9", "3.11.2"), ("2.0", "2.0.1"), ("7.7", "8.0rc1")]
)
def test_versions_compare_as_numbers(old, new):
    assert packages.numbers(old) < packages.numbers(new)


def test_an_old_python_is_named(monkeypatch):
    monkeypatch.setattr(packages, "PYTHON", (99, 1))
    assert "is older than 99.1" in failure("Python")


@pytest.mark.parametrize(
    ("returncode", "printed", "words"),
    [(1, "", "not installed"), (0, "elsewhere/vqlab/__init__.py\n", "another copy, elsewhere")],
)
def test_a_vqlab_that_only_works_in_its_own_folder_is_found_out(returncode, printed, words, monkeypatch):
    answer = SimpleNamespace(returncode=returncode, stdout=printed)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    assert words in failure("vqlab")


# --- What must work ------------------------------------------------------------------------------------------


def test_a_training_step_that_gives_no_finite_loss_fails(monkeypatch):
    points = data.gaussian_ring(n=64)
    monkeypatch.setattr(data, "gaussian_ring", lambda n: points._replace(x=points.x * np.float32(1e30)))
    assert "squares overflow" in failure("training")


def test_a_matplotlib_that_cannot_draw_fails(monkeypatch):
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **_: file.write(b"<svg>"))
    assert "not a PNG" in failure("pictures")


def test_no_stored_sweeps_fails(monkeypatch, tmp_path):
    monkeypatch.setenv("VQLAB_SWEEPS", str(tmp_path))
    assert f"none in {tmp_path}" in failure("stored sweeps")


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_a_damaged_or_missing_half_of_a_stored_sweep_is_named(suffix, monkeypatch, tmp_path):
    name = min(path.stem for path in sweeps.home().glob("*.npz"))
    folder = shutil.copytree(sweeps.home(), tmp_path / "sweeps")
    monkeypatch.setenv("VQLAB_SWEEPS", str(folder))
    assert examine("stored sweeps").status == OK
    file = folder / (name + suffix)
    file.write_bytes(file.read_bytes()[:-50])
    assert name in failure("stored sweeps")
    file.unlink()
    assert name in failure("stored sweeps")


def test_a_stored_sweep_that_a_lab_shows_may_not_be_missing(monkeypatch, tmp_path):
    folder = tmp_path / "data" / "sweeps"
    shutil.copytree(sweeps.home(), folder)
    monkeypatch.setenv("VQLAB_SWEEPS", str(folder))
    assert examine("stored sweeps").status == OK
    for half in folder.glob("tokens_long.*"):
        half.unlink()
    assert "a lab shows tokens_long" in failure("stored sweeps")


def test_a_missing_kernel_fails(monkeypatch):
    def none(self, name):
        raise NoSuchKernel(name)

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
    assert "ipykernel install" in failure("Jupyter kernel")


def test_a_kernel_whose_python_is_gone_fails(monkeypatch):
    spec = SimpleNamespace(argv=["/nowhere/python", "-m", "ipykernel_launcher"])
    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda self, name: spec)
    assert "/nowhere/python, which is not there" in failure("Jupyter kernel")


def test_too_little_disk_or_memory_fails(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0.94e9))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=0.52e9))
    assert "0.9 GB free, 1 GB needed" in failure("disk")
    assert "0.5 GB free, 1 GB needed" in failure("memory")


def test_a_folder_that_cannot_be_written_fails(monkeypatch):
    def refuse(dir):
        raise PermissionError(f"Permission denied: {dir}")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert "Permission denied" in failure("folder")


def test_bubblewrap_is_for_whoever_grades(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    finding = examine("bubblewrap")
    assert finding.status == UNSET
    assert "runs hand-ins without walls" in finding.text
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho no namespaces >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    finding = examine("bubblewrap")
    assert finding.status == UNSET
    assert "no namespaces" in finding.text


# --- CIFAR-10 is optional, but not half of it ----------------------------------------------------------------


def test_cifar10_may_be_absent_or_complete_but_not_broken(monkeypatch, no_cifar10, tmp_path):
    finding = examine("CIFAR-10")
    assert (finding.status, finding.mend) == (UNSET, "")
    write_python(no_cifar10 / "cifar-10-batches-py", n=2)
    assert str(examine("CIFAR-10")) == f"[OK] CIFAR-10: 12 images in {no_cifar10}"
    monkeypatch.setenv("VQLAB_DATA", str(tmp_path / "nowhere"))
    assert "is not a folder" in failure("CIFAR-10")
    monkeypatch.setenv("VQLAB_DATA", str(tmp_path))
    assert "missing" in failure("CIFAR-10")
    write_binary(tmp_path, n=2)
    finding = examine("CIFAR-10")
    assert (finding.status, finding.text) == (OK, f"CIFAR-10: 12 images in {tmp_path}")
    (tmp_path / "data_batch_2.bin").write_bytes(b"0" * 3074)
    assert "truncated" in failure("CIFAR-10")
    assert examine("CIFAR-10").status == FAIL
