"""Whatever picture a student brings becomes 3 × 32 × 32 bytes, or gets a sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import Image
from steady import given

from vqlab import LabError, data


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def quarters(side: int = 64) -> Image.Image:
    """Red, green over blue, white: every turn and mirroring shows."""
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    return Image.fromarray(colours.repeat(side // 2, 0).repeat(side // 2, 1))


def colours(image: np.ndarray) -> list[list[int]]:
    """The colours at top left, top right, bottom left and bottom right, each channel none or full."""
    assert image.shape == (3, 32, 32)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    return np.where(image[:, [4, 4, 27, 27], [4, 27, 4, 27]].T < 128, 0, 255).tolist()


R, G, B, W = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("side", [8, 31, 32, 300])
def test_every_common_format_and_size_is_read_the_right_way_up(kind, side):
    picture = quarters(64).resize((side, side), Image.Resampling.NEAREST)
    assert colours(data.read_image(encoded(picture, kind))) == [R, G, B, W]


def test_a_picture_of_this_size_stays_as_it_is():
    patch = data.photo_patches(1).x[0]
    picture = Image.fromarray(patch.transpose(1, 2, 0))  # (C, H, W) -> (H, W, C)
    assert np.array_equal(data.read_image(encoded(picture)), patch)


def test_a_file_a_path_and_bytes_of_any_kind_read_alike(tmp_path):
    raw = encoded(quarters())
    (tmp_path / "mine.png").write_bytes(raw)
    wanted = data.read_image(raw)
    for source in (tmp_path / "mine.png", str(tmp_path / "mine.png"), memoryview(raw), bytearray(raw)):
        assert np.array_equal(data.read_image(source), wanted)


def test_a_picture_is_read_at_any_side_and_whole_if_it_need_not_be_square(refuses):
    raw = encoded(quarters(80).resize((200, 100)))
    assert data.read_image(raw, 64).shape == (3, 64, 64)
    whole = data.read_image(raw, 48, square=False)
    assert whole.shape == (3, 48, 96)
    assert np.where(whole[:, 4, 4] < 128, 0, 255).tolist() == R  # which the centred square loses half of
    for wrong in (0, 5000, 2.5, "large"):
        with refuses("side of a picture"):
            data.read_image(raw, wrong)


@pytest.mark.parametrize(("width", "height"), [(200, 100), (100, 200), (301, 100)])
def test_the_centre_of_a_long_picture_is_kept(width, height):
    picture = Image.new("RGB", (width, height), "black")
    left, top = (width - 100) // 2, (height - 100) // 2
    picture.paste(quarters(100), (left, top))
    assert colours(data.read_image(encoded(picture))) == [R, G, B, W]


def test_grey_of_8_and_of_16_bits_becomes_grey_in_colour():
    ramp = np.tile(np.linspace(0, 255, 64).round().astype(np.uint8), (64, 1))
    eight = data.read_image(encoded(Image.fromarray(ramp)))
    sixteen = data.read_image(encoded(Image.fromarray(ramp.astype(np.uint16) * 257)))
    assert np.array_equal(eight[0], eight[1])
    assert np.array_equal(eight[0], eight[2])
    assert np.abs(eight.astype(int) - sixteen).max() <= 1
    assert eight.min() < 10
    assert eight.max() > 245


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr"])
def test_palettes_inks_and_two_tones_become_colours(mode):
    kind = {"1": "PNG", "P": "PNG", "CMYK": "JPEG", "YCbCr": "JPEG"}[mode]
    read = data.read_image(encoded(quarters().convert(mode), kind))
    if mode == "1":
        assert np.array_equal(read[0], read[1])
        assert colours(read)[3] == W
    else:
        assert colours(read) == [R, G, B, W]


def transparent_right_half(mode: str) -> bytes:
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 255))
    picture.paste((255, 0, 0, 0), (32, 0, 64, 64))  # an invisible red, which must not shine through
    if mode == "P":
        palette = picture.convert("RGB").quantize(2)
        invisible = palette.getpixel((60, 30))
        return encoded(palette, transparency=invisible)
    if mode == "RGB":
        return encoded(picture.convert("RGB"), transparency=(255, 0, 0))
    return encoded(picture.convert(mode), "TIFF" if mode == "RGBa" else "PNG")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_what_is_transparent_lies_on_white(mode):
    read = data.read_image(transparent_right_half(mode))
    assert read[:, :, :14].max() < 12
    assert read[:, :, 18:].min() > 243


def test_half_transparent_is_half_white():
    read = data.read_image(encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 128))))
    assert np.abs(read.astype(int) - 127).max() <= 1


@pytest.mark.parametrize(
    ("orientation", "shown"),
    [
        (1, [R, G, B, W]),
        (2, [G, R, W, B]),
        (3, [W, B, G, R]),
        (4, [B, W, R, G]),
        (5, [R, B, G, W]),
        (6, [B, R, W, G]),
        (7, [W, G, B, R]),
        (8, [G, W, R, B]),
    ],
)
def test_a_photo_is_turned_as_its_camera_noted(orientation, shown):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert colours(data.read_image(encoded(quarters(), "JPEG", exif=exif))) == shown


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(kind):
    later = [Image.new("RGB", (64, 64), colour) for colour in ("black", "yellow")]
    raw = encoded(quarters(), kind, save_all=True, append_images=later)
    with Image.open(io.BytesIO(raw)) as animated:
        assert animated.n_frames == 3
    assert colours(data.read_image(raw)) == [R, G, B, W]


# --- Refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw", [b"", b"hello", b"%PDF-1.7\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\0" * 999]
)
def test_what_is_no_picture_is_refused(raw, refuses):
    with refuses("the upload is not a picture that can be read"):
        data.read_image(raw)


def test_formats_for_which_pillow_starts_other_programs_are_refused(refuses):
    with refuses("is not a picture that can be read"):
        data.read_image(encoded(quarters(), "EPS"))


def test_a_file_that_is_not_there_and_a_folder_are_named(tmp_path, refuses):
    for path in (tmp_path / "nothing.png", tmp_path):
        with refuses(f"{path} cannot be read"):
            data.read_image(path)


def test_something_that_is_neither_path_nor_bytes_is_refused(refuses):
    for wrong in (None, 5, {"content": b""}, np.zeros((3, 32, 32))):
        with refuses(f"or by its bytes, got {type(wrong).__name__}"):
            data.read_image(wrong)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_picture_is_refused(kind, share, refuses):
    noise = np.random.default_rng(0).integers(256, size=(99, 99, 3), dtype=np.uint8)
    raw = encoded(Image.fromarray(noise), kind)
    with refuses("the upload is"):
        data.read_image(raw[: int(share * len(raw))])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
@given(draw=st.data())
def test_damaged_pictures_are_read_or_refused_but_never_end_otherwise(kind, draw):
    raw = bytearray(encoded(quarters(16), kind))
    for place in draw.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
        raw[place] = draw.draw(st.integers(0, 255))
    try:
        read = data.read_image(bytes(raw))
    except LabError:
        return
    assert read.shape == (3, 32, 32)


def png_that_says(width: int, height: int) -> bytes:
    """The head of a PNG of this size and no pixels: opening it tells the size, decoding it would fail."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in (head, b"IDAT" + zlib.compress(b""), b"IEND")
    )


@pytest.mark.parametrize("size", [(7072, 7072), (10_000, 10_000), (20_000, 20_000), (2**31 - 1, 8)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size, refuses, recwarn):
    with refuses("more than 50 megapixels"):
        data.read_image(png_that_says(*size))
    assert not recwarn.list


def test_just_below_the_limit_a_picture_is_decoded(refuses):
    with refuses("damaged"):  # its pixels are missing, so it was its size that passed
        data.read_image(png_that_says(7071, 7071))


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7)])
def test_a_tiny_picture_is_refused(size, refuses):
    with refuses(f"{size[0]}×{size[1]} pixels: choose one with at least 8 a side"):
        data.read_image(encoded(Image.new("RGB", size)))


def test_pixels_that_are_fractions_are_refused(refuses):
    with refuses("pixels are fractions"):
        data.read_image(encoded(Image.new("F", (20, 20)), "TIFF"))
