"""Lab 03: its trainings, its pictures, uploads, and every sentence that a sweep could contradict."""

import io
import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import made_up_cifar10
import numpy as np
import pictures
import pytest
import torch
from PIL import Image

from vqlab import data, figures, measures, sweeps
from vqlab.labs.lab03 import checkpoints, claims, codecs, experiments, readings
from vqlab.labs.lab03 import exercises as lab03
from vqlab.labs.lab03.pictures import sizes, training
from vqlab.sweeps import tokenizers
from vqlab.widgets.own_image import MOST_BYTES

K = (64, 256, 1024, 4096)
WIDE = {"width": 32}


@pytest.fixture(scope="module")
def sweep():
    return sweeps.load("images_collapse")


@pytest.fixture(scope="module")
def variants():
    return sweeps.load("images_variants")


@pytest.fixture(scope="module")
def stored_codecs():
    return sweeps.load("images_codecs")


def final(sweep, key, warmup, k, width=32):
    return sweep.final(key, warmup=warmup, codebook_size=k, width=width)


# --- what is recorded ---------------------------------------------------------------------------------------

TINY = {"steps": 12, "batch_size": 4, "learning_rate": 1e-3, "initialisation_latents": 512}


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """CIFAR-10 of a few random images, of which 30 are trained on and 10 held out."""
    made_up_cifar10.write_binary(tmp_path, n=20)
    monkeypatch.setenv("VQLAB_DATA", str(tmp_path))
    monkeypatch.setattr(experiments, "_TRAINING", 30)
    monkeypatch.setattr(experiments, "_HELD_OUT", 10)
    experiments.images.cache_clear()
    yield
    experiments.images.cache_clear()


def test_a_training_records_what_the_lab_reads(made_up):
    seen = []
    position = {"warmup": 4, "codebook_size": 16, "width": 8}
    cell = experiments.train_images(position, (0, 1), seen.append, base=TINY, frames=(0, 4, 12))
    trainer = seen[-1]
    held_out = torch.from_numpy(experiments.images()[1].x)
    reconstruction, tokens = trainer.reconstruct(held_out)
    assert cell["mse"].shape == (2, 3)
    error = (reconstruction[0] - held_out / 255).square().mean().item()
    assert cell["mse"][1, -1] == pytest.approx(error, rel=1e-4)
    counts = np.bincount(tokens[0], minlength=16)
    assert counts.sum() == 10 * readings.TOKENS
    assert cell["active"][1, -1] == (counts > 0).sum()
    codebook = trainer.quantizer.codebook[0].detach().numpy()
    assert cell["used_dim"][1, -1] == lab03.used_dimension.reference(codebook, tokens[0].numpy())
    assert cell["code_dim"][1, -1] == measures.effective_dimension(codebook)
    latents = trainer.latents(held_out)[0].numpy()
    assert cell["spread"][1, -1] == pytest.approx(np.sqrt(np.square(latents - latents.mean(0)).sum(1).mean()), rel=1e-4)
    for key in ("perplexity", "active", "code_dim", "used_dim", "centroid_dim", "quantized_dim"):
        assert np.isnan(cell[key][:, 0]).all()
        assert np.isfinite(cell[key][:, 1:]).all()
    assert cell["patches"].shape == (6, 3, 32, 32)
    assert cell["patches"].dtype == np.uint8
    assert cell["usage"].sum() == 10 * readings.TOKENS
    for probe in ("probe_latents", "probe_tokens"):
        assert cell[probe].shape == (2,)
        assert ((cell[probe] >= 0) & (cell[probe] <= 1)).all()


@pytest.mark.parametrize("variant", experiments.VARIANTS)
def test_every_variant_can_be_trained(variant, made_up, monkeypatch):
    monkeypatch.setattr(experiments, "CODEBOOK_SIZE", 16)
    cell = experiments.train_images({"warmup": 2, "variant": variant}, (0,), base=TINY, frames=(0, 12))
    assert np.isfinite(cell["mse"]).all()


def test_a_class_written_into_the_latents_is_read_by_the_probe():
    rng = np.random.default_rng(0)
    labels = [rng.integers(10, size=400), rng.integers(10, size=200)]
    features = [np.eye(10)[y] + 0.1 * rng.normal(size=(len(y), 10)) for y in labels]
    assert experiments._accuracy(features, labels) > 0.98
    assert experiments._accuracy([rng.normal(size=(len(y), 10)) for y in labels], labels) < 0.25


def test_without_cifar10_a_training_says_so(tmp_path, monkeypatch, refuses):
    monkeypatch.setenv("VQLAB_DATA", str(tmp_path))
    experiments.images.cache_clear()
    with refuses("CIFAR-10"):
        experiments.train_images({"warmup": 0}, (0,), base=TINY, frames=(0,))


# --- codecs -------------------------------------------------------------------------------------------------


def test_tiling_can_be_undone():
    images = np.random.default_rng(0).integers(256, size=(80, 3, 4, 6), dtype=np.uint8)
    picture = codecs.tiled(images)
    assert picture.shape == (2 * 4, 40 * 6, 3)
    assert np.array_equal(picture[:4, 6:12].transpose(2, 0, 1), images[1])
    assert np.array_equal(codecs.untiled(picture, images.shape), images)


def test_codecs_cost_and_keep_what_they_should():
    images = data.photo_patches(80).x
    for codec in codecs.CODECS:
        rate, error = codecs.rate_and_error(codec, images)
        assert (np.diff(rate) > 0).all()
        assert (np.diff(error) < 0).all()
    bits, back = codecs.downsample(images, 32)
    assert bits == 24
    assert np.array_equal(back, images)
    flat = np.full((40, 3, 32, 32), 77, np.uint8)
    assert codecs.jpeg(flat, 50)[0] < 0.2
    assert np.abs(codecs.jpeg(flat, 50)[1].astype(int) - 77).max() <= 1


# --- pictures -----------------------------------------------------------------------------------------------


def states(sweep):
    for warmup, k in ((0, 64), (0, 4096), (250, 1024), (1000, 256), (1000, 4096)):
        for width in sweep.axes["width"].values:
            yield {"warmup": warmup, "codebook_size": k, "width": width}


def all_views(sweep, stored_codecs):
    yield from (training.training_view(sweep, state) for state in states(sweep))
    for width in sweep.axes["width"].values:
        yield sizes.diseases_view(sweep, {"width": width})
        yield sizes.crossing_view(sweep, {"width": width})
        yield sizes.rates_view(stored_codecs, sweep, {"width": width})
    yield checkpoints.own_image().current()


def test_every_picture_is_small_legible_and_described(sweep, stored_codecs):
    for view in all_views(sweep, stored_codecs):
        pictures.check(view)


def test_nothing_moves_when_a_slider_moves(sweep, stored_codecs):
    pictures.check_that_nothing_moves([training.training_view(sweep, state) for state in states(sweep)])
    for view in (sizes.diseases_view, sizes.crossing_view, partial(sizes.rates_view, stored_codecs)):
        pictures.check_that_nothing_moves([view(sweep, {"width": width}) for width in sweep.axes["width"].values])


def test_originals_stand_beside_their_reconstructions(sweep):
    view = training.training_view(sweep, readings.START)
    drawn = view.figure.axes[0].images[0].get_array()
    originals, back = data.photo_patches(6).x, sweep.at(**readings.START)["patches"]
    step = drawn.shape[1] // 4 + 1
    for i in range(6):
        for image, column in ((originals[i], 2 * (i % 2)), (back[i], 2 * (i % 2) + 1)):
            top, left = i // 2 * step, column * step
            assert np.array_equal(drawn[top : top + 32, left : left + 32, :3].transpose(2, 0, 1), image)


def test_the_use_of_the_codes_is_drawn_whole(sweep):
    cell = sweep.at(**readings.START)
    view = training.training_view(sweep, readings.START)
    curve = view.figure.axes[1].lines[0]
    counts = np.sort(cell["usage"][:1024])[::-1]
    ranks = curve.get_xdata().astype(int)
    np.testing.assert_array_equal(curve.get_ydata(), counts[ranks - 1])
    assert (ranks[0], ranks[-1]) == (1, (counts > 0).sum())
    used, dead = view.figure.axes[2].lines[1:3]
    in_use = cell["usage"][:1024] > 0
    assert in_use.sum() == cell["active"][0, -1]
    width = 2 * figures.latent_limit(sweep)
    for line, codes in ((used, cell["codebook"][:1024][in_use]), (dead, cell["codebook"][:1024][~in_use])):
        gaps = np.linalg.norm(codes[:, None] - line.get_xydata(), axis=-1).min(1)  # (K, 1, 2) − (m, 2) -> (K, m)
        assert gaps.max() < 0.02 * width, "a code is not drawn, nor another one where it lies"
    assert f"{int(cell['active'][0, -1])} codes in use" in view.alt


def test_the_metric_line_has_the_house_order_and_both_codebook_dimensions(sweep):
    line = training.metric_line(sweep, readings.START)
    words = (
        "Reconstruction error",
        "PSNR",
        "perplexity",
        "at 64,000 tokens",
        "active codes",
        "(encoder output)",
        "all rows",
    )
    places = [line.index(word) for word in words]
    assert places == sorted(places)


def test_every_picture_names_the_copy_that_its_numbers_come_from(sweep, stored_codecs):
    assert "JPEG" in sweep.settings["images"]
    for view in (
        training.training_view(sweep, readings.START),
        sizes.diseases_view(sweep, WIDE),
        sizes.crossing_view(sweep, WIDE),
        sizes.rates_view(stored_codecs, sweep, WIDE),
    ):
        assert "JPEG-recompressed copy" in view.status


def test_rates_are_those_of_log2_k_and_of_the_perplexity(sweep, stored_codecs):
    left, right = sizes.rates_view(stored_codecs, sweep, WIDE).figure.axes
    np.testing.assert_allclose(left.lines[0].get_xdata(), [0.375, 0.5, 0.625, 0.75])
    perplexity = sweep.final("perplexity", warmup=0, **WIDE).T.ravel()
    np.testing.assert_allclose(right.lines[0].get_xdata(), np.log2(perplexity) / 16, rtol=1e-6)


# --- checkpoints and uploads --------------------------------------------------------------------------------

SHELF = checkpoints.SHELF


def read(path, sha256=""):
    return tokenizers.Tokenizer(path, SHELF.model_of, SHELF.mend, sha256)


@pytest.mark.parametrize("corner", range(4))
def test_a_checkpoint_is_the_trained_tokenizer_of_the_sweep(corner, sweep):
    """Half precision and another run of the same training: the photographs come back as they are stored."""
    tokenizer, position = SHELF.load(corner), SHELF.positions[corner]
    originals, stored = data.photo_patches(6).x, sweep.at(**position)["patches"] / 255
    back = tokenizer.decode(tokenizer.encode(originals)).clip(0, 1)
    lost = np.square(stored - originals / 255).mean()
    assert np.square(back - stored).mean() < 0.1 * lost
    described = json.loads((tokenizers.home() / "images_corners.json").read_text())
    file = described["files"][SHELF.file_name(position)]
    errors = final(sweep, "mse", position["warmup"], position["codebook_size"])
    assert measures.agrees([file["mse"]], errors)
    assert file["mse"] == pytest.approx(file["mse_float32"], rel=0.01)
    assert "JPEG" in described["images"]


def test_every_checkpoint_is_small():
    assert max(path.stat().st_size for path in tokenizers.home().iterdir()) < 2_000_000


def test_tokens_are_numbers_of_codes_and_lead_to_the_codes():
    tokenizer = SHELF.load(0)
    tokens = tokenizer.encode(data.photo_patches(3).x)
    assert tokens.shape == (3, 8, 8)
    assert tokens.min() >= 0
    assert tokens.max() < 64
    assert tokenizer.decode(tokens).shape == (3, 3, 32, 32)


def test_a_checkpoint_that_is_missing_damaged_or_strange_is_refused(tmp_path, refuses):
    good = (tokenizers.home() / SHELF.file_name(SHELF.positions[0])).read_bytes()
    with refuses("is missing"):
        read(tmp_path / "none.safetensors")
    path = tmp_path / "x.safetensors"
    for content in (good[:1000], b"", b"hello"):
        path.write_bytes(content)
        with refuses("damaged or not one of ours"):
            read(path)
    path.write_bytes(good[:-1] + b"\1")
    with refuses("truncated or was edited"):
        read(path, "0" * 64)
    with refuses("does not describe"):
        SHELF.load(0, tmp_path)


def test_the_command_stores_what_can_be_loaded(tmp_path, monkeypatch, made_up, capsys):
    monkeypatch.setattr(experiments, "trainer", partial(experiments.trainer, base=TINY))
    small = replace(SHELF, positions=({"warmup": 2, "codebook_size": 16, "width": 8},))
    monkeypatch.setattr(checkpoints, "SHELF", small)
    checkpoints.main(tmp_path)
    assert "stored images_warmup2_k16_width8.safetensors" in capsys.readouterr().out
    tokenizer = small.load(0, tmp_path)
    assert tokenizer.codebook.shape == (16, 64)
    described = json.loads((tmp_path / "images_corners.json").read_text())
    assert described["provenance"]["command"] == "python -m vqlab.labs.lab03.checkpoints"


@pytest.fixture(scope="module")
def upload():
    return checkpoints.own_image()


def encoded(picture: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def status(widget) -> str:
    return widget._status.value


def test_an_uploaded_picture_is_encoded_in_either_format_of_the_widget(upload):
    red, blue = (encoded(Image.new("RGB", (50, 40), colour)) for colour in ("red", "blue"))
    upload._on_upload({"new": ({"name": "red.png", "content": memoryview(red)},)})  # ipywidgets 8
    assert upload.image[:, 16, 16].tolist() == [255, 0, 0]
    before = upload._picture.value
    upload._on_upload({"new": {"blue.png": {"metadata": {}, "content": blue}}})  # ipywidgets 7
    assert upload.image[:, 16, 16].tolist() == [0, 0, 255]
    assert upload._picture.value != before
    assert "PSNR" in status(upload)


def test_the_list_chooses_whose_tokens_are_shown(upload):
    alts = set()
    for i, name in enumerate(upload.names):
        upload._which.value = name
        tokens = SHELF.load(i).encode(upload.image[None])[0]
        assert f"Tokens of “{name}”" in status(upload)
        written = [text.get_text() for text in upload.current().figure.axes[1].texts]
        assert written == [f"{token:,}" for token in tokens.ravel()]
        alts.add(status(upload))
    assert len(alts) == 4


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"hello", "not a picture"),
        (b"", "not a picture"),
        (encoded(Image.new("RGB", (99, 99), "red"))[:60], "the upload"),
        (encoded(Image.new("RGB", (4, 4))), "4×4 pixels"),
        (bytes(MOST_BYTES + 1), "smaller than 5 MB"),
    ],
)
def test_a_bad_upload_gets_a_sentence_and_the_picture_stays(upload, raw, says):
    before, image = upload._picture.value, upload.image
    upload.show(raw)
    assert says in status(upload)
    assert upload._picture.value == before
    assert upload.image is image


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "LA"])
def test_grey_transparent_and_palette_pictures_are_encoded(upload, mode):
    upload.show(encoded(Image.new("RGB", (64, 64), "gray").convert(mode)))
    assert "PSNR" in status(upload)


# --- what the lab says --------------------------------------------------------------------------------------


def test_cold_codebooks_collapse_and_warm_ones_do_not(sweep):
    used = final(sweep, "active", 0, 1024)
    assert (used < 0.4 * 1024).all()
    assert used.mean() == pytest.approx(1024 / 4, rel=0.2)  # "a quarter of them"
    assert (final(sweep, "active", 0, 4096) < 0.15 * 4096).all()
    for warmup in (250, 1000):
        for k in (256, 1024, 4096):
            assert (final(sweep, "active", warmup, k) > 0.8 * k).all()
            assert final(sweep, "mse", warmup, k).max() < final(sweep, "mse", 0, k).min()


def test_the_gain_grows_with_k_and_turns_at_the_small_end(sweep):
    for warmup in (250, 1000):
        gains = [readings.saved(sweep, warmup, codebook_size=k, width=32) for k in K]
        assert (np.diff(gains) > 0).all()
        assert -12 < gains[0] < -1
        assert gains[-1] > 25
        assert final(sweep, "mse", warmup, 64).min() > final(sweep, "mse", 0, 64).max()
        assert readings.crossing(sweep, warmup, 32) == (64, 256)


def test_dead_rows_inflate_the_dimension_of_the_codebook(sweep):
    rows, used = (final(sweep, f"{what}_dim", 0, 4096) for what in ("code", "used"))
    assert (rows >= 2 * used).all()
    assert rows.mean() > final(sweep, "code_dim", 1000, 4096).mean()
    assert (used < final(sweep, "used_dim", 1000, 4096)).all()
    by_size = [final(sweep, "code_dim", 0, k).mean() for k in K]
    assert (np.diff(by_size) > 0).all()
    assert np.ptp([final(sweep, "used_dim", 0, k).mean() for k in K]) <= 2
    untrained = sweep.at(warmup=0, codebook_size=4096, **WIDE)["latent_dim"][:, 0]
    assert (untrained > 2 * final(sweep, "latent_dim", 0, 4096)).all()


def test_a_warm_up_gives_the_latents_more_dimensions(sweep):
    for k in K:
        assert (final(sweep, "latent_dim", 1000, k) > final(sweep, "latent_dim", 0, k)).all()
        assert (final(sweep, "used_dim", 1000, k) > final(sweep, "used_dim", 0, k)).all()


def test_classes_are_read_as_well_cold_as_warm(sweep):
    for probe in ("probe_latents", "probe_tokens"):
        cold, warm = (sweep.at(warmup=warmup, **WIDE)[probe] for warmup in (0, 1000))
        assert abs(cold.mean() - warm.mean()) < 0.02
        assert cold.min() > 0.3


def test_latents_grow_by_an_order_of_magnitude(sweep):
    spread = sweep.at(warmup=0, **WIDE)["spread"]
    assert (spread[..., -1] > 8 * spread[..., 0]).all()


def test_packed_cold_and_warm_lie_on_one_line_where_the_encoder_is_wide(sweep):
    assert np.abs(readings.behind_warm(sweep, 32)).max() < 1 / 3
    cold, warm = (measures.psnr(final(sweep, "mse", warmup, 4096)) for warmup in (0, 1000))
    assert warm.min() > cold.max() + 1.5


def test_a_narrow_cold_encoder_lies_below_the_warm_line_and_a_wide_one_on_it(sweep):
    narrow, wide = (readings.behind_warm(sweep, width)[1:] for width in (8, 32))
    assert narrow.min() > wide.max()
    assert 0.25 < narrow.mean() < 0.8
    for k in K:
        cold, warm = (final(sweep, "latent_dim", warmup, k, 8) for warmup in (0, 1000))
        assert set(cold) <= {2, 3}
        assert set(warm) <= {4, 5, 6}


def test_at_width_8_a_warm_up_saves_at_every_k(sweep):
    for warmup in (250, 1000):
        assert readings.crossing(sweep, warmup, 8) is None
        for k in K:
            assert readings.saved(sweep, warmup, codebook_size=k, width=8) > 2
            assert final(sweep, "mse", warmup, k, 8).max() < final(sweep, "mse", 0, k, 8).min()


def test_at_k_64_a_warm_up_buys_about_two_dimensions_if_the_encoder_is_narrow_and_seven_if_it_is_wide(sweep):
    for width, bought in ((8, (1.4, 2.6)), (32, (6, 8.5))):
        more = final(sweep, "latent_dim", 1000, 64, width).mean() - final(sweep, "latent_dim", 0, 64, width).mean()
        assert bought[0] < more < bought[1]


def test_at_equal_quantized_steps_little_of_the_gap_at_k_64_is_left(sweep):
    cold, warm = (sweep.at(warmup=warmup, codebook_size=64, **WIDE)["mse"] for warmup in (0, 1000))
    frames = sweep.settings["frames"]
    gap, rest = warm[:, -1].mean() / cold[:, -1].mean() - 1, warm[:, -1].mean() / cold[:, frames.index(2000)].mean() - 1
    assert 0 < rest < gap / 2


def test_a_narrow_encoder_costs_a_few_points_of_class_and_no_warm_up_moves_them(sweep):
    for warmup in (0, 1000):
        narrow, wide = (sweep.at(warmup=warmup, codebook_size=1024, width=w)["probe_latents"] for w in (8, 32))
        assert figures.seeds_apart(narrow, wide)
        assert 0.01 < wide.mean() - narrow.mean() < 0.08
    cold, warm = (sweep.at(warmup=warmup, codebook_size=1024, width=8)["probe_latents"].mean() for warmup in (0, 1000))
    assert abs(cold - warm) < 0.02


RESTORED = ("β = 1, replacement", "4×4 tokens, β = 1, replacement")


@pytest.mark.parametrize("variant", [None, "random latents", "β = 1", "L1 loss", *RESTORED])
def test_the_warm_up_saves_error_whatever_else_is_changed(variant, sweep, variants):
    cold, warm = (readings.trained(sweep, variants, warmup, variant) for warmup in (0, 1000))
    assert warm["mse"][:, -1].max() < cold["mse"][:, -1].min()
    assert (warm["used_dim"][:, -1] > cold["used_dim"][:, -1]).all()
    assert (warm["active"][:, -1] > 0.9 * readings.CODEBOOK_SIZE).all()


def test_with_replacement_alone_the_warm_up_hardly_saves(variants):
    cold, warm = (variants.at(variant="replacement", warmup=warmup) for warmup in (0, 1000))
    assert abs(readings.saved(variants, 1000, variant="replacement")) < 4
    assert (cold["active"][:, -1] > 0.97 * readings.CODEBOOK_SIZE).all()
    assert (warm["latent_dim"][:, -1] > 1.4 * cold["latent_dim"][:, -1]).all()


def test_random_codes_are_one_code(variants):
    assert (variants.final("active", variant="random codes") < 0.01 * readings.CODEBOOK_SIZE).all()


@pytest.mark.parametrize("variant", RESTORED)
def test_replacement_brings_back_the_codes_but_not_the_dimensions(variant, variants):
    cold = variants.at(variant=variant, warmup=0)
    assert (cold["active"][:, -1] > 0.97 * readings.CODEBOOK_SIZE).all()
    assert 4 < readings.saved(variants, 1000, variant=variant) < 15
    assert (cold["latent_dim"][:, -1] <= 6).all()


def test_codes_and_their_means_have_the_same_dimension_but_for_one(variants):
    codes, means = (variants.final(f"{what}_dim") for what in ("used", "centroid"))
    assert np.abs(codes - means).max() <= 1


def test_with_l1_latents_grow_after_the_switch_and_the_codes_live(variants):
    warm = variants.at(variant="L1 loss", warmup=1000)
    assert (warm["spread"][:, -1] > 1.2 * warm["spread"][:, list(experiments.FRAMES).index(1000)]).all()


def test_more_channels_more_dimensions_cold(sweep, variants):
    dims = [readings.trained(sweep, variants, 0, f"width {w}")["latent_dim"][:, -1].mean() for w in (4, 8, 16, 32)]
    assert (np.diff(dims) > 0).all()
    for width in (4, 8, 16, 32):
        cold, warm = (readings.trained(sweep, variants, warmup, f"width {width}") for warmup in (0, 1000))
        assert warm["mse"][:, -1].max() < cold["mse"][:, -1].min()
        assert (warm["latent_dim"][:, -1] > cold["latent_dim"][:, -1]).all()


def test_trained_reads_a_width_from_the_sweep_that_has_it(sweep, variants):
    wide = readings.trained(sweep, variants, 1000)
    np.testing.assert_array_equal(wide["mse"], readings.trained(sweep, variants, 1000, "width 32")["mse"])
    assert readings.trained(sweep, variants, 0, "width 4")["mse"].shape == (3, len(experiments.FRAMES))


def test_twice_the_steps_do_not_heal_the_gap_at_k_64(sweep):
    longer = sweeps.load("images_longer")
    cost = -readings.saved(sweep, 1000, codebook_size=64, **WIDE)
    assert -readings.saved(longer, 1000, codebook_size=64) > cost / 2
    cold, warm = (longer.at(warmup=warmup, codebook_size=64)["mse"] for warmup in (0, 1000))
    assert warm[:, -1].min() > cold[:, longer.settings["frames"].index(5000)].mean()
    dims = [longer.final("latent_dim", warmup=warmup, codebook_size=64) for warmup in (0, 250, 1000)]
    assert dims[0].max() < dims[1].min()
    assert dims[1].max() < dims[2].min()


def test_the_distance_from_the_warm_line_by_hand(sweep):
    k, seed = 1, 2
    rates = np.log2(sweep.final("perplexity", warmup=1000, **WIDE)).mean(1) / 16
    psnr = measures.psnr(sweep.final("mse", warmup=1000, **WIDE)).mean(1)
    mine = np.log2(final(sweep, "perplexity", 0, K[k])[seed]) / 16
    left = np.searchsorted(rates, mine) - 1
    slope = (psnr[left + 1] - psnr[left]) / (rates[left + 1] - rates[left])
    line = psnr[left] + slope * (mine - rates[left])
    expected = line - measures.psnr(final(sweep, "mse", 0, K[k]))[seed]
    assert readings.behind_warm(sweep, 32)[k, seed] == pytest.approx(expected)


def test_the_warm_tokenizer_beats_jpeg_and_the_cold_one_does_not_where_codes_are_many(sweep, stored_codecs):
    cell = stored_codecs.at(codec="JPEG")
    jpeg = readings.at_rate(0.75, cell["rate"][0], measures.psnr(cell["mse"][0]))
    assert measures.psnr(final(sweep, "mse", 1000, 4096)).min() > jpeg
    assert measures.psnr(final(sweep, "mse", 0, 4096)).max() < jpeg


def test_readings_by_hand():
    assert readings.rate(64) == 0.375
    assert figures.range_of([5.0, 5.0]) == "5"
    assert figures.range_of([1234, 5678]) == "1,234–5,678"
    assert figures.seeds_apart(np.array([1, 2]), np.array([3, 4]))
    assert not figures.seeds_apart(np.array([1, 3]), np.array([2, 4]))


def test_every_student_is_asked_something_and_its_answer_is_far_from_the_named_mistakes(monkeypatch):
    sweep = sweeps.load("images_collapse")
    answers = [readings.spared(sweep, warmup=0, width=width, codebook_size=k) for width, k in lab03._POSITIONS]
    assert min(abs(np.subtract.outer(answers, answers)[~np.eye(len(answers), dtype=bool)])) > lab03._POINTS
    for position in lab03._POSITIONS:
        monkeypatch.setattr(lab03.variants, "drawn", lambda *_, position=position: position)
        right = lab03.measured_sparing()
        slips = [lab03._by_codes_in_use(), lab03._of_the_codes(), lab03._bits(), right / 100, 100 - right]
        assert min(abs(slip - right) for slip in slips) > lab03._POINTS
        assert abs(lab03._bits() - right / 100) > 0.2


def test_claims_have_a_verdict_each(sweep, variants):
    table = str(claims.claims_table(sweep, variants)._repr_markdown_())
    assert table.count(f"| {claims.HELD} |") == 2
    assert table.count(f"| {claims.PARTLY} |") == 3  # where codes are many; at one width; from a cold start
    assert claims.FAILED not in table


def test_saving_and_crossing_on_a_grid_that_can_be_counted_by_hand():
    errors = {0: (10, 8, 8), 250: (11, 8, 4), 1000: (12, 6, 2)}  # by warm-up, for K = 2, 4, 8
    made_up = SimpleNamespace(
        axes={"codebook_size": SimpleNamespace(values=(2, 4, 8))},
        final=lambda _, warmup, codebook_size, width: np.full(3, errors[warmup][(2, 4, 8).index(codebook_size)]),
    )
    assert [readings.saved(made_up, 1000, codebook_size=k, width=32) for k in (2, 4, 8)] == pytest.approx([-20, 25, 75])
    assert readings.crossing(made_up, 1000, 32) == (2, 4)
    assert readings.crossing(made_up, 250, 32) == (4, 8)
    errors[1000] = (9, 7, 1)
    assert readings.crossing(made_up, 1000, 32) is None
