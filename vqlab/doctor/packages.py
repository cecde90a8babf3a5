"""Probes of what is installed: Python, the packages in versions that vqlab asks for, and vqlab itself."""

import importlib
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

PYTHON = (3, 11)
# What is installed -> what is imported. Minimum versions come from vqlab's own requirements.
PACKAGES = {
    "numpy": "numpy",
    "torch": "torch",
    "scikit-learn": "sklearn",
    "threadpoolctl": "threadpoolctl",
    "matplotlib": "matplotlib",
    "tqdm": "tqdm",
    "pooch": "pooch",
    "safetensors": "safetensors",
    "ipywidgets": "ipywidgets",
    "pillow": "PIL",
    "jupyterlab": "jupyterlab",
    "jupytext": "jupytext",
    "nbval": "nbval",
}


def python() -> str:
    """The version of Python and where it is."""
    if sys.version_info < PYTHON:
        raise RuntimeError(f"version {dotted(sys.version_info[:3])} is older than {dotted(PYTHON)}")
    return f"{dotted(sys.version_info[:3])} at {sys.executable}"


def package(name: str) -> Callable[[], str]:
    """The probe of a package that imports it and says its version."""

    def probe() -> str:
        importlib.import_module(PACKAGES[name])
        return _version(name)

    return probe


def package_unread(name: str) -> Callable[[], str]:
    """The same without importing it, which takes seconds: it finds what is missing or too old, not what is broken."""

    def probe() -> str:
        if importlib.util.find_spec(PACKAGES[name]) is None:
            raise ModuleNotFoundError(f"No module named {PACKAGES[name]!r}")
        return _version(name)

    return probe


def _version(name: str) -> str:
    version, minimum = importlib.metadata.version(name), least_version(name)
    if minimum and numbers(version) < numbers(minimum):
        raise RuntimeError(f"version {version} is older than {minimum}")
    return version + (f" (needs {minimum} or newer)" if minimum else "")


def least_version(name: str) -> str | None:
    """The least version of a package that vqlab's installed metadata asks for, None if it does not say."""
    try:
        requirements = importlib.metadata.requires("vqlab") or []
    except importlib.metadata.PackageNotFoundError:
        return None  # the check on vqlab itself reports this
    least = re.compile(rf"{re.escape(name)}\s*(?:\[[^]]*\])?\s*(?=[<>=!~(])[^;]*?>=\s*([\d.]+).*")
    asked = map(least.fullmatch, requirements)
    return next((match[1] for match in asked if match), None)


def pip_install(name: str) -> str:
    """The command that installs a package in a version that will do."""
    minimum = least_version(name)
    return "python -m pip install " + (f'"{name}>={minimum}"' if minimum else name)


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, to compare by."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


def dotted(numbers: tuple[int, ...]) -> str:
    """Numbers as a version is written."""
    return ".".join(map(str, numbers))


def installed() -> str:
    """Which vqlab is imported in any folder."""
    import vqlab

    here = Path(vqlab.__file__).resolve()
    with tempfile.TemporaryDirectory() as elsewhere:
        command = [sys.executable, "-c", "import vqlab; print(vqlab.__file__)"]
        answer = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError("it is not installed, so the labs cannot import it from their folder")
    if Path(answer.stdout.strip()).resolve() != here:
        raise RuntimeError(f"other folders import another copy, {answer.stdout.strip()}")
    return f"{vqlab.__version__} importable from any folder, at {here.parent}"
