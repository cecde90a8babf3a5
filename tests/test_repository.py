"""What a newcomer meets on the web: the README, the citation, the issue form. Whatever can rot is checked here."""

import re
import subprocess
import tomllib
from itertools import pairwise
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from PIL import Image, ImageSequence

from vqlab import __main__ as command_line
from vqlab import doctor, labs, sweeps
from vqlab.notebooks import build

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
HOME = PROJECT["urls"]["Repository"]  # the one place where the address is decided
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
ISSUES = ROOT / ".github" / "ISSUE_TEMPLATE"
NOTEBOOKS = sorted((ROOT / "labs").glob("[0-9][0-9]_*.ipynb"))

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


def test_every_page_names_the_same_repository():
    owner_and_name = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", HOME)[1]
    for path in [*PAGES, ROOT / "CITATION.cff", *ISSUES.glob("*.yml")]:
        for found in re.findall(r"(?:github\.com|mybinder\.org/v2/gh)/([\w.-]+/[\w.-]+)", path.read_text()):
            assert found == owner_and_name, f"{path.name} links to {found}; pyproject.toml says {owner_and_name}"
    assert CITATION["repository-code"] == HOME


@every_page
def test_what_a_page_links_to_is_in_the_repository(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    inside = [link for link in links if not link.startswith(("http:", "https:"))]
    assert inside or page.name != "README.md"
    for link in inside:
        assert (ROOT / link).exists(), f"{page.name} links to {link}, which is not there"


@every_page
def test_what_a_page_names_by_its_path_is_in_the_repository(page):
    for named in re.findall(r"`((?:binder|data|labs|tests|vqlab)/[^`\s]*)`", page.read_text()):
        assert list(ROOT.glob(named.replace("NN", "[0-9][0-9]").replace("name", "*"))), f"{page.name} names {named}"


@every_page
def test_the_commands_on_a_page_exist(page):
    text = page.read_text()
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    for target in re.findall(r"(?:^|`)make ([a-z]+)", text, re.M):
        assert target in targets, f"{page.name} says make {target}, which the Makefile lacks"
    for subcommand in re.findall(r"python -m vqlab (\w+)", text):
        with pytest.raises(SystemExit) as stopped:
            command_line.main([subcommand, "--help"])
        assert stopped.value.code == 0, f"{page.name} says python -m vqlab {subcommand}"
    for program in re.findall(r"\.venv/bin/python (\S+\.py)", text):
        assert (ROOT / program).exists()


def test_no_command_in_the_readme_is_cut_off_where_github_ends_its_line():
    blocks = re.findall(r"^```\w+\n(.*?)^```", README, re.M | re.S)
    assert len(blocks) >= 4
    assert max(len(line) for block in blocks for line in block.splitlines()) <= 96


@pytest.mark.parametrize("lab", labs.every(), ids=lambda lab: lab.name)
def test_a_lab_has_its_row_in_the_readme(lab):
    header = jupytext.read(lab.source).cells[0].source
    number, title = re.search(r"^# Lab (\d\d) · (.+)", header).groups()
    minutes = " + ".join(re.findall(r"\d+", re.search(r"^\| Time \| (.+) \|$", header, re.M)[1]))
    notebook = f"labs/{lab.notebook}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{HOME.removeprefix('https://github.com/')}/HEAD?urlpath=lab/tree/{notebook}"
    rows = [line for line in README.splitlines() if line.startswith(f"| [{number} ")]
    wanted = f"| [{number} {title}]({notebook}) | … | {minutes} | [open]({binder}) |"
    pattern = re.escape(wanted).replace("…", ".{20,}")
    assert len(rows) == 1 and re.fullmatch(pattern, rows[0]), f"the README's table needs the row {wanted}"  # noqa: PT018


def test_the_readme_has_no_row_of_a_lab_that_is_gone():
    listed = re.findall(r"^\| \[.*?\]\(labs/(\w+)\.ipynb\)", README, re.M)
    assert listed == [lab.notebook for lab in labs.every()]


def test_badges_and_the_first_commands_say_what_the_project_says():
    python = PROJECT["requires-python"].removeprefix(">=")
    assert f"You need Python {python} or newer" in README
    assert f"[![Python {python} or newer]" in README
    assert f"/python-{python}%2B-" in README
    assert f"/licence-{PROJECT['license']['text']}-" in README
    assert (ROOT / "LICENSE").read_text().startswith(f"{PROJECT['license']['text']} License")
    assert (ROOT / ".github" / "workflows" / "tests.yml").exists()  # the tests badge is named after it
    assert "workflows/tests.yml/badge.svg" in README
    torch = re.search(r"^torch==\S+", (ROOT / "requirements.txt").read_text(), re.M)[0]
    assert f"pip install {torch} --index-url" in README
    needed = [check for check in doctor.checks() if check.name not in ("bubblewrap", "CIFAR-10")]
    assert f"All {len(needed)} checks passed." in README


def test_what_names_students_is_not_committed_by_mistake(tmp_path):
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    named = ("students.txt", "students_2026.txt", "students.csv", "submissions/ada/a.ipynb", "submissions_01/b.ipynb")
    for name in (*named, "course/course.json", "course_2026/course.json", "tests/submissions.py", "students.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "status", "--porcelain", "-uall"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["??", ".gitignore", "??", "students.py", "??", "tests/submissions.py"]


# --- The picture ---------------------------------------------------------------------------------------------


def test_the_first_picture_says_in_words_what_the_stored_sweep_shows():
    """In words that hold for all seeds and for a sweep made anew, so without its digits."""
    sweep = sweeps.load("tokens_collapse")
    cold, warm = (sweep.at(warmup=steps, codebook_size=256)["active"][:, -1] for steps in (0, 400))
    alt = re.search(r"!\[([^]]+)\]\(\.github/cured\.gif\)", README)[1]
    assert "256 codes" in alt
    assert "fewer than thirty stay in use" in alt
    assert cold.mean() < 30
    assert "brings nearly all of them back" in alt
    assert warm.min() > 0.9 * 256


def frames(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.stack([np.asarray(frame.convert("RGB"), float) for frame in ImageSequence.Iterator(picture)])


def test_the_first_picture_is_small_moves_and_comes_to_rest():
    path = ROOT / ".github" / "cured.gif"
    assert path.stat().st_size < 300_000
    shown = frames(path)
    assert 5 <= len(shown) <= 12
    for before, after in pairwise(shown):
        assert np.abs(before - after).mean() > 0.3
    with Image.open(path) as picture:
        assert picture.info["loop"] == 2  # a picture that never rests cannot be read


def test_the_first_picture_is_what_the_build_draws(tmp_path, monkeypatch):
    (tmp_path / ".github").mkdir()
    monkeypatch.setattr(build, "ROOT", tmp_path)
    build._draw_readme_picture()
    committed, drawn = frames(ROOT / ".github" / "cured.gif"), frames(tmp_path / ".github" / "cured.gif")
    assert committed.shape == drawn.shape
    # Another matplotlib sets its letters elsewhere, in all frames alike: each is still nearest to itself.
    apart = np.array([[np.abs(a - b).mean() for b in drawn] for a in committed])  # (frames, frames)
    assert (apart.argmin(1) == np.arange(len(drawn))).all(), "run `make labs` and commit .github/cured.gif"


# --- The labs, read on the web without a kernel ---------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lab_on_the_web_shows_every_picture_with_its_words_and_no_error(path):
    notebook = nbformat.read(path, 4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    drawn = [output for output in outputs if "image/png" in output.get("data", {})]
    for template in ("lab", "classic"):
        page, _ = HTMLExporter(template_name=template, exclude_input=True).from_notebook_node(notebook)
        soup = BeautifulSoup(page, "html.parser")
        pictures = soup.select("img[src^='data:image/png']")
        assert [picture["src"].partition(",")[2] for picture in pictures] == [_png(output) for output in drawn]
        assert not soup.select("[data-mime-type='application/vnd.jupyter.stderr'], .output_stderr, .output_error")
    # The template "lab" knows no alternative text.
    assert [picture["alt"] for picture in pictures] == [output.metadata["image/png"]["alt"] for output in drawn]


def _png(output: nbformat.NotebookNode) -> str:
    return output.data["image/png"].replace("\n", "")


# --- The citation and the issue form -------------------------------------------------------------------------


def test_the_citation_has_what_the_format_asks_for_and_agrees_with_the_project():
    assert {"cff-version", "message", "title", "authors"} <= CITATION.keys()
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["version"] == PROJECT["version"]
    assert CITATION["license"] == PROJECT["license"]["text"]
    (author,) = CITATION["authors"]
    assert author["name"] in (ROOT / "LICENSE").read_text()
    for reference in CITATION["references"]:
        assert {"type", "title", "authors", "url"} <= reference.keys()


def test_the_citation_and_the_readme_list_the_same_papers():
    listed = re.findall(r"^- \*(.+?)\*.*\((https://arxiv\.org/abs/[\d.]+)\)", README, re.M)
    assert listed
    assert listed == [(reference["title"], reference["url"]) for reference in CITATION["references"]]


def test_the_issue_form_asks_for_the_doctors_report():
    form = yaml.safe_load((ISSUES / "bug.yml").read_text())
    assert form["name"]
    assert form["description"]
    fields = {field["id"]: field for field in form["body"]}
    assert len(fields) == len(form["body"])
    for field in fields.values():
        assert field["type"] in ("input", "textarea", "dropdown")
        assert field["attributes"]["label"]
        assert field["validations"] == {"required": True}
    assert "python -m vqlab doctor" in fields["doctor"]["attributes"]["description"]


def test_the_issue_chooser_is_valid():
    chooser = yaml.safe_load((ISSUES / "config.yml").read_text())
    assert chooser["blank_issues_enabled"] in (True, False)
    for link in chooser["contact_links"]:
        assert link.keys() == {"name", "url", "about"}
        assert link["url"].startswith("https://")


def test_contributing_leads_to_files_that_exist():
    block = re.search(r"## Where things are\n\n```\n(.*?)```", PAGES[1].read_text(), re.S)[1]
    for line in block.splitlines():
        first, *others = re.split(r"\s{2,}", line)[0].split(", ")
        if "NN" not in first:
            folder = Path(first).parent
            for name in [first, *(folder / other for other in others)]:
                assert (ROOT / name).exists() or (ROOT / f"{name}.py").exists(), f"CONTRIBUTING.md names {name}"
