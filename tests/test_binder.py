"""What mybinder builds and runs: its requirements, its Dockerfile, one core, and exploring without PyTorch."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import explorers
import pytest
import torch

from vqlab import labs

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"
SECONDS = 60  # of the processor: this machine may be busy
# A session is sure of one gigabyte, of which JupyterLab takes 0.1 and leaves room for a second lab's kernel at rest.
# It has the CPU build: that for GPUs holds 0.3 more.
MEGABYTES = 700 if torch.version.cuda is None else 1000


def requirements(path: Path) -> dict[str, str]:
    """Package -> version of the pinned requirements of a file, comments and options aside."""
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("--"))
    assert pinned
    return pinned


def test_binder_installs_the_tested_versions_and_the_cpu_build_of_pytorch():
    tested, binder = requirements(ROOT / "requirements.txt"), requirements(BINDER / "requirements.txt")
    assert binder == tested | {"torch": f"{tested['torch']}+cpu"}


def test_binder_finds_the_cpu_build_where_the_readme_does():
    (option,) = re.findall(r"^--.*", (BINDER / "requirements.txt").read_text(), re.M)
    assert re.fullmatch(r"--extra-index-url (\S+)", option)
    assert option.split()[1] in (ROOT / "README.md").read_text()


def test_binder_has_the_python_that_ci_tests():
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    version = re.search(r'python-version: "([\d.]+)"', workflow)[1]
    assert (BINDER / "runtime.txt").read_text().strip() == f"python-{version}"


@pytest.fixture(scope="module")
def build() -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)


def test_repo2docker_builds_a_python_image_of_the_version_asked_for(build):
    version = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")
    assert f"Building conda environment for python={version}" in build.stderr
    assert re.search(
        rf"environment-2epy-2d{version.replace('.', '-2e')}-2d\S* /tmp/env/environment\.lock", build.stdout
    )


def test_the_image_installs_binders_requirements_once_and_the_repository_after_them(build):
    """PyTorch has to come before the repository is copied, or each commit would install it anew."""
    steps = [line for line in build.stdout.splitlines() if line.startswith(("RUN", "COPY", "ENV R2D", "ENTRYPOINT"))]
    copied = next(i for i, step in enumerate(steps) if step.endswith(" src/ ${REPO_DIR}/"))
    before, after = steps[:copied], steps[copied + 1 :]
    installs = [step for step in steps if "pip install" in step]
    assert installs == ['RUN ${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"']
    assert installs[0] in before
    assert "RUN ./binder/postBuild" in after
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in after
    assert after[-1].startswith("ENTRYPOINT")


def test_start_sets_one_thread_and_becomes_the_command_it_is_given():
    script = "import os, sys; print(os.environ['OMP_NUM_THREADS'], os.getpid(), sys.argv[1:]); sys.exit(3)"
    environment = {"PATH": os.environ["PATH"]}
    command = [BINDER / "start", sys.executable, "-c", script, "two words"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.read() == f"1 {process.pid} ['two words']\n"
    assert process.returncode == 3


def test_binder_and_make_give_jupyter_the_setting_that_lets_a_large_picture_through(tmp_path):
    for name, does in {"jupyter": "exit", "python": f'[ "$1" = -c ] && echo {tmp_path} || exit 0'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([BINDER / "postBuild"], cwd=ROOT, env=environment, check=True)
    place = Path("etc", "jupyter", "jupyter_server_config.d", "vqlab.json")
    setting = BINDER / "jupyter_server_config.json"
    assert (tmp_path / place).read_bytes() == setting.read_bytes()
    assert json.loads(setting.read_text())["ServerApp"]["tornado_settings"]["websocket_max_message_size"] > 1e8
    made = subprocess.run(["make", "-nB", ".venv/.ready"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"cp {setting.relative_to(ROOT)} .venv/{place}" in made.stdout


@pytest.mark.parametrize("lab", labs.every(), ids=lambda lab: lab.name)
def test_a_lab_asks_one_core_for_a_minute_and_for_half_the_memory_of_a_session(lab, run_solved):
    """With every answer right, so at least as long as a student's first walk through it."""
    run = run_solved(lab)
    print(f"{lab.notebook}: {run.seconds:.1f} s, {run.megabytes:.0f} MB")
    assert run.seconds < SECONDS
    assert run.megabytes < MEGABYTES


def test_exploring_needs_no_pytorch():
    """A session shows pictures before it has read 0.3 GB of PyTorch, and a lab can be explored without it."""
    command = [sys.executable, ROOT / "tests" / "without_torch.py", *explorers.SOURCES]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout)
    assert len(found) == len(explorers.SOURCES)
    for source in explorers.SOURCES:
        lab = found[source.stem]
        assert lab["explorers"] == explorers.count(source), (source.stem, lab["skipped"])
        assert lab["moves"] >= lab["explorers"]
