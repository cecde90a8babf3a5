"""Pictures from somebody's own folder, as small square images."""

from pathlib import Path

import numpy as np

from vqlab import LabError
from vqlab.data import read_image


def read_pictures(folder: Path, count: int, seed: int) -> tuple[np.ndarray, list[str]]:
    """At most `count` pictures of a folder and its subfolders, in random order: uint8 (n, 3, 32, 32).

    Returns also one line for each file that `data.read_image` cannot read.
    Raises: LabError if the folder is not there, or holds fewer than two pictures.
    """
    if not folder.is_dir():
        raise LabError(f"--data {folder} is neither cifar10 nor photos nor a folder: name a folder of pictures")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    pictures, skipped = [], []
    for i in np.random.default_rng(seed).permutation(len(files)):
        if len(pictures) == count:
            break
        try:
            pictures.append(read_image(files[i]))
        except LabError as error:
            skipped.append(f"skipped {files[i].relative_to(folder)}: {error}")
    if len(pictures) < 2:
        raise LabError(
            f"{folder} holds {len(pictures)} pictures that can be read, among {len(files)} files, and training needs "
            "two, one of them to judge by: name another folder"
        )
    return np.stack(pictures), sorted(skipped)
