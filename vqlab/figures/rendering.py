"""From a figure to what a page shows: SVG panels whose ink follows the theme, and one PNG for places without them."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from typing import ClassVar, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.font_manager import fontManager, get_font
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, IdentityTransform
from PIL import Image

from vqlab.figures.sheets import Sheet, drawing

_TOP = 0.9  # share of the height below the title
_POINTS, _PIXELS = 72, 100  # to the inch: of an SVG, of a page
_FEW = 4  # markers that are paths of their own: every tick is one
_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
# These follow the theme. Ink on a coloured patch must not: `ON_LIGHT` and `ON_DARK` are close to them and stay.
_FOLLOWING = {"#000000": "var(--ink)", "#ffffff": "var(--paper)", "#444444": "var(--theory)"}
_THEMES = (
    "svg{fill:var(--ink);--ink:#000;--paper:#fff;--theory:#444}"
    "@media (prefers-color-scheme:dark){svg{--ink:#e4e4e4;--paper:#111;--theory:#b8b8b8}}"
)

_GROUP, _STYLED = re.compile(r'<g id="[^"]*">'), re.compile(r'style="([^"]*)"')
_NO_ROTATION, _BREAK = re.compile(r' transform="rotate\(-?0 [^"]*"'), re.compile(r"\s*\n\s*")
_SCALES: dict[tuple, str] = {}  # scales (ticks and labels of an axis) that were drawn before
_MOST_SCALES = 1000  # some kilobytes each
_OF_WORDS = ("text", "color", "alpha", "rotation", "ha", "va", "visible")
_DIGITS, _MATRIX = re.compile(r"(?<=\.\d\d)\d+"), re.compile(r'( transform="matrix[^"]*")')


class Panel(NamedTuple):
    """One panel as SVG text, and its size on a page that has room for it, in pixels."""

    svg: str
    width: float
    height: float


def svg_panels(sheet: Sheet) -> list[Panel]:
    """Each panel of a figure made by `canvas` as an SVG of its own, side by side the figure without its title.

    Ink and paper follow the colour scheme of the page that shows it; text stays text.
    """
    width, height = sheet.get_size_inches()
    positions = [axis.get_position(original=True) for axis in sheet.panels]
    lefts = [position.x0 * width - room for position, room in zip(positions, sheet.room, strict=True)]
    cuts = [0, *lefts[1:], width]
    with drawing():
        before, sheet.dpi = sheet.dpi, _POINTS
        try:
            return [
                Panel(_svg(axis, left, right - left), _PIXELS * (right - left), _PIXELS * height * _TOP)
                for axis, left, right in zip(sheet.panels, cuts, cuts[1:], strict=False)
            ]
        finally:
            sheet.dpi = before


def png(sheet: Sheet) -> bytes:
    """The figure as PNG bytes. Flat colours need no more than a small palette, photographs a large one."""
    with drawing():
        sheet.canvas.draw()
        image = Image.fromarray(np.asarray(sheet.canvas.buffer_rgba())).convert("RGB")
    buffer = io.BytesIO()
    photographs = any(shown.get_array().ndim == 3 for axis in sheet.panels for shown in axis.images)
    colours = 256 if photographs else 64
    image.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, "png")
    return buffer.getvalue()


class _Renderer(RendererSVG):
    """matplotlib's, but faster and smaller: words are measured once, and a series of markers is one path.

    The path is invisible and bears a marker at each vertex, where matplotlib writes an element with a style each.
    """

    _sizes: ClassVar[dict[tuple, tuple]] = {}
    _heights: ClassVar[dict[int, tuple]] = {}
    _series, _stamp = 0, ""
    mark = "k"  # what the names of its series begin with

    def get_text_width_height_descent(self, s, prop, ismath):
        key = (s, hash(prop), ismath)
        if key not in self._sizes:
            self._sizes[key] = super().get_text_width_height_descent(s, prop, ismath)
        return self._sizes[key]

    def _get_font_height_metrics(self, prop):
        # matplotlib 3.11 asks here first, before it reads the same from the font's tables for every word.
        key = hash(prop)
        if key not in self._heights:
            font = get_font(fontManager._find_fonts_by_props(prop))
            scale = prop.get_size_in_points() / font.get_sfnt_table("head")["unitsPerEm"]
            table = font.get_sfnt_table("OS/2")
            ascent, descent, gap = (table[f"sTypo{part}"] * scale for part in ("Ascender", "Descender", "LineGap"))
            self._heights[key] = ascent, -descent, gap
        return self._heights[key]

    def draw_markers(self, gc, marker_path, marker_trans, path, trans, rgbFace=None):
        points = trans.transform(path.vertices)  # (n, 2)
        points = points[((points >= 0) & (points <= (self.width, self.height))).all(1)]
        if len(points) < _FEW:
            for place in points:
                self.draw_path(gc, marker_path, marker_trans + Affine2D().translate(*place), rgbFace)
            return
        self._series += 1
        free = self.new_gc()
        free.copy_properties(gc)
        free.set_clip_rectangle(None)
        free.set_clip_path(None)
        marker = {"markerUnits": "userSpaceOnUse", "overflow": "visible"}
        self.writer.start("marker", id=f"{self.mark}{self._series}", attrib=marker)
        self.draw_path(free, marker_path, marker_trans + Affine2D().translate(0, self.height), rgbFace)
        self.writer.end("marker")
        line = Path(points)
        line.should_simplify = False
        self._stamp = f"fill: none; marker: url(#{self.mark}{self._series})"
        self.draw_path(gc, line, IdentityTransform())
        self._stamp = ""

    def _get_style(self, gc, rgbFace):
        return self._stamp or super()._get_style(gc, rgbFace)


def _svg(axis: Axes, left: float, width: float) -> str:
    """A panel as SVG, from `left` on and `width` wide (inches)."""
    figure_height = axis.figure.get_size_inches()[1] * _POINTS
    text, renderer = _blank(axis)
    axis.apply_aspect()
    scales: dict[str, str] = {}
    with _scales_kept(axis, scales):
        axis.draw(renderer)
    renderer.finalize()
    body = _short(text.getvalue())
    for name, scale in scales.items():
        body = body.replace(f"<!-- {name} -->", scale)
    view = (left * _POINTS, (1 - _TOP) * figure_height, width * _POINTS, _TOP * figure_height)
    return _named(body, " ".join(f"{number:g}" for number in view))


def _blank(axis: Axes) -> tuple[io.StringIO, _Renderer]:
    """Where a panel is drawn, and what draws it."""
    text = io.StringIO()
    size = axis.figure.get_size_inches() * _POINTS
    return text, _Renderer(*size, text, image_dpi=_PIXELS, metadata=dict(_METADATA))


@contextmanager
def _scales_kept(axis: Axes, scales: dict[str, str]) -> Iterator[None]:
    """Draw with a comment in place of each scale: they hold still while sliders move, and cost half of a plain panel.

    scales: gets the SVG of each, by what the comment says.
    Nor are tick labels measured: a sheet's axis labels have fixed places, so only an offset (×10⁻³) asks.
    """

    def boxes(one: Axis, ticks: list, renderer: RendererSVG) -> tuple[list, list]:
        return type(one)._get_ticklabel_bboxes(one, ticks, renderer) if one.major.formatter.get_offset() else ([], [])

    def draw(one: Axis, renderer: _Renderer) -> None:
        ticks = one._update_ticks() if one.get_visible() else []
        if any(tick.gridline.get_visible() for tick in ticks):  # its clip path belongs to the panel
            type(one).draw(one, renderer)
            return
        name, key = one.axis_name, _looks(one, ticks)
        if key not in _SCALES:
            if len(_SCALES) >= _MOST_SCALES:
                _SCALES.clear()
            text, alone = _blank(axis)
            alone.mark = name
            type(one).draw(one, alone)
            alone.finalize()
            _SCALES[key] = _short(text.getvalue())
        scales[name] = _SCALES[key]
        renderer.writer.comment(name)

    both = (axis.xaxis, axis.yaxis)
    try:
        for one in both:
            one._get_ticklabel_bboxes = partial(boxes, one)
            one.draw = partial(draw, one)
        yield
    finally:
        for one in both:
            del one._get_ticklabel_bboxes, one.draw


def _looks(one: Axis, ticks: list) -> tuple:
    """All that decides what a scale looks like."""
    words = [one.label, *(tick.label1 for tick in ticks)]
    texts = [(hash(t.get_fontproperties()), *(getattr(t, f"get_{look}")() for look in _OF_WORDS)) for t in words]
    marks = [(t.get_loc(), t.tick1line.get_markersize(), t.tick1line.get_color()) for t in ticks]
    where = (one.axis_name, *one.axes.bbox.bounds, *one.get_view_interval(), one.get_scale())
    return where, tuple(texts), tuple(marks), repr(one.get_tick_params()), one.major.formatter.get_offset()


def _short(svg: str) -> str:
    """What is drawn, in a third of the bytes: coordinates to a hundredth of a point, no space between elements."""
    body = svg[svg.index("</style>") : svg.rindex("</svg>")].partition("</defs>")[2]
    body = _GROUP.sub("<g>", body)
    body = _NO_ROTATION.sub("", body)
    body = "".join(part if kept else _DIGITS.sub("", part) for part, kept in zip(_MATRIX.split(body), cycle((0, 1))))
    return _BREAK.sub(" ", body).replace("> <", "><").strip()


def _named(body: str, view: str) -> str:
    """A whole SVG of what is drawn, with each style written once, under a name."""
    styles = dict.fromkeys(_STYLED.findall(body))
    for i, style in enumerate(styles):
        body = body.replace(f'style="{style}"', f'class="s{i}"')
    rules = "".join(f".s{i}{{{style}}}" for i, style in enumerate(styles)).replace("; ", ";").replace(": ", ":")
    for color, follows in _FOLLOWING.items():
        rules = rules.replace(color, follows)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{view}">'
    return f"{head}<style>*{{stroke-linejoin:round;stroke-linecap:butt}}{_THEMES}{rules}</style>{body}</svg>"
