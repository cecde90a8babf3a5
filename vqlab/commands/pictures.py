"""Pictures from somebody's own folder, and random crops of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqlab import LabError
from vqlab.data import read_image

if TYPE_CHECKING:
    from torch import Generator, Tensor

_AT_ONCE = 64


def read_pictures(
    folder: Path, count: int, seed: int, side: int = 32, square: bool = True
) -> tuple[list[np.ndarray], list[str]]:
    """At most `count` pictures of a folder and its subfolders, in random order, as `data.read_image` reads them.

    Returns also one line for each file that it cannot read.
    Raises: LabError if the folder is not there, or holds fewer than two pictures.
    """
    if not folder.is_dir():
        raise LabError(f"--data {folder} is neither cifar10 nor photos nor a folder: name a folder of pictures")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    order = [files[i] for i in np.random.default_rng(seed).permutation(len(files))]

    def read(path: Path) -> np.ndarray | str:
        try:
            return read_image(path, side, square)
        except LabError as error:
            return f"skipped {path.relative_to(folder)}: {error}"

    pictures, skipped = [], []
    with ThreadPoolExecutor() as pool:  # decoding and resizing let other threads run
        while order and len(pictures) < count:
            now = min(_AT_ONCE, count - len(pictures))
            for found in pool.map(read, order[:now]):
                (skipped if isinstance(found, str) else pictures).append(found)
            del order[:now]
    if len(pictures) < 2:
        raise LabError(
            f"{folder} holds {len(pictures)} pictures that can be read, among {len(files)} files, and training needs "
            "two, one of them to judge by: name another folder"
        )
    return pictures, sorted(skipped)


def centre_crops(pictures: Sequence[np.ndarray], side: int) -> "Tensor":
    """The middle of each picture (3, H, W): uint8 (n, 3, side, side)."""
    import torch

    corners = [[(length - side) // 2 for length in picture.shape[1:]] for picture in pictures]
    return torch.from_numpy(np.stack([_crop(*both, side) for both in zip(pictures, corners, strict=True)]))


def random_crops(pictures: Sequence[np.ndarray], side: int) -> "Callable[[int, Generator], Tensor]":
    """draw(n, generator) for `Trainer`: n crops of random pictures, half of them mirrored, uint8 (n, 3, side, side)."""
    import torch

    def draw(n: int, generator: "Generator") -> "Tensor":
        crops = np.empty((n, 3, side, side), np.uint8)
        rows = torch.randint(len(pictures), (n,), generator=generator).tolist()
        chances = torch.rand(n, 3, generator=generator).tolist()
        for crop, row, (*place, mirrored) in zip(crops, rows, chances, strict=True):
            free = [length - side + 1 for length in pictures[row].shape[1:]]
            corner = [int(share * places) for share, places in zip(place, free, strict=True)]
            found = _crop(pictures[row], corner, side)
            crop[:] = found[..., ::-1] if mirrored < 0.5 else found
        return torch.from_numpy(crops)

    return draw


def _crop(picture: np.ndarray, corner: Sequence[int], side: int) -> np.ndarray:
    top, left = corner
    return picture[:, top : top + side, left : left + side]
