"""The environment report: one line per check, `[OK] …`, `[FAIL] … — mend: …` or `[--] …` (optional, not set).

What only the labs need is optional where vqlab was installed as a library, and needed in the repository.

Nothing but the standard library is imported before a check needs it, so that whatever is missing gets its line.
"""

from collections.abc import Callable
from typing import NamedTuple

from vqlab.doctor import probes
from vqlab.doctor.packages import PACKAGES, PYTHON, dotted, installed, package, package_unread, pip_install, python
from vqlab.doctor.probes import Unset, bubblewrap

OK, FAIL, UNSET = "OK", "FAIL", "--"
_FOR_LABS = ("jupyterlab", "jupytext", "nbval", "Jupyter kernel")
_INSTALL = "run `python -m pip install -e .` in the folder of the repository"
_DOWNLOAD = "python -m vqlab download cifar10"


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
    return [
        Check("Python", python, f"install Python {dotted(PYTHON)} or newer and make a new environment with it"),
        *_packages(package),
        Check("vqlab", installed, _INSTALL),
        Check("training", probes.training, f"run `{pip_install('torch')} --force-reinstall`"),
        Check("pictures", probes.picture, f"run `{pip_install('matplotlib')} --force-reinstall`"),
        Check("stored sweeps", probes.stored_sweeps, "restore data/sweeps from the repository, or install vqlab again"),
        Check(
            "Jupyter kernel",
            probes.kernel,
            "run `python -m pip install ipykernel` and `python -m ipykernel install --sys-prefix`",
        ),
        Check("disk", probes.disk, "free some disk space"),
        Check("memory", probes.memory, "close other programs and shut down unused kernels"),
        Check("folder", probes.writable, "start from a folder of your own, or ask for the right to write to this one"),
        Check("bubblewrap", bubblewrap, "install bubblewrap again"),
        Check("CIFAR-10", probes.cifar10, f"run `{_DOWNLOAD}`, or point VQLAB_DATA at a complete copy"),
    ]


def quick_checks() -> list[Check]:
    """Whether every package is there, in hundredths of a second: whether it can be imported shows when it is used."""
    return _packages(package_unread)


def _packages(probe: Callable[[str], Callable[[], str]]) -> list[Check]:
    return [Check(name, probe(name), f"run `{pip_install(name)}`") for name in PACKAGES]


def examine(check: Check) -> Finding:
    """Run one check. Whatever its probe raises is the finding: a report that stops half-way helps nobody."""
    try:
        return Finding(OK, f"{check.name}: {check.probe()}")
    except Unset as reason:
        return Finding(UNSET, f"{check.name}: {reason}")
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return Finding(FAIL, f"{check.name}: {reason}", check.mend)
