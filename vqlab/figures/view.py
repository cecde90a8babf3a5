"""A picture with its words."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from html import escape

from matplotlib import rc_context
from matplotlib.figure import Figure

from vqlab.figures.rendering import STYLE, png

PAGE_PX = 1100


@dataclass(frozen=True)
class View:
    """A figure, the sentence that replaces it for those who cannot see it, and the numbers in words."""

    figure: Figure
    alt: str
    status: str

    def _repr_mimebundle_(self, **_: object) -> tuple[dict, dict]:
        picture = png(self.figure)
        # JupyterLab gives a plain PNG no alt text; as HTML it has one. The PNG is for readers without JavaScript.
        bundle = {"image/png": picture, "text/html": as_html(picture, self.alt), "text/plain": self.alt}
        return bundle, {"image/png": {"alt": self.alt}}


def as_html(picture: bytes, alt: str, style: str = "") -> str:
    """PNG bytes as an HTML image with alt text, as wide as there is room for. style: more CSS."""
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    style = f"width:100%;max-width:{PAGE_PX}px;height:auto;{style}"
    return f'<img alt="{escape(alt, quote=True)}" src="{source}" style="{style}">'


def styled(view: Callable[..., View]) -> Callable[..., View]:
    """Decorate a view so that everything it draws, now or while rendering, has the house style."""

    @wraps(view)
    def drawn(*arguments: object, **named: object) -> View:
        with rc_context(STYLE):
            return view(*arguments, **named)

    return drawn
