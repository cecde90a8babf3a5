"""One browser and one JupyterLab a worker; one page and one kernel a lab, gone before the next lab begins."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lab_page
import lab_server
import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def _company(shared: Path, alone: bool) -> Iterator[None]:
    """Inside the block nothing else happens in a browser if `alone`, else nothing that has to be alone."""
    with (shared / "company").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@pytest.fixture(autouse=True)
def company(request, shared) -> Iterator[None]:
    """Tests that measure milliseconds are alone, whatever the other workers have to do."""
    with _company(shared, alone=request.node.get_closest_marker("timed") is not None):
        yield


# Not for the session: playwright keeps an event loop running, which tests of other folders must not meet.
@pytest.fixture(scope="package")
def browser() -> Iterator:
    """The system's Chromium, without a window."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: apt-get install chromium to run the browser tests")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def context(browser) -> Iterator:
    """Where pages are opened in a light window: later ones find JupyterLab's programs already fetched and compiled."""
    context = browser.new_context(viewport=lab_page.WIDE, color_scheme="light")
    context.add_init_script(path=lab_page.PROBE)
    yield context
    context.close()


@pytest.fixture(scope="package")
def url(browser, tmp_path_factory) -> Iterator[str]:
    with lab_server.jupyterlab(tmp_path_factory.mktemp("labs")) as address:
        yield address


@pytest.fixture(scope="module")
def latencies() -> Iterator[dict[str, float]]:
    """Median milliseconds from key-press to picture by lab; written as JSON to the file named by VQLAB_LATENCIES."""
    medians: dict[str, float] = {}
    yield medians
    if "VQLAB_LATENCIES" in os.environ:
        Path(os.environ["VQLAB_LATENCIES"]).write_text(json.dumps(medians, indent=2))


@pytest.fixture(scope="module", params=lab_server.NOTEBOOKS, ids=[path.stem for path in lab_server.NOTEBOOKS])
def opened(request, context, url, shared) -> Iterator[lab_page.LabPage]:
    """A lab, run from top to bottom, in a window as the test before has left it."""
    page = context.new_page()
    with _company(shared, alone=False):
        lab = lab_page.LabPage(page, url, request.param.stem)
        lab.run_all()
    yield lab
    page.close()
    lab_server.end_sessions(url)


@pytest.fixture
def lab(opened) -> lab_page.LabPage:
    """A lab, run from top to bottom, in a wide and light window."""
    opened.look()
    return opened
