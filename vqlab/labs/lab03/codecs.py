"""Two ways without any learning to store small images in few bits, to judge a tokenizer by: JPEG and downsampling."""

import io

import numpy as np
from PIL import Image

from vqlab import measures

CODECS = ("JPEG", "downsampling")
QUALITIES, SIDES = (1, 3, 5, 8, 12, 18), (3, 4, 5, 6, 7, 8)
COLUMNS = 40


def rate_and_error(codec: str, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bits per pixel and mean squared error (pixels in [0, 1]) at each of its settings: images (n, 3, H, W) uint8.

    JPEG (Pillow's, qualities QUALITIES) gets all images as one mosaic, COLUMNS a row, so that they share one header.
    Downsampling keeps the means of SIDES × SIDES areas, 8 bits a colour, and enlarges them bicubically.
    """
    results = [jpeg(images, q) for q in QUALITIES] if codec == "JPEG" else [downsample(images, s) for s in SIDES]
    rates = np.array([bits for bits, _ in results])
    errors = [measures.mean_squared_error(images / 255, back[None] / 255)[0] for _, back in results]
    return rates, np.array(errors)


def jpeg(images: np.ndarray, quality: int) -> tuple[float, np.ndarray]:
    """Bits per pixel, and the images (n, 3, H, W) after JPEG at a quality 1…95; n a multiple of COLUMNS."""
    file = io.BytesIO()
    Image.fromarray(tiled(images)).save(file, "JPEG", quality=quality, optimize=True)
    bits = 8 * file.tell() / (len(images) * images.shape[2] * images.shape[3])
    return bits, untiled(np.asarray(Image.open(file)), images.shape)


def downsample(images: np.ndarray, side: int) -> tuple[float, np.ndarray]:
    """Bits per pixel, and the images (n, 3, H, W) after a detour by side × side pixels."""
    pictures = [Image.fromarray(image.transpose(1, 2, 0)) for image in images]  # (3, H, W) -> (H, W, 3)
    small = [picture.resize((side, side), Image.Resampling.BOX) for picture in pictures]
    large = [picture.resize(images.shape[:1:-1], Image.Resampling.BICUBIC) for picture in small]
    bits = 3 * 8 * side**2 / (images.shape[2] * images.shape[3])
    return bits, np.stack([np.asarray(picture).transpose(2, 0, 1) for picture in large])  # (H, W, 3) -> (3, H, W)


def tiled(images: np.ndarray) -> np.ndarray:
    """Images (n, 3, H, W) as one picture (n/COLUMNS·H, COLUMNS·W, 3)."""
    n, channels, height, width = images.shape
    grid = images.reshape(n // COLUMNS, COLUMNS, channels, height, width)
    return grid.transpose(0, 3, 1, 4, 2).reshape(n // COLUMNS * height, COLUMNS * width, channels)


def untiled(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What `tiled` was given, of this shape (n, 3, H, W)."""
    n, channels, height, width = shape
    grid = picture.reshape(n // COLUMNS, height, COLUMNS, width, channels)
    return grid.transpose(0, 2, 4, 1, 3).reshape(shape)
