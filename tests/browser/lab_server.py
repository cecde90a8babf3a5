"""A JupyterLab of its own for the browser tests: a copy of the labs, no news, no check for updates."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps, load, loads
from pathlib import Path

LABS = Path(__file__).parents[2] / "labs"
NOTEBOOKS = sorted(LABS.glob("[0-9][0-9]_*.ipynb"))
SERVER = Path(__file__).parents[2] / "binder" / "jupyter_server_config.json"  # as make and Binder put into place
_SECONDS = 120
_SETTINGS = {
    # Every cell is in the page, in view or not.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false", "checkForUpdates": False},
    # Dark when the browser says that it prefers that.
    "@jupyterlab/apputils-extension/themes.jupyterlab-settings": {"adaptive-theme": True},
}


def text(name: str) -> str:
    """A notebook as it stands in its file."""
    return (LABS / f"{name}.ipynb").read_text(encoding="utf-8")


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """The address of a JupyterLab that serves copies of all labs from `folder`; it ends with the block."""
    for notebook in NOTEBOOKS:
        _copy_without_counts(notebook.stem, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "ServerApp.root_dir": folder,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.disable_check_xsrf": True,
        "IdentityProvider.token": "",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--{name}={value}" for name, value in options.items()]
    command += [f"--config={SERVER}"]
    with (folder / "jupyterlab.log").open("w") as log:
        server = subprocess.Popen(command, env=_environment(folder), stdout=log, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(30)


def end_sessions(url: str) -> None:
    """End every session of a JupyterLab, and its kernel with it."""
    with urllib.request.urlopen(f"{url}/api/sessions", timeout=_SECONDS) as answer:
        sessions = load(answer)
    for session in sessions:
        request = urllib.request.Request(f"{url}/api/sessions/{session['id']}", method="DELETE")
        urllib.request.urlopen(request, timeout=_SECONDS).close()


def _environment(folder: Path) -> dict[str, str]:
    settings = folder / ".settings"
    for name, values in _SETTINGS.items():
        path = settings / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dumps(values))
    own = {
        "JUPYTER_CONFIG_DIR": folder / ".config",
        "JUPYTERLAB_WORKSPACES_DIR": folder / ".workspaces",
        "JUPYTERLAB_SETTINGS_DIR": settings,
        "OMP_NUM_THREADS": 1,
    }
    return {**os.environ, **{name: str(value) for name, value in own.items()}}


def _copy_without_counts(name: str, folder: Path) -> None:
    """As it is in `labs`, outputs included, but a cell has a number only once it has run."""
    content = loads(text(name))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = None
    (folder / f"{name}.ipynb").write_text(dumps(content))


def _wait(url: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, "JupyterLab ended while starting: see jupyterlab.log"
        try:
            with urllib.request.urlopen(f"{url}/api/status", timeout=5):
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError(f"JupyterLab did not answer within {_SECONDS} s")
