"""One browser and one JupyterLab a worker; one page and one kernel a lab, gone before the next lab begins."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import lab_page
import lab_server
import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


# Not for the session: playwright keeps an event loop running, which tests of other folders must not meet.
@pytest.fixture(scope="package")
def context() -> Iterator:
    """The system's Chromium, where pages are opened in a light window that nobody sees.

    Later pages find JupyterLab's programs already fetched and compiled. It is no profile on the disk: there pages are
    tabs of one window, and Chromium holds still what it takes for a tab behind.
    """
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: apt-get install chromium to run the browser tests")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = browser.new_context(viewport=lab_page.WIDE, color_scheme="light")
        context.add_init_script(path=lab_page.PROBE)
        yield context
        context.close()
        browser.close()


@pytest.fixture(scope="package")
def url(context, tmp_path_factory) -> Iterator[str]:
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
def opened(request, context, url) -> Iterator[lab_page.LabPage]:
    """A lab, run from top to bottom, in a window as the test before has left it."""
    page = context.new_page()
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
