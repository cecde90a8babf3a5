"""That the yardsticks of the other browser tests can tell bad from good: each is shown a page with one fault."""

from pathlib import Path

import pytest

GOOD = """<div id=explorer style="width:600px;overflow:hidden"><label>codes</label> <input value=8>
    <button>Play</button><div><img height=100></div><p role=status style="min-height:3em">12 of 16</p></div>"""
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
VIEW = "application/vnd.jupyter.widget-view+json"
WHOLE = f"""<div class=jp-StatusBar-Left>Python 3 | Idle</div><div data-mime-type="{VIEW}">
    <div class="jupyter-widgets widget-container"><div class="lm-Widget widget-slider"><i class=noUi-handle></i></div>
    <img src="{PIXEL}"></div></div>"""


@pytest.fixture(scope="module")
def page(context):
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture
def measure(page):
    """(body, probe's function) -> its answer about the explorer in that body."""

    def ask(body: str, what: str) -> object:
        page.set_content(f"<div class=jp-OutputArea-output>{body}</div>")
        page.add_script_tag(path=Path(__file__).with_name("probe.js"))
        return page.evaluate(f"async () => {{ const e = document.querySelector('#explorer'); {what} }}")

    return ask


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


@pytest.mark.parametrize(
    ("there", "not_yet", "missing"),
    [
        ("", "", []),
        ("", "<i id=jupyterlab-splash></i>", ["theme"]),
        ("Idle", "Busy", ["kernel"]),
        ("jupyter-widgets widget-container", "", ["output"]),
        ("lm-Widget widget-slider", "lm-Widget", ["widget"]),
        ("noUi-handle", "", ["slider"]),
        (PIXEL, "", ["picture"]),
    ],
)
def test_what_is_not_there_yet_is_waited_for(measure, there, not_yet, missing):
    early = WHOLE.replace(there, not_yet) if there else WHOLE + not_yet
    ready = "document.body.dataset.jpThemeLight = 'true'; await probe.whole(5000);"
    mended = f"document.body.innerHTML = `<div>{WHOLE}</div>`"
    # Waited for in any case: the next test has the same page.
    late = f"const late = new Promise(done => setTimeout(() => {{ {mended}; done() }}, 100))"
    seen = f"document.body.dataset.jpThemeLight = 'true'; const seen = probe.unfinished(); {late}; {ready}"
    assert measure(early, f"{seen} await late; return seen") == missing
    assert measure(WHOLE, f"{ready} return probe.unfinished()") == []
    assert measure(WHOLE, "return probe.unfinished()") == ["theme"]


@pytest.mark.parametrize("part", ["<label", "<button", "<input", "<p role=status"])
def test_pale_words_are_found(measure, part):
    assert measure(GOOD, "return probe.lowestContrast(e)[0]") > 4.5
    pale = GOOD.replace("style=", "data-was=").replace(part, f'{part} style="color:#999"')
    assert measure(pale, "return probe.lowestContrast(e)[0]") < 4.5


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ("img.outerHTML = '<img height=111>'", {"picture height", "status top"}),
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


@pytest.mark.parametrize(
    ("part", "style", "cut"),
    [
        ("<table><tr><td>wide</table>", "overflow:hidden", True),
        ("<table><tr><td>wide</table>", "overflow-x:auto", False),
        ("<table><style>table {position: fixed}</style><tr><td>wide</table>", "overflow-x:auto", True),
        ("<pre>wide</pre>", "overflow:clip", True),
        ("<p>no table</p>", "overflow:hidden", False),
    ],
)
def test_what_is_cut_off_is_found(measure, part, style, cut):
    wide = part.replace(">", ' style="width:900px">', 1)
    body = f'<div id=explorer><div style="width:300px;{style}">{wide}</div></div>'
    assert bool(measure(body, "return probe.hidden(e)")) == cut


def test_small_writing_is_found(measure):
    svg = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 220 100'></svg>"
    body = f'<div id=explorer><img class=vqlab-picture src="{svg}" style="width:110px;height:50px"></div>'
    assert measure(body, "return probe.smallestWriting(e)") == pytest.approx(5.5)


def test_pictures_are_counted(measure):
    (first, second) = measure(
        GOOD,
        """probe.watchPictures(e); e.querySelector('img').outerHTML = '<img src="data:,other">';
        await new Promise(after => setTimeout(after, 50)); return e.picturesSeen""",
    )
    assert (first, second) == ("", "data:,other")


def test_the_stopwatch_runs_from_the_key_to_the_picture(measure):
    (milliseconds,) = measure(
        GOOD,
        f"""probe.stopwatch(e);
        e.querySelector('input').dispatchEvent(new KeyboardEvent('keydown', {{bubbles: true}}));
        await new Promise(after => setTimeout(after, 300));
        e.querySelector('img').outerHTML = '<img height=100 src="{PIXEL}">';
        while (!e.stopwatch.length) await new Promise(after => setTimeout(after, 10));
        return e.stopwatch""",
    )
    assert 300 <= milliseconds < 1300
