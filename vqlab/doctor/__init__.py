"""The environment report: one line per check, `[OK] …`, `[FAIL] … — mend: …` or `[--] …` (optional, not set).

What only the labs need is optional where vqlab was installed as a library, and needed in the repository.

Nothing but the standard library is imported before a check needs it, so that whatever is missing gets its line.
"""

import importlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

OK, FAIL, UNSET = "OK", "FAIL", "--"
PYTHON = (3, 11)
# What is installed -> what is imported. Minimum versions come from vqlab's own requirements.
PACKAGES = {
    "numpy": "numpy",
    "torch": "torch",
    "scikit-learn": "sklearn",
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
_FOR_LABS = ("jupyterlab", "jupytext", "nbval", "Jupyter kernel")
_GB = 1e9
_INSTALL = "run `python -m pip install -e .` in the folder of the repository"


class Check(NamedTuple):
    """probe() returns what it found, or raises what is wrong; mend: what to do about it."""

    name: str
    probe: Callable[[], str]
    mend: str


class Finding(NamedTuple):
    """The result of one check; str() is its line in the report."""

    status: str
    text: str
    mend: str = ""

    def __str__(self) -> str:
        return f"[{self.status}] {self.text}" + (f" — mend: {self.mend}" if self.mend else "")


class Unset(Exception):
    """Raised by a probe whose optional subject is not set up; the message says what is used instead."""


def main() -> int:
    """Print the report. Returns the exit status: 0 if no check failed, else 1."""
    failed = done = 0
    missing = []
    for check in checks():
        finding = examine(check)
        if finding.status == FAIL and check.name in _FOR_LABS:
            finding, missing = _without_labs(finding), [*missing, check.name]
        print(finding, flush=True)
        failed += finding.status == FAIL
        done += finding.status != UNSET
    print(f"{failed} of {done} checks failed." if failed else f"All {done} checks passed.")
    if missing and not failed:
        print(f"As a library vqlab works; the labs need {', '.join(missing)}, too.")
    return int(failed > 0)


def _without_labs(finding: "Finding") -> "Finding":
    """A failure that matters to the labs alone: none outside the repository, where there are no notebooks."""
    from vqlab.files import repository

    note = f"only the labs need it, for them {finding.mend}"
    return Finding(FAIL, finding.text, note) if repository() else Finding(UNSET, f"{finding.text} ({note})")


def checks() -> list[Check]:
    """Every check, in the order of the report."""
    packages = [Check(name, _package(name), f"run `{_pip_install(name)}`") for name in PACKAGES]
    return [
        Check("Python", _python, f"install Python {_dotted(PYTHON)} or newer and make a new environment with it"),
        *packages,
        Check("vqlab", _installed, _INSTALL),
        Check("training", _training, f"run `{_pip_install('torch')} --force-reinstall`"),
        Check("pictures", _picture, f"run `{_pip_install('matplotlib')} --force-reinstall`"),
        Check("stored sweeps", _stored_sweeps, "restore data/sweeps from the repository, or install vqlab again"),
        Check(
            "Jupyter kernel",
            _kernel,
            "run `python -m pip install ipykernel` and `python -m ipykernel install --sys-prefix`",
        ),
        Check("disk", _disk, "free some disk space"),
        Check("memory", _memory, "close other programs and shut down unused kernels"),
        Check("folder", _writable, "start from a folder of your own, or ask for the right to write to this one"),
        Check("bubblewrap", bubblewrap, "install bubblewrap again"),
        Check("CIFAR-10", _cifar10, "run `python -m vqlab download cifar10`, or point VQLAB_DATA at a complete copy"),
    ]


def examine(check: Check) -> Finding:
    """Run one check. Whatever its probe raises is the finding: a report that stops half-way helps nobody."""
    try:
        return Finding(OK, f"{check.name}: {check.probe()}")
    except Unset as reason:
        return Finding(UNSET, f"{check.name}: {reason}")
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return Finding(FAIL, f"{check.name}: {reason}", check.mend)


def _python() -> str:
    if sys.version_info < PYTHON:
        raise RuntimeError(f"version {_dotted(sys.version_info[:3])} is older than {_dotted(PYTHON)}")
    return f"{_dotted(sys.version_info[:3])} at {sys.executable}"


def _package(name: str) -> Callable[[], str]:
    def probe() -> str:
        importlib.import_module(PACKAGES[name])
        version = importlib.metadata.version(name)
        minimum = _minimum(name)
        if minimum and _numbers(version) < _numbers(minimum):
            raise RuntimeError(f"version {version} is older than {minimum}")
        return version + (f" (needs {minimum} or newer)" if minimum else "")

    return probe


def _minimum(name: str) -> str | None:
    """The least version of a package that vqlab's installed metadata asks for, None if it does not say."""
    try:
        requirements = importlib.metadata.requires("vqlab") or []
    except importlib.metadata.PackageNotFoundError:
        return None  # the check on vqlab itself reports this
    least = re.compile(rf"{re.escape(name)}\s*(?:\[[^]]*\])?\s*(?=[<>=!~(])[^;]*?>=\s*([\d.]+).*")
    asked = map(least.fullmatch, requirements)
    return next((match[1] for match in asked if match), None)


def _pip_install(name: str) -> str:
    minimum = _minimum(name)
    return "python -m pip install " + (f'"{name}>={minimum}"' if minimum else name)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _installed() -> str:
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


def _training() -> str:
    import torch

    from vqlab import data
    from vqlab.models import MLPAutoencoder
    from vqlab.training import Settings, Trainer

    points = torch.from_numpy(data.gaussian_ring(n=64).x)
    Trainer(MLPAutoencoder([0]), points, Settings(codebook_size=4, steps=2, warmup=1, batch_size=16)).run()
    return f"a quantized training step works (torch, {torch.get_num_threads()} threads)"


def _picture() -> str:
    from matplotlib.figure import Figure

    figure, png = Figure(), BytesIO()
    figure.add_subplot().plot([0, 1])
    figure.savefig(png, format="png")
    if not png.getvalue().startswith(b"\x89PNG"):
        raise RuntimeError("matplotlib drew something that is not a PNG")
    return "matplotlib draws without a screen"


def _stored_sweeps() -> str:
    from vqlab import labs, sweeps

    stored = [path for path in sweeps.home().glob("*") if path.suffix in (".npz", ".json")]
    if not stored:
        raise RuntimeError(f"there are none in {sweeps.home()}, so the sliders have nothing to show")
    names = {path.stem for path in stored}
    sources = [lab.source for lab in labs.every()]
    shown = {name for source in sources for name in re.findall(r'sweeps\.load\("(\w+)"', source.read_text("utf-8"))}
    if shown - names:
        raise RuntimeError(f"a lab shows {', '.join(sorted(shown - names))}, which is not in {sweeps.home()}")
    for name in sorted(names):
        sweeps.load(name)
    megabytes = sum(path.stat().st_size for path in stored) / 1e6
    return f"{len(names)} readable in {sweeps.home()}, {megabytes:.1f} MB"


def _kernel() -> str:
    from jupyter_client.kernelspec import KernelSpecManager

    program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    if program in ("python", "python3"):
        program = sys.executable  # so does Jupyter: it need not be on the path
    if shutil.which(program) is None:
        raise RuntimeError(f"the kernel python3 starts {program}, which is not there")
    return f"python3 starts {program}"


def _disk() -> str:
    return _at_least_a_gigabyte(shutil.disk_usage(Path.cwd()).free)


def _memory() -> str:
    try:
        import psutil
    except ImportError:
        raise Unset("not measured without psutil, which comes with JupyterLab; 1 GB is enough") from None

    return _at_least_a_gigabyte(psutil.virtual_memory().available)


def _at_least_a_gigabyte(free: float) -> str:
    if free < _GB:
        raise RuntimeError(f"{free / _GB:.1f} GB free, 1 GB needed")
    return f"{free / _GB:.1f} GB free"


def _writable() -> str:
    with tempfile.TemporaryFile(dir=Path.cwd()) as probe:
        probe.write(b"vqlab")
    return f"{Path.cwd()} is writable"


def bubblewrap() -> str:
    """Where the program is that keeps the hand-ins of a class apart. Raises: Unset if it is of no use, saying why."""
    program = shutil.which("bwrap")
    if program is None:
        how = "`sudo apt install bubblewrap`" if sys.platform == "linux" else "it is for Linux"
        raise Unset(f"not here ({how}), so whoever grades a class runs hand-ins without walls")
    trial = [program, "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    done = subprocess.run(trial, capture_output=True, text=True)
    if done.returncode:
        said = " ".join(done.stderr.split())[:160]
        raise Unset(f"of no use here ({said}), so whoever grades a class runs hand-ins without walls")
    return program


def _cifar10() -> str:
    try:
        from vqlab import data
    except ImportError as error:
        raise Unset(f"not looked for ({error})") from None
    folder = data.find_cifar10()
    if folder is None:
        raise Unset(
            "not on this machine, so labs use the photographs bundled with scikit-learn; "
            "`python -m vqlab download cifar10` fetches it"
        )
    return f"{sum(len(data.cifar10(split).x) for split in data.CIFAR10_SPLITS):,} images in {folder}"
