"""Bring an image of your own: its tokens and its reconstruction by every stored tokenizer of a lab."""

from collections.abc import Mapping, Sequence

import ipywidgets as w
import numpy as np

from vqlab import LabError, data, measures
from vqlab.figures import View
from vqlab.figures.own_image import own_image_view
from vqlab.sweeps.tokenizers import Shelf
from vqlab.widgets.picture_box import WRAPPING, PictureBox

_PATCHES, _SHOWN = 6, 4  # one of some crops of photographs stands there at first
MOST_BYTES = 5_000_000  # more would not fit through the connection of a notebook


class OwnImage(PictureBox):
    """An upload control, a list of tokenizers, a picture, and its numbers in words.

    shelf: the tokenizers, row by row, in rows with these names and a column for each of their warm-ups.
    Until something is uploaded it shows a crop of a photograph. `show(bytes)` does what an upload does.
    """

    def __init__(self, shelf: Shelf, rows: Sequence[str]) -> None:
        self.image = data.photo_patches(_PATCHES, seed=1).x[_SHOWN]
        warmups = dict.fromkeys(position["warmup"] for position in shelf.positions)
        self._columns = tuple(f"warm-up {warmup:,}" if warmup else "cold" for warmup in warmups)
        self.names = [f"{column}, {row}" for row in rows for column in self._columns]
        self._shelf, self._rows = shelf, tuple(rows)
        named = {"tooltip": "choose a picture of your own", "layout": w.Layout(width="auto")}
        self._upload = w.FileUpload(accept="image/*", multiple=False, description="Your picture", **named)
        label = {"description": "tokens of", "tooltip": "tokens of", "style": {"description_width": "initial"}}
        self._which = w.Dropdown(options=self.names, value=self.names[-1], **label)
        self._upload.observe(self._on_upload, "value")
        self._which.observe(lambda _: self.redraw(), "value")
        self.fill([w.HBox([self._upload, self._which], layout=WRAPPING)])

    def show(self, raw: bytes) -> None:
        """Encode the picture in these bytes of a file. What is no picture gets a sentence, and the old one stays."""
        try:
            if len(raw) > MOST_BYTES:
                raise LabError(
                    f"the upload has {len(raw) / 1e6:.0f} MB: make it smaller than {MOST_BYTES / 1e6:.0f} MB"
                )
            self.image = data.read_image(raw)
        except LabError as error:
            self.say(f"Not shown: {error}.")
            return
        self.redraw()

    def current(self) -> View:
        """The view of the present image."""
        tokenizers = [self._shelf.load(i) for i in range(len(self.names))]
        tokens = [tokenizer.encode(self.image[None]) for tokenizer in tokenizers]  # (1, h, w) each
        back = np.concatenate([one.decode(t) for one, t in zip(tokenizers, tokens, strict=True)])  # (n, 3, 32, 32)
        # Judged as the lab judges: before rounding to whole pixel values.
        psnr = measures.psnr(measures.mean_squared_error(self.image[None] / 255, back[:, None]))
        chosen = self.names.index(self._which.value)
        shown = np.clip(np.round(255 * back), 0, 255).astype(np.uint8)
        codebook_size = max(len(tokenizer.codebook) for tokenizer in tokenizers)
        return own_image_view(
            self.image, shown, psnr, tokens[chosen][0], codebook_size, self._which.value, self._rows, self._columns
        )

    def _on_upload(self, change: Mapping) -> None:
        for raw in contents(change["new"]):
            self.show(raw)


def contents(value: object) -> list[bytes]:
    """The files in the value of a FileUpload: a tuple of dicts in ipywidgets 8, a dict by name in 7."""
    files = value.values() if isinstance(value, Mapping) else value
    return [bytes(file["content"]) for file in files]
