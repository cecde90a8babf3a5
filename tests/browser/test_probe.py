"""That the yardsticks of the other browser tests can tell bad from good: each is shown a page with one fault."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.timed
GOOD = """<div id=explorer style="width:600px;overflow:hidden"><label>codes</label> <input value=8>
    <button>Play</button><img height=100><p role=status style="min-height:3em">12 of 16</p></div>"""


@pytest.fixture
def measure(browser):
    """(body, probe's function) -> its answer about the explorer in that body."""
    page = browser.new_page()

    def ask(body: str, what: str) -> object:
        page.set_content(f"<div class=jp-OutputArea-output>{body}</div>")
        page.add_script_tag(path=Path(__file__).with_name("probe.js"))
        return page.evaluate(f"async () => {{ const e = document.querySelector('#explorer'); {what} }}")

    yield ask
    page.close()


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("<label>", '<label style="display:block;width:20px;overflow:hidden">', "codes is cut off"),
        ("<button>", '<button style="margin-left:580px;white-space:nowrap">', "Play sticks out"),
        ("<img ", '<img width=900 style="max-width:none" ', " overflows"),
    ],
)
def test_what_does_not_fit_is_found(measure, good, bad, fault):
    assert measure(GOOD, "return probe.misfits(e)") == []
    found = measure(GOOD.replace(good, bad), "return probe.misfits(e)")
    assert any(one.endswith(fault) for one in found), found


@pytest.mark.parametrize("part", ["<label", "<button", "<input", "<p role=status"])
def test_pale_words_are_found(measure, part):
    assert measure(GOOD, "return probe.lowestContrast(e)[0]") > 4.5
    pale = GOOD.replace("style=", "data-was=").replace(part, f'{part} style="color:#999"')
    assert measure(pale, "return probe.lowestContrast(e)[0]") < 4.5


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ("img.outerHTML = '<img height=101>'", {"picture height", "status top"}),
        ("status.textContent = 'many words '.repeat(60)", {"status height"}),
        ("e.prepend(document.createElement('hr'))", {"picture top", "status top"}),
        ("img.outerHTML = '<img height=100>'", set()),
    ],
)
def test_a_jump_is_found(measure, change, moved):
    watched = f"""probe.watchLayout(e); const img = e.querySelector('img'), status = e.querySelector('p'); {change};
        return e.layoutSeen()"""
    first, *later = measure(GOOD, watched)
    assert {part for place in later for part in place if place[part] != first[part]} == moved


def test_the_stopwatch_runs_from_the_key_to_the_picture(measure):
    pixel = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    (milliseconds,) = measure(
        GOOD,
        f"""probe.stopwatch(e);
        e.querySelector('input').dispatchEvent(new KeyboardEvent('keydown', {{bubbles: true}}));
        await new Promise(after => setTimeout(after, 300));
        e.querySelector('img').outerHTML = '<img height=100 src="{pixel}">';
        while (!e.stopwatch.length) await new Promise(after => setTimeout(after, 10));
        return e.stopwatch""",
    )
    assert 300 <= milliseconds < 1300
