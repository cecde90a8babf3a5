"""One training in two processes is that of one process, survives kill -9, and goes on in another number of them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from two_ranks import RANKS, together

from vqlab import LabError
from vqlab.__main__ import main
from vqlab.data import photo_patches
from vqlab.models import VQGAN
from vqlab.quantizers import inputs, ranks
from vqlab.training import AdaptiveSwitch, Settings, Trainer, launch, samples
from vqlab.training.launcher import Alone

IMAGES = torch.from_numpy(photo_patches(24).x)
# Stochastic gradient descent: Adam's first steps turn rounding errors of vanishing gradients into steps of full length.
RECIPE = {
    "codebook_size": 24,
    "steps": 8,
    "warmup": 3,
    "batch_size": 4,
    "learning_rate": 0.05,
    "loss": "l1+perceptual",
    "optimizer": "sgd",
    "decay": 0.8,
    "replace_below": 0.4,
}
VARIANTS = {
    "ema": {},
    "gradient": {"update": "gradient", "codebook_weight": 0.25, "commitment_weight": 1.0},
    "discriminator": {"discriminator_start": 4},
}


def make(variant: str, launcher=None, **changes) -> Trainer:
    settings = Settings(**(RECIPE | VARIANTS[variant] | changes))
    return Trainer(VQGAN.of("tiny", width=4, latent_dim=8), IMAGES, settings, launcher=launcher)


def state(trainer: Trainer) -> dict[str, torch.Tensor]:
    generators = [*trainer.generators, *trainer.quantizer.generators]
    judge = trainer.adversary.discriminator.named_parameters() if trainer.adversary else ()
    return {
        **{f"model.{name}": value.detach() for name, value in trainer.model.state_dict().items()},
        **{f"quantizer.{name}": value.detach() for name, value in trainer.quantizer.state_dict().items()},
        **{f"judge.{name}": value.detach() for name, value in judge},
        **{f"generator {i}": generator.get_state() for i, generator in enumerate(generators)},
        "losses": trainer.losses,
    }


def every_variant(rank: int) -> dict:
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(RANKS), "LOCAL_WORLD_SIZE": str(RANKS)}
    os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": "0", "TORCHELASTIC_RUN_ID": "test"}  # as torchrun does
    launcher = launch("cpu")
    found = {variant: state(make(variant, launcher).run()) for variant in VARIANTS}
    path = Path(os.environ["VQLAB_TEST_FOLDER"]) / "half.pt"
    make("gradient", launcher).run(until=5).save(path)
    ranks.agree([torch.zeros(1)])  # the first has written it
    found["resumed"] = state(make("gradient", launcher).load(path).run())
    found["looks"] = looks_at_latents_of_its_own(rank)
    with pytest.raises(LabError, match="2 processes cannot share a batch of 5"):
        make("ema", launcher, batch_size=5)
    return found


def looks_at_latents_of_its_own(rank: int) -> list[float]:
    """The scores of an adaptive rule in a process whose encoder gives other latents than the other's."""
    flat = torch.tensor([1.0] + 7 * [0.001 if rank else 1.0])
    trainer = SimpleNamespace(
        quantizing=False,
        step=0,
        data=IMAGES,
        latents=lambda samples: torch.randn(1, 16 * len(samples), 8) * flat,
        settings=Settings(codebook_size=24, steps=100, warmup=100),
    )
    rule = AdaptiveSwitch(probe=256)
    rule(trainer)
    return rule.history


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> list[dict]:
    folder = tmp_path_factory.mktemp("distributed")
    os.environ["VQLAB_TEST_FOLDER"] = str(folder)
    return together(every_variant, folder)


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_processes_train_what_one_trains(variant, both):
    for name, value in both[0][variant].items():
        assert torch.equal(value, both[1][variant][name]), name
    start, alone = state(make(variant)), state(make(variant).run())
    assert alone.keys() == both[0][variant].keys()
    for name, expected in alone.items():
        if "judge" in name or (variant == "discriminator" and "generator" not in name):
            continue  # normalised by half a batch, it judges otherwise
        found = both[0][variant][name]
        if name == "losses":
            torch.testing.assert_close(found, expected, rtol=1e-2, atol=0)
        elif expected.is_floating_point():
            # A sum in another order may move a latent to another code, and that moves everything by some hundredths.
            assert (found - expected).norm() <= 0.1 * (expected - start[name]).norm() + 1e-5, name
        else:
            assert torch.equal(found, expected), name


def test_two_processes_go_on_from_a_file_exactly_where_they_were(both):
    for found in both:
        for name, expected in found["gradient"].items():
            assert torch.equal(found["resumed"][name], expected), name


def test_a_file_of_two_processes_goes_on_in_one(both):
    trainer = make("gradient").load(Path(os.environ["VQLAB_TEST_FOLDER"]) / "half.pt")
    assert trainer.step == 5
    for name, value in state(trainer.run()).items():
        torch.testing.assert_close(value, both[0]["gradient"][name], rtol=2e-3, atol=2e-4)


KILLED_ONCE = """
import os, signal, sys
from pathlib import Path
from vqlab.__main__ import main
from vqlab.training import Trainer
step, killed = Trainer._train_step, Path(sys.argv[1])
def dies(trainer):
    if trainer.step == 13 and os.environ["RANK"] == "1" and not killed.exists():
        killed.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    step(trainer)
Trainer._train_step = dies
sys.exit(main(sys.argv[2:]))
"""


def test_torchrun_trains_by_the_command_line_and_after_kill_9_the_same_curve_goes_on(tmp_path, no_cifar10, capfd):
    (tmp_path / "run.py").write_text(KILLED_ONCE)
    (tmp_path / "run.toml").write_text(
        'data = "photos"\nimages = 40\nhidden = 4\nlatent_dim = 3\ncodebook_size = 16\nsteps = 20\nwarmup = 6\n'
        'batch_size = 4\noptimizer = "sgd"\nlearning_rate = 0.05\nupdate = "gradient"\nsave_every = 5\n'
        "replace_below = 0.3\nmetrics_every = 1\n"
    )

    def told(name: str) -> list[str]:
        files = ["--checkpoint", str(tmp_path / f"{name}.pt"), "--metrics", str(tmp_path / name)]
        return ["train", "--config", str(tmp_path / "run.toml"), *files]

    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    torchrun += [str(tmp_path / "run.py"), str(tmp_path / "killed"), *told("two")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    killed = subprocess.run(torchrun, capture_output=True, text=True, env=environment)
    assert killed.returncode != 0
    assert (tmp_path / "killed").exists()
    assert torch.load(tmp_path / "two.pt", weights_only=True)["step"] == 10
    ran = subprocess.run(torchrun, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert main(told("one")) == 0
    assert ran.stdout.splitlines()[-1].startswith("reconstruction error ")
    assert ran.stdout.count("reconstruction error ") == 1
    curves = [metrics(tmp_path / name) for name in ("one", "two")]
    assert [line["step"] for line in curves[1]] == list(range(1, 21))
    assert [line["phase"] for line in curves[1]] == ["warm-up"] * 5 + ["quantized"] * 15
    for one, two in zip(*curves, strict=True):
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-3)
    saved = [torch.load(tmp_path / f"{name}.pt", weights_only=True) for name in ("one", "two")]
    torch.testing.assert_close(
        saved[0]["quantizer"]["codebook"], saved[1]["quantizer"]["codebook"], rtol=1e-2, atol=1e-3
    )


def metrics(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


# --- One process ---------------------------------------------------------------------------------------------


def test_one_process_on_the_cpu_needs_no_other_package(monkeypatch, refuses):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    assert isinstance(launch("cpu"), Alone)
    with refuses("pip install 'vqlab[train]'"):
        launch("cpu", "bfloat16")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert isinstance(launch(), Alone)
    with refuses("pip install 'vqlab[train]'"):
        launch("cuda", "float32")


def test_fabric_on_one_cpu_trains_the_same_and_bfloat16_nearly(monkeypatch):
    from lightning_fabric import Fabric

    expected = state(make("gradient").run())
    for name, value in state(make("gradient", Fabric(accelerator="cpu", devices=1)).run()).items():
        assert torch.equal(value, expected[name]), name
    rough = make("gradient", launch("cpu", "bfloat16")).run()
    assert rough.losses.item() == pytest.approx(expected["losses"].item(), rel=0.1)
    assert {p.dtype for p in rough.model.parameters()} == {torch.float32}
    assert rough.losses.item() != expected["losses"].item()


def test_a_device_that_is_not_there_is_told(refuses):
    with refuses("unknown device 'tpu'"):
        launch("tpu")
    with refuses("unknown precision 'half'"):
        launch("cpu", "half")
    if not torch.cuda.is_available():
        with refuses("finds no CUDA GPU"):
            launch("cuda")


def test_where_answers_are_waited_for_a_nan_is_found_within_fifty_steps_and_never_saved(monkeypatch, tmp_path, refuses):
    monkeypatch.setattr(inputs, "answers_at_once", lambda x: False)
    trainer = make("ema", steps=200, warmup=100).run(until=3)
    trainer.save(tmp_path / "good.pt")
    monkeypatch.setattr(samples, "batch", lambda *_: torch.full((1, 4, 3, 32, 32), float("nan")))
    trainer.run(until=5)
    with refuses("NaN or Inf"):
        trainer.save(tmp_path / "good.pt")
    with refuses("NaN or Inf"):
        trainer.run(until=51)
    assert make("ema", steps=200, warmup=100).load(tmp_path / "good.pt").step == 3


def test_an_adaptive_rule_sees_the_same_in_all_processes(both):
    first, second = (found["looks"] for found in both)
    assert first == second
    assert first != [1.0]
