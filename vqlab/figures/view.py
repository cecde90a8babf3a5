"""A picture with its words."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from html import escape

from vqlab.figures.rendering import Panel, png, svg_panels
from vqlab.figures.sheets import Sheet, drawing

PAGE_PX = 1100
# Panels stand side by side until they would be smaller than this share of their size; then they wrap.
_SMALLEST = 0.62
# A picture is light unless the page says that it is dark: the browser's own wish is not that of the page.
THEME = (
    "<style>body[data-jp-theme-light='false'] .vqlab-picture,body.vscode-dark .vqlab-picture,"
    "html[theme='dark'] .vqlab-picture{color-scheme:dark !important}</style>"
)
# Room for the lines that a title may need at this width, so that nothing below it moves when it changes.
_TITLE = (
    "font-size:16px;font-weight:bold;line-height:1.35;height:0;overflow:visible;"
    "padding-bottom:calc(1.5em + clamp(0px,(800px - 100%)*999,1.35em) + clamp(0px,(420px - 100%)*999,1.35em))"
)


@dataclass(frozen=True)
class View:
    """A figure, the sentence that replaces it for those who cannot see it, and the numbers in words."""

    figure: Sheet
    alt: str
    status: str

    def html(self) -> str:
        """Title and panels, which wrap where the page is narrow. The first panel bears the words for all of them."""
        panels = svg_panels(self.figure)
        alts = [self.alt, *[""] * (len(panels) - 1)]
        images = "".join(_image(panel, alt) for panel, alt in zip(panels, alts, strict=True))
        title = f'<div aria-hidden="true" style="{_TITLE}">{escape(self.figure.get_suptitle())}</div>'
        row = f'<div style="display:flex;flex-wrap:wrap;max-width:{PAGE_PX}px">{images}</div>'
        return f'<div style="max-width:{PAGE_PX}px">{title}{row}</div>'

    def _repr_mimebundle_(self, **_: object) -> tuple[dict, dict]:
        # The PNG is for readers without HTML, GitHub's for one.
        bundle = {"text/html": THEME + self.html(), "image/png": png(self.figure), "text/plain": self.alt}
        return bundle, {"image/png": {"alt": self.alt}}


def styled(view: Callable[..., View]) -> Callable[..., View]:
    """Decorate a view so that everything it draws has the house style, whoever else draws at that time."""

    @wraps(view)
    def drawn(*arguments: object, **named: object) -> View:
        with drawing():
            return view(*arguments, **named)

    return drawn


def _image(panel: Panel, alt: str) -> str:
    """A panel as an image: at most its own size; with its ratio the page keeps its place while it is exchanged."""
    width = round(panel.width)
    style = (
        f"color-scheme:light;display:block;flex:{width} 1 {_SMALLEST * width:.0f}px;min-width:0;"
        f"max-width:min(100%,{width}px);height:auto;aspect-ratio:{width}/{panel.height:.0f}"
    )
    words = escape(alt, quote=True)
    return f'<img class="vqlab-picture" alt="{words}" src="{_data_url(panel.svg)}" decoding="sync" style="{style}">'


def _data_url(svg: str) -> str:
    """SVG text as an address inside a quoted HTML attribute: a quarter less than in base64."""
    svg = re.sub(r'="([^"]*)"', r"='\1'", svg)
    for plain, quoted in (('"', "&quot;"), ("%", "%25"), ("#", "%23"), ("&", "&amp;")):
        svg = svg.replace(plain, quoted)
    return f"data:image/svg+xml,{svg}"
