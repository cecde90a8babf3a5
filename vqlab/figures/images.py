"""Panels that show images instead of curves."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from vqlab import LabError

_GAP = 1 / 12  # of an image's side
_OPAQUE = 255
_NAME_SIZE = 11


def image_grid(axis: Axes, images: np.ndarray, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> None:
    """Images in rows and columns on a panel without axes, every pixel crisp and square.

    images: uint8, (rows, columns, 3, H, W), or (rows, columns, 1, H, W) for grey.   rows, columns: their names, if any.

    Raises: LabError for another shape or dtype, or if there are not as many names as rows or columns.
    """
    images = np.asarray(images)
    if images.ndim != 5 or images.shape[2] not in (1, 3) or images.dtype != np.uint8:
        raise LabError(
            f"an image grid takes uint8 of shape (rows, columns, 3 or 1, H, W), got {images.dtype} {images.shape}: "
            "reshape it, and turn shares of 1 into 0…255"
        )
    for names, count, what in ((rows, images.shape[0], "rows"), (columns, images.shape[1], "columns")):
        if len(names) not in (0, count):
            raise LabError(f"an image grid of {count} {what} got {len(names)} names: give one each, or none")
    sheet, (down, across) = _tiled(images)
    axis.imshow(sheet, interpolation="none", aspect="equal", extent=(0, sheet.shape[1], sheet.shape[0], 0))
    axis.set_axis_off()
    height, width = images.shape[3:]
    for i, name in enumerate(rows):
        axis.text(-0.1 * width, i * down + height / 2, name, ha="right", va="center", fontsize=_NAME_SIZE)
    for i, name in enumerate(columns):
        axis.text(i * across + width / 2, -0.1 * height, name, ha="center", va="bottom", fontsize=_NAME_SIZE)


def _tiled(images: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """One image of all with transparent gaps, (height, width, 4), and the steps from one to the next."""
    rows, columns, _, height, width = images.shape
    gap = max(1, round(_GAP * min(height, width)))
    down, across = height + gap, width + gap
    sheet = np.zeros((rows * down - gap, columns * across - gap, 4), np.uint8)
    for (i, j), image in ((at, images[at]) for at in np.ndindex(rows, columns)):
        tile = sheet[i * down : i * down + height, j * across : j * across + width]
        tile[..., :3] = image.transpose(1, 2, 0)  # (3 or 1, H, W) -> (H, W, 3 or 1)
        tile[..., 3] = _OPAQUE
    return sheet, (down, across)
