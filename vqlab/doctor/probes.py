"""Probes of what must work: a training step, a picture, stored sweeps, a kernel, room, and optional extras."""

import re
import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

_GB = 1e9


class Unset(Exception):
    """Raised by a probe whose optional subject is not set up; the message says what is used instead."""


def training() -> str:
    """That a network trains a step with a codebook."""
    import torch

    from vqlab import data
    from vqlab.models import MLPAutoencoder
    from vqlab.training import Settings, Trainer

    points = torch.from_numpy(data.gaussian_ring(n=64).x)
    Trainer(MLPAutoencoder([0]), points, Settings(codebook_size=4, steps=2, warmup=1, batch_size=16)).run()
    return f"a quantized training step works (torch, {torch.get_num_threads()} threads)"


def picture() -> str:
    """That Matplotlib draws."""
    from matplotlib.figure import Figure

    figure, png = Figure(), BytesIO()
    figure.add_subplot().plot([0, 1])
    figure.savefig(png, format="png")
    if not png.getvalue().startswith(b"\x89PNG"):
        raise RuntimeError("matplotlib drew something that is not a PNG")
    return "matplotlib draws without a screen"


def stored_sweeps() -> str:
    """That every sweep a lab shows is there, and every stored one can be read."""
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


def kernel() -> str:
    """Which Python the kernel of a notebook starts."""
    from jupyter_client.kernelspec import KernelSpecManager

    program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    if program in ("python", "python3"):
        program = sys.executable  # so does Jupyter: it need not be on the path
    if shutil.which(program) is None:
        raise RuntimeError(f"the kernel python3 starts {program}, which is not there")
    return f"python3 starts {program}"


def disk() -> str:
    """Free room on the disk."""
    return _at_least_a_gigabyte(shutil.disk_usage(Path.cwd()).free)


def memory() -> str:
    """Free memory. Raises: Unset without psutil."""
    try:
        import psutil
    except ImportError:
        raise Unset("not measured without psutil, which comes with JupyterLab; 1 GB is enough") from None

    return _at_least_a_gigabyte(psutil.virtual_memory().available)


def _at_least_a_gigabyte(free: float) -> str:
    if free < _GB:
        raise RuntimeError(f"{free / _GB:.1f} GB free, 1 GB needed")
    return f"{free / _GB:.1f} GB free"


def writable() -> str:
    """That files can be written here."""
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


def cifar10() -> str:
    """How many images of CIFAR-10 are there. Raises: Unset if it is nowhere."""
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
