"""The picture of one image after the detour by the tokens of several tokenizers, and of the tokens of one."""

from collections.abc import Sequence

import numpy as np

from vqlab.figures.drawing import ON_DARK, ON_LIGHT
from vqlab.figures.images import image_grid
from vqlab.figures.sheets import canvas, place
from vqlab.figures.view import View, styled


@styled
def own_image_view(
    image: np.ndarray,
    back: np.ndarray,
    psnr: np.ndarray,
    tokens: np.ndarray,
    codebook_size: int,
    chosen: str,
    rows: Sequence[str],
    columns: Sequence[str],
) -> View:
    """An image beside what it is after the detour by the tokens of each tokenizer, and the tokens of one of them.

    image: uint8 (3, 32, 32).   back, psnr: uint8 (n, 3, 32, 32) and dB (n,), of tokenizers in rows and columns with
    these names, row by row.   tokens: (h, w), of the tokenizer called `chosen`, "COLUMN, ROW".   codebook_size: the
    largest of theirs.
    """
    names = [f"{column}, {row}" for row in rows for column in columns]
    title = f"{tokens.size} tokens of {len(names)} tokenizers: PSNR {psnr.min():.1f} to {psnr.max():.1f} dB"
    figure, (images, table) = canvas(2, title)
    place(images, 0.09, 0.48, labels=0.95)
    place(table, 0.53, 0.985, labels=0.2)
    back = back.reshape(len(rows), len(columns), *image.shape)
    shown = np.concatenate([np.broadcast_to(image, (len(rows), 1, *image.shape)), back], 1)  # (rows, 1 + columns, …)
    image_grid(images, shown, rows, ["your image", *columns])
    step = images.get_xlim()[1] / shown.shape[1]
    for i, value in enumerate(psnr):
        row, column = divmod(i, len(columns))
        spot = ((column + 1.03) * step, row * step + 1)
        box = {"facecolor": ON_DARK, "edgecolor": "none", "pad": 1.5}
        images.text(*spot, f"{value:.1f} dB", ha="left", va="top", color=ON_LIGHT, bbox=box)
    table.imshow(tokens, cmap="Blues", vmax=2.5 * codebook_size, aspect="auto", interpolation="nearest")
    for (row, column), token in np.ndenumerate(tokens):
        table.text(column, row, f"{token:,}", ha="center", va="center", color=ON_LIGHT)
    table.set_axis_off()
    table.set_title(f"{tokens.size} tokens: {chosen}", loc="left", y=1.03)
    values = ", ".join(f"{name} {value:.1f} dB" for name, value in zip(names, psnr, strict=True))
    status = (
        f"PSNR: {values}. Tokens of “{chosen}”: {len(np.unique(tokens))} different ones among {tokens.size}, "
        f"the first row {', '.join(str(token) for token in tokens[0])}."
    )
    return View(figure, f"{title}. {status}", status)
