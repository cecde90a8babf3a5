"""What stands in a saved notebook beside a widget: shown where the widget is dead, hidden where it lives."""

import hashlib

import ipywidgets as w
from IPython.display import display

WIDGET = "application/vnd.jupyter.widget-view+json"
ASLEEP = "vqlab-asleep"
# A page marks widgets whose kernel is gone; the sentence appears in them then.
ASLEEP_STYLE = f".{ASLEEP}{{display:none}}.jupyter-widgets-disconnected .{ASLEEP}{{display:block}}"
# JupyterLab puts bare words, "Error displaying widget", where a widget's model is missing.
_DEAD = ".jp-OutputArea-child:has(+ .jp-OutputArea-child .vqlab-still) > .jupyter-widgets:not(:has(*))"


def show(widget: w.DOMWidget, still: dict[str, object], metadata: dict[str, dict]) -> None:
    """Display a widget and, as an output of its own, what a notebook shows without a kernel.

    still: a mime bundle with "text/html"; while the widget is alive on the page, this is hidden.
    """
    name = "vqlab-" + hashlib.sha256(still["text/html"].encode()).hexdigest()[:12]
    widget.add_class(name)
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    display({WIDGET: view}, raw=True)
    style = f"<style>body:has(.{name}) .{name}-still,{_DEAD}{{display:none}}</style>"
    html = f'{style}<div class="vqlab-still {name}-still">{still["text/html"]}</div>'
    display(still | {"text/html": html}, metadata=metadata, raw=True)
