"""Lab 03's picture of one image after the detour by tokens, at every corner of the grid, and of its tokens."""

from collections.abc import Sequence

import numpy as np

from vqlab import figures
from vqlab.figures import View


@figures.styled
def own_image_view(
    image: np.ndarray,
    back: np.ndarray,
    psnr: np.ndarray,
    tokens: np.ndarray,
    chosen: int,
    sizes: Sequence[int],
    starts: Sequence[str],
) -> View:
    """An image beside what it is after the detour by the tokens of four tokenizers, and the tokens of one of them.

    image: uint8 (3, 32, 32).   back, psnr: uint8 (4, 3, 32, 32) and dB (4,); tokenizers in rows of `sizes` (K) and
    columns of `starts` (words), two each.   tokens: (8, 8), of the tokenizer `chosen`, 0…3.
    """
    names = [f"{start}, K = {size:,}" for size in sizes for start in starts]
    best = int(np.argmax(psnr))
    title = f"Best of four: {names[best]}, PSNR {psnr[best]:.1f} dB"
    figure, (images, table) = figures.canvas(2, title)
    figures.place(images, 0.09, 0.48, labels=0.95)
    figures.place(table, 0.53, 0.985, labels=0.2)
    back = back.reshape(len(sizes), len(starts), *image.shape)
    shown = np.concatenate([np.broadcast_to(image, (len(sizes), 1, *image.shape)), back], 1)  # (2, 1 + 2, 3, 32, 32)
    figures.image_grid(images, shown, [f"K = {size:,}" for size in sizes], ["your image", *starts])
    step = images.get_xlim()[1] / shown.shape[1]
    for i, value in enumerate(psnr):
        row, column = divmod(i, len(starts))
        spot = ((column + 1.03) * step, row * step + 1)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        images.text(*spot, f"{value:.1f} dB", ha="left", va="top", color=figures.ON_LIGHT, bbox=box)
    table.imshow(tokens, cmap="Blues", vmax=2.5 * sizes[-1], aspect="auto", interpolation="nearest")
    for (row, column), token in np.ndenumerate(tokens):
        table.text(column, row, f"{token:,}", ha="center", va="center", color=figures.ON_LIGHT)
    table.set_axis_off()
    table.set_title(f"{tokens.size} tokens: {names[chosen]}", loc="left", y=1.03)
    values = ", ".join(f"{name} {value:.1f} dB" for name, value in zip(names, psnr, strict=True))
    status = (
        f"PSNR: {values}. Tokens of “{names[chosen]}”: {len(np.unique(tokens))} different ones among {tokens.size}, "
        f"the first row {', '.join(str(token) for token in tokens[0])}."
    )
    return View(figure, f"{title}. {status}", status)
