"""What keeps a student's code away from everything else: bubblewrap on Linux, and what every system has elsewhere."""

import functools
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vqlab import doctor

_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
)
_PACKAGE, _HOME = "/lab", "/home/student"


@dataclass(frozen=True)
class Walls:
    """How the process of a hand-in is started. bwrap: the program, "" without; says: which walls stand, in words."""

    bwrap: str
    says: str

    def command(
        self, words: Sequence[str], package: Path, data: Path | None, home: Path, disk: int
    ) -> tuple[list[str], dict[str, str], Path]:
        """The command line, its environment and its working folder, for Python with the arguments `words`.

        package: folder of the students' copy of vqlab.   data: the stored sweeps and checkpoints, read only.
        home: an empty folder for one without walls.   disk: bytes that may be written within walls.
        """
        environment = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if not self.bwrap:
            kept = {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}
            return [sys.executable, *words], environment | kept | _places(str(package), data, str(home)), home
        python = [sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parents[1])]
        shown = [path for path in (*_SYSTEM, *dict.fromkeys(python)) if os.path.exists(path)]
        inside = f"{_PACKAGE}/data" if data else None
        environment |= _places(_PACKAGE, inside, _HOME)
        command = [self.bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
        for name, value in environment.items():
            command += ["--setenv", name, value]
        command += ["--proc", "/proc", "--dev", "/dev"]
        for folder in ("/tmp", "/home"):
            command += ["--size", str(disk), "--tmpfs", folder]
        for path in shown:
            command += ["--ro-bind", path, path]
        command += _hidden_package(shown)
        command += ["--ro-bind", str(package), _PACKAGE]
        if data:
            command += ["--ro-bind", str(data), inside]
        command += ["--dir", _HOME, "--chdir", _HOME]
        return [*command, "--", os.path.abspath(sys.executable), *words], {}, Path("/")


@functools.cache
def best() -> Walls:
    """The best walls that this machine has."""
    try:
        return Walls(
            doctor.bubblewrap(), "bubblewrap: each hand-in alone, without network, files or processes of others"
        )
    except doctor.Unset as reason:
        return Walls("", f"none, bubblewrap is {reason}: they can read this machine's files and use its network")


def _places(package: str, data: object, home: str) -> Mapping[str, str]:
    swept = {"VQLAB_SWEEPS": f"{data}/sweeps"} if data else {}
    own = dict.fromkeys(("HOME", "USERPROFILE", "IPYTHONDIR", "MPLCONFIGDIR", "TMPDIR", "TEMP"), home)
    return swept | own | {"PYTHONPATH": package}


def _hidden_package(shown: Sequence[str]) -> list[str]:
    """Where this very package lies inside of what is shown, it holds right answers: cover it."""
    here = Path(__file__).resolve().parents[1]
    return ["--tmpfs", str(here)] if any(here.is_relative_to(path) for path in shown) else []
