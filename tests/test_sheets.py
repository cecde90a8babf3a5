"""Sheets, styles and panels: what drawings share leaks nowhere, and what one leaves behind no other shows."""

import re
import threading
from contextlib import nullcontext
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from vqlab import figures
from vqlab.figures import View, rendering


@figures.styled
def plain() -> View:
    figure, (left, right) = figures.canvas(2, "2 panels")
    left.plot(range(200), "o", color=figures.COLD)
    left.set_title("a < b & “c”")
    left.set_xlabel('50 % of "all"')
    right.text(0.5, 0.5, "#1")
    return View(figure, 'alt "1"', "1")


def test_sheets_are_used_again_and_show_nothing_of_what_was_on_them():
    first = plain()
    fresh, old = first.html(), first.figure
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 4, 4), np.uint8)
    left, right = old.panels
    figures.image_grid(left, images, rows=["a", "b"], columns=["x", "y", "z"])
    right.imshow(images[0, 0, 0], aspect="equal")
    right.set(yscale="log", facecolor="red")
    right.set_title("middle")
    right.twinx().plot([1, 2])
    old.colorbar(right.images[0], ax=right)
    old.text(0.5, 0.5, "left over")
    figures.place(right, 0.7, 0.8, labels=1.5)
    figures.recycle(old)
    again = plain()
    assert again.figure is old
    assert again.html() == fresh


def test_what_is_measured_once_or_not_at_all_stands_where_matplotlib_would_put_it(monkeypatch):
    @figures.styled
    def wordy() -> View:
        figure, (left, right) = figures.canvas(2, "2 panels")
        left.plot([0, 3e-7], [0, 3e-7], label="small")  # with an offset beside each axis
        right.semilogy([1, 1e5], label="large")
        right.set_title("two\nlines", fontsize=9)
        for axis in (left, right):
            axis.set(xlabel="x", ylabel="y")
            axis.legend()
        return View(figure, "2", "2")

    fast = wordy().html()
    assert len(re.findall("1e[-−]7", fast)) == 2
    monkeypatch.delattr(rendering._Renderer, "_get_font_height_metrics")
    monkeypatch.setattr(rendering, "_scales_kept", lambda axis, scales: nullcontext())
    assert unnamed(wordy().html()) == unnamed(fast)


def unnamed(html: str) -> str:
    """Without the names of elements and series of markers, which follow the order of drawing."""
    return re.sub(r"<g id='\w+'/>|(?<=id=')\w+(?=')|(?<=url\(%23)[kxy]\d+", "", html)


CHANGES = {
    "nothing": lambda axis: None,
    "limits": lambda axis: axis.set_xlim(0, 2),
    "turned round": lambda axis: axis.invert_yaxis(),
    "a scale": lambda axis: axis.set_yscale("log"),
    "ticks": lambda axis: axis.set_xticks([0.5]),
    "words at the same ticks": lambda axis: axis.set_xticks([0, 0.5, 1], ["a", "b", "c"]),
    "others at the same ticks": lambda axis: axis.set_xticks([0, 0.5, 1], ["a", "B", "c"]),
    "a label": lambda axis: axis.set_xlabel("x"),
    "a coloured label": lambda axis: axis.set_xlabel("x", color="red", fontsize=9),
    "a bold label": lambda axis: axis.set_xlabel("x", fontweight="bold"),
    "a faint label": lambda axis: axis.set_xlabel("x", alpha=0.3),
    "a label at the end": lambda axis: axis.set_xlabel("x", ha="right"),
    "no labels": lambda axis: axis.tick_params(labelbottom=False),
    "coloured words": lambda axis: axis.tick_params(labelcolor="red"),
    "coloured ticks": lambda axis: axis.tick_params(color="blue"),
    "sizes": lambda axis: axis.tick_params(length=9, labelsize=8),
    "one red word": lambda axis: axis.get_xticklabels()[2].set(color="red"),
    "one bold word": lambda axis: axis.get_xticklabels()[2].set(fontweight="bold"),
    "one red tick": lambda axis: axis.get_xticklines()[4].set(color="red"),
    "one crooked word": lambda axis: axis.get_xticklabels()[2].set(rotation=30),
    "a grid": lambda axis: axis.grid(alpha=0.5),
    "minor ticks": lambda axis: axis.minorticks_on(),
    "an offset": lambda axis: axis.set_ylim(0, 1e-7),
    "no scale": lambda axis: axis.xaxis.set_visible(False),
    "nothing around": lambda axis: axis.set_axis_off(),
    "another place": lambda axis: figures.place(axis, 0.2, 0.5),
    "another shape": lambda axis: axis.set_aspect("equal"),
}


def test_a_scale_that_was_drawn_before_is_shown_again_only_where_it_looks_the_same(monkeypatch):
    @figures.styled
    def changed(change: str) -> View:
        figure, (axis,) = figures.canvas(1, "1 panel")
        axis.plot([0, 1], [0, 1])
        CHANGES[change](axis)
        return View(figure, "1", "1")

    shown = [changed(change).html() for change in [*CHANGES, *CHANGES]]
    monkeypatch.setattr(rendering, "_scales_kept", lambda axis, scales: nullcontext())
    drawn = [changed(change).html() for change in CHANGES]
    for change, kept, again, anew in zip(CHANGES, shown, shown[len(CHANGES) :], drawn, strict=False):
        assert unnamed(kept) == unnamed(again) == unnamed(anew), change


def test_no_style_leaks_however_many_draw_at_once():
    before, faults = dict(matplotlib.rcParams), []

    def draw() -> None:
        try:
            for _ in range(5):
                view = plain()
                view._repr_mimebundle_()
                figures.recycle(view.figure)
        except Exception as error:
            faults.append(error)
            raise

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert dict(matplotlib.rcParams) == before


def test_outside_its_view_a_picture_is_rendered_in_the_same_style():
    with matplotlib.rc_context({"svg.fonttype": "path", "font.size": 30}):
        assert plain().html() == plain().html()
        assert "<text" in plain().html()


def panels_of(html: str) -> list[ElementTree.Element]:
    from html import unescape
    from urllib.parse import unquote

    sources = re.findall(r'src="data:image/svg[+]xml,([^"]*)"', html)
    return [ElementTree.fromstring(unquote(unescape(source))) for source in sources]


def test_every_panel_is_a_picture_of_its_own_and_the_first_bears_the_words():
    html = plain().html()
    assert re.findall(r'alt="([^"]*)"', html) == ["alt &quot;1&quot;", ""]
    first, second = panels_of(html)
    words = {text.text for text in first.iter("{http://www.w3.org/2000/svg}text")}
    assert {"a < b & “c”", '50 % of "all"'} <= words
    assert "#1" in {text.text for text in second.iter("{http://www.w3.org/2000/svg}text")}
    widths = [float(panel.get("viewBox").split()[2]) for panel in (first, second)]
    assert sum(widths) == pytest.approx(792, abs=0.01)


def test_a_series_of_markers_is_one_line_with_a_marker_at_each_point():
    (line,) = [
        path
        for path in panels_of(plain().html())[0].iter()
        if "M " in path.get("d", "") and path.get("d").count("L") == 199
    ]
    style = panels_of(plain().html())[0].find("{http://www.w3.org/2000/svg}style").text
    assert re.search(rf"[.]{line.get('class')}{{[^}}]*marker:url\(#k1\)", style)


def test_black_and_white_follow_the_theme_but_not_on_patches():
    figure, (axis,) = figures.canvas(1, "1 panel")
    axis.plot([0, 1], color="black")
    axis.plot([0, 2], color=figures.ON_LIGHT)
    axis.plot([0, 3], color=figures.THEORY)
    style = panels_of(View(figure, "1", "1").html())[0].find("{http://www.w3.org/2000/svg}style").text
    for ink in ("stroke:var(--ink)", "stroke:#010101", "stroke:var(--theory)"):
        assert ink in style
    assert "#000000" not in style


def test_an_image_grid_shows_every_pixel_once():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 5, 4), np.uint8)
    _, (axis,) = figures.canvas(1, "6 images")
    figures.image_grid(axis, images, rows=["data", "output"], columns=["1", "2", "3"])
    (drawn,) = axis.images
    pixels = drawn.get_array()
    assert not axis.axison
    assert axis.get_aspect() == 1
    assert drawn.get_interpolation() == "none"
    shown = [pixels[i * 6 : i * 6 + 5, j * 5 : j * 5 + 4, :3].transpose(2, 0, 1) for i in range(2) for j in range(3)]
    np.testing.assert_array_equal(shown, images.reshape(6, 3, 5, 4))
    assert (pixels[5, :, 3] == 0).all()
    assert [text.get_text() for text in axis.texts] == ["data", "output", "1", "2", "3"]
    figures.image_grid(axis, images[:, :, :1])


@pytest.mark.parametrize(
    ("shape", "dtype", "names", "words"),
    [
        ((2, 3, 4, 4), np.uint8, {}, "(rows, columns, 3 or 1, H, W)"),
        ((2, 3, 2, 4, 4), np.uint8, {}, "(rows, columns, 3 or 1, H, W)"),
        ((2, 3, 3, 4, 4), float, {}, "got float64"),
        ((2, 3, 3, 4, 4), np.uint8, {"rows": ["one"]}, "2 rows got 1 names"),
    ],
)
def test_an_image_grid_refuses_what_it_cannot_show(shape, dtype, names, words, refuses):
    _, (axis,) = figures.canvas(1, "1")
    with refuses(words):
        figures.image_grid(axis, np.zeros(shape, dtype), **names)


def test_a_table_scrolls_in_its_own_box_and_stays_markdown_elsewhere():
    table = figures.table(["K", "a & b"], [[8, np.array([1.0, 3.0])]])
    assert table.data == "| K | a & b |\n| --- | --- |\n| 8 | 2.00 ± 1.00 |"
    html = table._repr_html_()
    assert "overflow-x:auto" in html
    assert "<th>a &amp; b</th>" in html
    assert "<td>2.00\u00a0±\u00a01.00</td>" in html


def test_sentences_of_a_table_begin_at_the_left():
    html = figures.table(
        ["K", "why", "x"], [[8, "because a sentence is longer than any number of these", 1]]
    )._repr_html_()
    assert re.findall('<(t[hd]) style="text-align:left">(\\w+)', html) == [("th", "why"), ("td", "because")]
