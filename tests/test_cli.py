"""The command line: what it prints, where, with which exit status, and what survives Ctrl-C."""

import argparse
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up_cifar10 import write_binary, write_python
from PIL import Image

from vqlab import LabError, doctor, training
from vqlab.__main__ import main
from vqlab.commands.options import read_config, settle
from vqlab.commands.pictures import centre_crops, random_crops
from vqlab.data import photo_patches
from vqlab.training import Settings, Trainer, samples

SETTINGS = {"images": 40, "steps": 6, "warmup": 2, "hidden": 4, "dim": 3, "codebook-size": 16, "batch-size": 4}
SMALL = [part for name, value in SETTINGS.items() for part in (f"--{name}", str(value))]
NUMBER = r"[\d.,]+"
SUMMARY = (
    rf"reconstruction error {NUMBER} \(PSNR -?{NUMBER} dB\) · perplexity (?P<perplexity>{NUMBER}) of (?P<k>{NUMBER}) "
    rf"at (?P<tokens>{NUMBER}) tokens · active codes (?P<active>{NUMBER}) · "
    rf"effective dimension (?P<encoder>{NUMBER}) \(encoder output\) / (?P<codebook>{NUMBER}) \(codebook\) / "
    rf"(?P<used>{NUMBER}) \(codes in use\)\n"
)


pytestmark = pytest.mark.usefixtures("no_cifar10")


@pytest.fixture
def cifar10(monkeypatch, tmp_path):
    """A folder laid out as CIFAR-10, with 9 images in each file."""
    monkeypatch.setenv("VQLAB_DATA", str(tmp_path))
    return write_binary(tmp_path, n=9)


def train(*extra) -> int:
    return main(["train", *SMALL, *map(str, extra)])


def refused(capsys, *arguments) -> str:
    """The one sentence on stderr with which the command line gives up, exit status 1."""
    assert main([str(a) for a in arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    sentence = printed.err.splitlines()[-1]
    assert sentence.startswith("vqlab: ")
    assert "Traceback" not in printed.err
    return sentence


def test_train_prints_the_metrics_in_the_house_order_and_its_progress_elsewhere(capsys):
    assert train() == 0
    printed = capsys.readouterr()
    found = re.fullmatch(SUMMARY, printed.out)
    assert found
    assert (found["k"], found["tokens"]) == ("16", "32,768")
    assert 1 <= int(found["perplexity"]) <= int(found["active"]) <= 16
    assert 0 < int(found["encoder"]) <= 3
    assert 0 < int(found["used"]) <= int(found["codebook"]) <= 3
    for shown in ("6/6", "loss=", "warm-up", "quantized"):
        assert shown in printed.err


def test_the_error_is_of_pixels_in_0_1_on_other_photo_patches(monkeypatch, capsys):
    trained = []
    run = Trainer.run
    monkeypatch.setattr(Trainer, "run", lambda self, *callbacks: trained.append(run(self, *callbacks)))
    assert train() == 0
    error, decibel = re.match(r"reconstruction error (\S+) \(PSNR (\S+) dB\)", capsys.readouterr().out).groups()
    pixels = photo_patches(512, seed=1).x / 255
    reconstruction = trained[0].reconstruct(torch.from_numpy(pixels).float())[0][0].numpy()
    expected = np.square(reconstruction - pixels).mean()
    assert float(error) == pytest.approx(expected, abs=2e-5)
    assert float(decibel) == pytest.approx(-10 * np.log10(expected), abs=0.06)


def test_a_training_that_is_all_warm_up_has_no_codes_to_report(capsys):
    assert train("--warmup", 6) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("not quantized\n")
    assert "perplexity" not in printed


def test_the_warm_up_is_a_third_of_the_steps_unless_told(monkeypatch, capsys):
    chosen = []
    monkeypatch.setattr(Trainer, "run", lambda self, *_: chosen.append(self.settings) or self.switch())
    assert main(["train", "--images", "40", "--codebook-size", "16", "--steps", "90"]) == 0
    assert (chosen[0].steps, chosen[0].warmup) == (90, 30)
    assert main(["train", "--images", "40", "--codebook-size", "16", "--steps", "90", "--warmup", "0"]) == 0
    assert chosen[1].warmup == 0


def test_cifar10_is_the_default_where_vqlab_data_names_it_and_is_judged_on_its_test_split(cifar10, capsys):
    assert train() == 0
    assert re.fullmatch(SUMMARY, capsys.readouterr().out)["tokens"] == f"{9 * 64}"


def test_cifar10_is_the_default_where_it_was_downloaded(no_cifar10, capsys):
    write_python(no_cifar10 / "cifar-10-batches-py", n=9)
    assert train() == 0
    assert re.fullmatch(SUMMARY, capsys.readouterr().out)["tokens"] == f"{9 * 64}"


def test_the_images_stay_bytes_and_are_no_more_than_asked_for(cifar10, monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(Trainer, "run", lambda self, *_: seen.append(self.data) or self.switch())
    assert train("--images", 20) == 0
    assert seen[0].shape == (20, 3, 32, 32)
    assert seen[0].numpy().dtype == np.uint8


# --- Pictures of one's own -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Twenty pictures in two folders, in many formats and shapes, and three files that are none."""
    rng = np.random.default_rng(0)
    pictures = tmp_path / "pictures"
    (pictures / "more").mkdir(parents=True)
    for i in range(20):
        mode, suffix = [("RGB", "jpg"), ("L", "bmp"), ("RGBA", "png"), ("CMYK", "jpg"), ("P", "webp")][i % 5]
        pixels = rng.integers(256, size=(rng.integers(40, 90), rng.integers(40, 90), 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).convert(mode)
        picture.save((pictures if i % 2 else pictures / "more") / f"{i}.{suffix}")
    (pictures / "notes.txt").write_text("no picture")
    whole = (pictures / "3.jpg").read_bytes()
    (pictures / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (pictures / "more" / "empty.png").write_bytes(b"")
    return pictures


def test_a_folder_of_pictures_trains_and_names_what_it_skips(folder, monkeypatch, capsys):
    seen = []
    run = Trainer.run
    monkeypatch.setattr(Trainer, "run", lambda self, *callbacks: seen.append(self.data) or run(self, *callbacks))
    assert train("--data", folder) == 0
    printed = capsys.readouterr()
    assert re.fullmatch(SUMMARY, printed.out)["tokens"] == f"{2 * 64}"  # a tenth of 20 is held out
    assert seen[0].shape == (18, 3, 32, 32)
    skipped = [line for line in printed.err.splitlines() if line.startswith("skipped ")]
    assert [line.split(":")[0].removeprefix("skipped ") for line in skipped] == [
        "half.jpg",
        os.path.join("more", "empty.png"),
        "notes.txt",
    ]


def test_a_folder_without_pictures_is_told(folder, tmp_path, capsys):
    for path in folder.rglob("*.*"):
        if path.suffix != ".txt":
            path.unlink()
    assert "holds 0 pictures that can be read, among 1 files" in refused(capsys, "train", *SMALL, "--data", folder)


def test_what_is_exported_is_what_the_training_ends_with(monkeypatch, tmp_path, capsys):
    trained = []
    run = Trainer.run
    monkeypatch.setattr(Trainer, "run", lambda self, *callbacks: trained.append(run(self, *callbacks)))
    assert train("--export", tmp_path / "run.npz") == 0
    with np.load(tmp_path / "run.npz") as exported:
        latents, tokens, codebook = (torch.from_numpy(exported[key]) for key in ("latents", "tokens", "codebook"))
    assert latents.shape == (40, 64, 3)
    assert torch.equal(latents.reshape(1, -1, 3), trained[0].latents(trained[0].data))
    assert torch.equal(codebook, trained[0].quantizer.codebook[0].detach())
    distances = torch.cdist(
        latents.reshape(-1, 3).double(), codebook.double(), compute_mode="donot_use_mm_for_euclid_dist"
    )
    assert torch.equal(tokens.reshape(-1), distances.argmin(1))


# --- A configuration file, VQGAN, and what is left behind ----------------------------------------------------


def configured(tmp_path, text: str, *extra) -> int:
    (tmp_path / "run.toml").write_text(text)
    return main(["train", "--config", str(tmp_path / "run.toml"), *map(str, extra)])


VQGAN_CONFIG = """
data = "photos"
model = "tiny"
width = 4
images = 24
batch_size = 4
learning_rate = 1e-3
optimizer = "adam"
loss = "l1+perceptual"
steps = 6
warmup = 2
codebook_size = 16
update = "gradient"
codebook_weight = 0.25
discriminator_start = 4
metrics_every = 2
evaluate_every = 4
"""


def test_a_file_sets_what_it_names_and_flags_win(monkeypatch, tmp_path, capsys):
    trained = []
    monkeypatch.setattr(Trainer, "run", lambda self, *_: trained.append(self) or self.switch())
    assert configured(tmp_path, VQGAN_CONFIG, "--steps", 90, "--lr", 0.125) == 0
    settings = trained[0].settings
    assert (settings.steps, settings.learning_rate) == (90, 0.125)  # the flags'
    assert (settings.warmup, settings.loss, settings.codebook_weight) == (2, "l1+perceptual", 0.25)  # the file's
    assert (settings.decay, settings.commitment_weight) == (0.99, 0.25)  # neither's
    assert trained[0].model.latent_dim == 64
    assert trained[0].model.last_layer.shape == (3, 4, 3, 3)


def test_every_setting_of_a_training_is_an_option_with_the_default_it_has_there():
    chosen = settle(argparse.Namespace(config=None))
    elsewhere = {"codebook_size": 512, "steps": 3000, "warmup": None, "batch_size": 32, "initialisation_latents": None}
    expected = {field.name: field.default for field in dataclasses.fields(Settings)} | elsewhere
    assert {name: vars(chosen)[name] for name in expected} == expected


@pytest.mark.parametrize(
    "path", sorted(Path(training.__file__).with_name("configs").glob("*.toml")), ids=lambda p: p.stem
)
def test_the_configurations_that_are_shipped_are_whole(path, monkeypatch, capsys):
    def stop(*arguments, **options):
        raise LabError(f"made {arguments[2].codebook_size} codes for {type(arguments[0]).__name__}")

    monkeypatch.setattr("vqlab.training.Trainer", stop)
    monkeypatch.setattr("vqlab.commands.train._images", lambda chosen: (None, None, None))
    assert read_config(path)["loss"] == "l1+perceptual"
    assert re.search(r"made \d+ codes for VQGAN", refused(capsys, "train", "--config", path, "--device", "cpu"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("codebok_size = 4", "unknown option 'codebok_size': did you mean codebook_size?"),
        ("fly = true", "unknown option 'fly': `python -m vqlab train --help` lists them"),
        ("[model]\nwidth = 4", "model in "),
        ("steps = 2.5", "must be a whole number, got 2.5"),
        ("steps = true", "must be a whole number, got True"),
        ("learning_rate = 'fast'", "must be a number, got 'fast'"),
        ("augment = 1", "must be true or false, got 1"),
        ("update = 'sgd'", "cannot be 'sgd': choose from ema, gradient"),
        ("steps = ", "is no TOML (Invalid value"),
        ("steps = 0", "steps must be at least 1, got 0"),
        ("model = 'paper'", "these images are 32 pixels wide and the model wants 128"),
        ("model = 'tiny'\nside = 36", "divisible by 8, got 36"),
        ("width = 8", "--width is VQGAN's"),
        ("metrics_every = 0", "--metrics-every must be at least 1"),
    ],
)
def test_a_file_that_cannot_work_is_one_sentence(text, words, tmp_path, capsys):
    (tmp_path / "run.toml").write_text(f"data = 'photos'\n{text}\n" if text[0] != "[" else text)
    assert words in refused(capsys, "train", "--config", tmp_path / "run.toml")


def test_a_missing_file_is_told(tmp_path, capsys):
    assert "cannot be read (No such file" in refused(capsys, "train", "--config", tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    assert "is no TOML" in refused(capsys, "train", "--config", tmp_path / "binary.toml")


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_vqgan_trains_from_a_file_and_leaves_its_metrics(tmp_path, capsys):
    assert configured(tmp_path, VQGAN_CONFIG, "--metrics", tmp_path / "left") == 0
    assert " · L1 0." in capsys.readouterr().out
    left = lines(tmp_path / "left")
    assert [(line["step"], line["phase"]) for line in left] == [(2, "quantized"), (4, "quantized"), (6, "quantized")]
    assert all(line["loss"] > 0 and line["images_per_second"] > 0 for line in left)
    assert "perplexity" not in left[0]
    assert {"mse", "psnr", "l1", "perceptual", "latent_dimension", "codebook_dimension", "active_codes"} <= left[
        1
    ].keys()
    assert 1 <= left[2]["perplexity"] <= left[2]["active_codes"] <= 16
    (events,) = (tmp_path / "left").glob("events.out.tfevents*")
    assert all(name in events.read_bytes() for name in (b"loss", b"perplexity", b"reconstructed"))


def test_metrics_go_on_where_the_checkpoint_does_without_a_gap_or_a_repeat(press_ctrl_c, tmp_path, capsys):
    every = ("--metrics-every", 1, "--evaluate-every", 4)
    assert train("--metrics", tmp_path / "whole", *every) == 0
    broken = ("--metrics", tmp_path / "broken", *every, "--checkpoint", tmp_path / "run.pt")
    press_ctrl_c(3)
    assert train(*broken) == 130
    with open(tmp_path / "broken" / "metrics.jsonl", "a") as file:  # as a kill behind the last save leaves it
        file.write('{"step": 5, "loss": 9}\n{"step": 6, "lo')
    press_ctrl_c(None)
    assert train(*broken) == 0
    whole, broken = ([line | {"images_per_second": 0} for line in lines(tmp_path / n)] for n in ("whole", "broken"))
    assert [line["step"] for line in whole] == [1, 2, 3, 4, 5, 6]
    assert broken == whole


def test_without_tensorboardx_the_lines_are_left_and_the_rest_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert train("--metrics", tmp_path / "left", "--metrics-every", 2) == 0
    assert "pip install 'vqlab[train]'" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "left").iterdir()] == ["metrics.jsonl"]
    (tmp_path / "file").write_text("in the way")
    assert "--metrics" in refused(capsys, "train", *SMALL, "--metrics", tmp_path / "file" / "left")


def test_a_folder_trains_at_the_model_s_side_on_random_crops(folder, monkeypatch, capsys):
    trained = []
    monkeypatch.setattr(Trainer, "run", lambda self, *_: trained.append(self) or self.switch())
    told = ("--data", folder, "--side", 16, "--augment", "--model", "tiny", "--width", 4)
    assert train(*told) == 0
    assert trained[0].data.shape == (18, 3, 16, 16)
    batch = samples.batch(trained[0].data, trained[0].draw, 4, trained[0].generators)
    assert batch.shape == (1, 4, 3, 16, 16)


def test_random_crops_are_parts_of_the_pictures_and_half_of_them_mirrored():
    ramp = np.broadcast_to(np.arange(40, dtype=np.uint8), (3, 24, 40))
    draw = random_crops([ramp, ramp + 100], 24)
    crops = draw(400, torch.Generator().manual_seed(0))
    assert torch.equal(crops, draw(400, torch.Generator().manual_seed(0)))
    steps = crops[:, 0, 0].int().diff(dim=1)
    assert (steps.abs() == 1).all()
    assert 140 < (steps[:, 0] < 0).sum() < 260
    lefts = crops[:, 0, 0].amin(1) % 100
    assert set(lefts.tolist()) == set(range(17))  # every place, the last one, too
    assert 140 < (crops.amin((1, 2, 3)) >= 100).sum() < 260
    assert torch.equal(centre_crops([ramp], 24)[0, 0, 0], torch.arange(8, 32, dtype=torch.uint8))


# --- Ctrl-C and going on -------------------------------------------------------------------------------------


@pytest.fixture
def press_ctrl_c(monkeypatch):
    """press_ctrl_c(step, times): the signal arrives inside the training step with this number, until undone."""
    original = Trainer._train_step

    def press(step: int | None, times: int = 1) -> None:
        def train_step(trainer: Trainer) -> None:
            original(trainer)
            for _ in range(times if trainer.step == step else 0):
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(Trainer, "_train_step", train_step)

    return press


@pytest.mark.parametrize("step", [0, 3])
def test_ctrl_c_saves_and_the_same_command_ends_as_if_never_stopped(step, press_ctrl_c, tmp_path, capsys):
    assert train() == 0
    uninterrupted = capsys.readouterr().out
    checkpoint = tmp_path / "new" / "run.pt"
    press_ctrl_c(step)
    assert train("--checkpoint", checkpoint) == 130
    printed = capsys.readouterr()
    assert printed.out == ""
    last = printed.err.splitlines()[-1]
    assert last == f"Stopped at step {step + 1} of 6; saved to {checkpoint}, so the same command resumes from here."
    press_ctrl_c(None)
    assert train("--checkpoint", checkpoint) == 0
    printed = capsys.readouterr()
    assert printed.out == uninterrupted
    assert f" {step + 1}/6 " in printed.err  # the bar starts where it stopped


def test_ctrl_c_without_a_checkpoint_says_that_nothing_was_saved(press_ctrl_c, capsys):
    handler = signal.getsignal(signal.SIGINT)
    press_ctrl_c(2)
    assert train() == 130
    assert capsys.readouterr().err.splitlines()[-1].startswith("Stopped at step 3 of 6; nothing was saved")
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_second_ctrl_c_stops_at_once_and_without_a_traceback(press_ctrl_c, capsys):
    press_ctrl_c(2, times=2)
    assert train() == 130
    assert capsys.readouterr().err.splitlines()[-1] == "vqlab: stopped"


def test_kill_9_loses_at_most_the_steps_since_the_last_save(tmp_path, capsys):
    assert train("--steps", 40) == 0
    uninterrupted = capsys.readouterr().out
    checkpoint = tmp_path / "run.pt"
    script = (
        "import os, signal, sys\n"
        "from vqlab.__main__ import main\n"
        "from vqlab.training import Trainer\n"
        "step = Trainer._train_step\n"
        "def dies(self):\n"
        "    if self.step == 33: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    step(self)\n"
        "Trainer._train_step = dies\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["train", *SMALL, "--steps", "40", "--checkpoint", str(checkpoint), "--save-every", "10"]
    killed = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert torch.load(checkpoint, weights_only=True)["step"] == 30
    assert main(arguments) == 0
    assert capsys.readouterr().out == uninterrupted


def test_the_learning_rate_is_that_of_the_optimizer(monkeypatch, capsys):
    chosen = []
    monkeypatch.setattr(Trainer, "run", lambda self, *_: chosen.append(self.optimizer) or self.switch())
    assert train("--lr", 0.125) == 0
    assert chosen[0].param_groups[0]["lr"] == 0.125


def test_a_finished_checkpoint_is_reported_again_without_training(press_ctrl_c, tmp_path, capsys):
    assert train("--checkpoint", tmp_path / "run.pt") == 0
    first = capsys.readouterr().out
    press_ctrl_c(5)  # any step would reach it
    assert train("--checkpoint", tmp_path / "run.pt") == 0
    assert capsys.readouterr().out == first


# --- Refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--steps", 0), "steps must be at least 1, got 0"),
        (("--steps", -5), "steps must be at least 1, got -5"),
        (("--warmup", 7), "0…6"),
        (("--warmup", -1), "warmup must be at least 0"),
        (("--codebook-size", 0), "codebook_size must be at least 1"),
        (("--batch-size", 0), "batch_size must be at least 1"),
        (("--images", 0), "--images must be at least 1"),
        (("--images", -3), "--images must be at least 1"),
        (("--dim", 0), "--dim must be at least 1"),
        (("--hidden", 1), "--hidden must be at least 2"),
        (("--seed", -1), "--seed must be at least 0"),
        (("--seed", 99999999999999999999), "--seed must be at most"),
        (("--lr", 0), "--lr must be above 0"),
        (("--lr", "nan"), "--lr must be above 0, got nan"),
        (("--data", "mnist"), "neither cifar10 nor photos nor a folder"),
        (("--save-every", 2), "name it with --checkpoint"),
        (("--export", "latents.csv"), "name it FILE.npz"),
        (("--export", "nowhere/latents.npz"), "its folder must exist"),
        (("--images", 10**12), "--images must be at most"),
        (("--codebook-size", 2561), "40 images give 2,560 latents, fewer than the 2,561 codes"),
        (("--data", "cifar10"), "VQLAB_DATA"),
    ],
)
def test_what_cannot_work_is_one_sentence(wrong, words, capsys):
    assert words in refused(capsys, "train", *SMALL, *wrong)


def test_more_codes_than_latents_is_found_before_the_training(monkeypatch, capsys):
    monkeypatch.setattr(Trainer, "run", lambda *_: pytest.fail("it trained"))
    assert "raise --images or lower --codebook-size" in refused(capsys, "train", *SMALL, "--codebook-size", 5000)
    monkeypatch.undo()
    assert train("--codebook-size", 2560, "--warmup", 2) == 0


@pytest.mark.parametrize("broken", ["missing folder", "missing file", "truncated file"])
def test_a_broken_cifar10_folder_is_named(broken, cifar10, monkeypatch, capsys):
    folder = cifar10 / "nowhere" if broken == "missing folder" else cifar10
    monkeypatch.setenv("VQLAB_DATA", str(folder))
    if broken == "missing file":
        (cifar10 / "data_batch_3.bin").unlink()
    if broken == "truncated file":
        os.truncate(cifar10 / "data_batch_3.bin", 5000)
    assert str(folder) in refused(capsys, "train", *SMALL)


def test_a_checkpoint_that_cannot_be_written_is_found_before_the_training(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(Trainer, "run", lambda *_: pytest.fail("it trained"))
    assert "could not write" in refused(capsys, "train", *SMALL, "--checkpoint", tmp_path / "file" / "run.pt")


@pytest.mark.parametrize(
    "change", [("--seed", 1), ("--codebook-size", 8), ("--hidden", 6), ("--dim", 2), ("--steps", 7)]
)
def test_a_checkpoint_of_another_training_is_left_alone(change, tmp_path, capsys):
    checkpoint = tmp_path / "run.pt"
    assert train("--checkpoint", checkpoint) == 0
    content = checkpoint.read_bytes()
    capsys.readouterr()
    assert "choose another file" in refused(capsys, "train", *SMALL, *change, "--checkpoint", checkpoint)
    assert checkpoint.read_bytes() == content


def test_a_damaged_checkpoint_is_refused(tmp_path, capsys):
    (tmp_path / "run.pt").write_bytes(b"not a checkpoint")
    assert "cannot be read" in refused(capsys, "train", *SMALL, "--checkpoint", tmp_path / "run.pt")


@pytest.mark.parametrize("arguments", [[], ["fly"], ["train", "--codebook-size", "many"]])
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert "usage: vqlab" in capsys.readouterr().err


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    def fail() -> int:
        raise RuntimeError("ours")

    monkeypatch.setattr(doctor, "main", fail)
    with pytest.raises(RuntimeError, match="ours"):
        main(["doctor"])


def test_the_exit_status_and_the_sentence_reach_the_shell():
    command = [sys.executable, "-m", "vqlab", "train", "--data", "photos", "--images", "9", "--steps", "0"]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "vqlab: steps must be at least 1, got 0\n"
