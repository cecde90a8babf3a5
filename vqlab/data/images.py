"""Small real images: crops of two photographs, and whatever picture somebody brings."""

import warnings
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vqlab import LabError
from vqlab.data.samples import Samples
from vqlab.inputs import whole

if TYPE_CHECKING:
    from PIL import Image

SIDE = 32
_LARGEST_SIDE = 4096
_FEWEST_PIXELS, _MOST_PIXELS = 8, 50_000_000  # of a side, of a picture
_FORMATS = ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"]  # Pillow starts other programs for some of the rest


def photo_patches(n: int = 4000, seed: int = 0) -> Samples:
    """n random 32×32 crops, half mirrored, of the two photographs bundled with scikit-learn; y tells which.

    x uint8 (n, 3, 32, 32). The photographs are first halved, so that a crop holds some structure.
    Raises: LabError if n < 1.
    """
    photos = _photographs()
    rng = np.random.default_rng(seed)
    y = rng.integers(len(photos), size=whole(n, "n"))
    x = np.empty((n, 3, SIDE, SIDE), np.uint8)
    for i, photo in enumerate(y):
        image = photos[photo]
        top, left = (rng.integers(size - SIDE + 1) for size in image.shape[:2])
        crop = image[top : top + SIDE, left : left + SIDE]
        x[i] = (crop[:, ::-1] if rng.random() < 0.5 else crop).transpose(2, 0, 1)  # (H, W, C) -> (C, H, W)
    return Samples(x, y.astype(np.int64))


@cache
def _photographs() -> list[np.ndarray]:
    """Two photographs, uint8 (H, W, 3), at half their size; decoded once, for pictures are drawn from them often."""
    from sklearn.datasets import load_sample_images

    return [image[::2, ::2].copy() for image in load_sample_images().images]


def read_image(source: str | Path | bytes | memoryview, side: int = SIDE, square: bool = True) -> np.ndarray:
    """Any picture as networks take it: uint8 (3, side, side), the largest centred square, resized.

    source: a file, or the bytes of one, such as an upload. Turned as its EXIF says; grey and palettes become colours,
    what is transparent lies on white, of an animation the first frame counts.
    side: in pixels.   square: if not, the whole picture (3, H, W), whose shorter side becomes `side`.
    Raises: LabError if it is no picture, damaged, larger than 50 megapixels or smaller than 8 pixels a side, or for a
        side outside 1…4096.
    """
    from PIL import Image

    side = whole(side, "the side of a picture", most=_LARGEST_SIDE)
    name = str(source) if isinstance(source, str | Path) else "the upload"
    picture = _decoded(_raw(source), name)
    shorter = min(picture.size)
    margin = np.subtract(picture.size, shorter) / 2 * bool(square)
    size = (side, side) if square else tuple(round(side * length / shorter) for length in picture.size)
    box = (*margin, *np.subtract(picture.size, margin))  # left, top, right, bottom
    small = picture.resize(size, Image.Resampling.LANCZOS, box=tuple(map(float, box)))
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("RGB")
    return np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))  # (H, W, C) -> (C, H, W)


def _raw(source: str | Path | bytes | memoryview) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if not isinstance(source, str | Path):
        raise LabError(f"a picture is given by the path of its file or by its bytes, got {type(source).__name__}")
    try:
        return Path(source).expanduser().read_bytes()
    except OSError as error:
        raise LabError(f"{source} cannot be read ({error.strerror}): give the path of a picture") from None


def _decoded(raw: bytes, name: str) -> "Image.Image":
    """The first frame, upright, in mode RGB, or RGBA if something in it may be transparent."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    too_large = f"{name} has more than {_MOST_PIXELS // 10**6} megapixels: make it smaller first"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes, which are judged here, and about odd metadata
            picture = Image.open(BytesIO(raw), formats=_FORMATS)
            width, height = picture.size
            if width * height > _MOST_PIXELS:
                raise LabError(too_large)
            if min(width, height) < _FEWEST_PIXELS:
                raise LabError(f"{name} has {width}×{height} pixels: choose one with at least 8 a side")
            ImageOps.exif_transpose(picture, in_place=True)
            return _in_colour(picture)
    except LabError:
        raise
    except Image.DecompressionBombError:
        raise LabError(too_large) from None
    except UnidentifiedImageError:
        raise LabError(f"{name} is not a picture that can be read: give a PNG or JPEG") from None
    except Exception as error:  # damaged bytes make the decoders raise nearly anything
        reason = " ".join(str(error).split())[:120].replace(". ", ", ").rstrip(".") or type(error).__name__
        raise LabError(f"{name} is damaged or of a rare kind ({reason}): save it anew as PNG or JPEG") from None


def _in_colour(picture: "Image.Image") -> "Image.Image":
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip at 255
        return Image.fromarray((np.asarray(picture, np.float32) / 257).clip(0, 255).astype(np.uint8)).convert("RGB")
    if picture.mode == "F":
        raise ValueError("its pixels are fractions")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
