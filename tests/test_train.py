"""The training loop against a plain one, exact resume, and how it fails."""

import errno
import random
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from vqlab import LabError, measures
from vqlab.data import gaussian_ring, photo_patches
from vqlab.models import ConvAutoencoder, MLPAutoencoder
from vqlab.training import Cancelled, Settings, Trainer

POINTS = torch.from_numpy(gaussian_ring(n=400).x)
SHORT = {"codebook_size": 8, "steps": 40, "warmup": 15, "batch_size": 32}


def make(seeds=(0,), data=POINTS, hidden=16, **changes):
    return Trainer(MLPAutoencoder(seeds, hidden=hidden), data, Settings(**(SHORT | changes)), seeds)


def state_of(trainer):
    """Every number that decides how the training goes on."""
    modules = {**trainer.model.state_dict(prefix="model."), **trainer.quantizer.state_dict(prefix="quantizer.")}
    moments = [tensor for state in trainer.optimizer.state.values() for tensor in state.values()]
    generators = [g.get_state() for g in (*trainer.generators, *trainer.quantizer.generators)]
    position = torch.tensor([trainer.step, trainer.quantizing])
    return [t.clone() for t in (*modules.values(), *moments, *generators, position, trainer.losses)]


def same(first, second):
    return len(first) == len(second) and all(
        torch.equal(a.nan_to_num(-1.0), b.nan_to_num(-1.0)) for a, b in zip(first, second, strict=True)
    )


# --- The loop ------------------------------------------------------------------------------------------------


class PlainLoop:
    """The same training of one seed, written the usual way: one network, one codebook, squared distances."""

    def __init__(self, seed, settings):
        model = MLPAutoencoder((seed,), hidden=16)
        self.encoder, self.decoder = self.plain(model.encoder), self.plain(model.decoder)
        self.generator = torch.Generator().manual_seed(seed + 15_485_863)
        self.settings, self.codes = settings, None
        self.restart_optimizer()

    @staticmethod
    def plain(stack):
        layers = []
        for weight, bias in zip(stack.weights, stack.biases, strict=True):
            linear = nn.Linear(weight.shape[1], weight.shape[2])
            linear.weight.data, linear.bias.data = weight[0].T.clone(), bias[0, 0].clone()
            layers += [linear, nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def restart_optimizer(self):
        parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        if self.codes is not None and self.codes.requires_grad:
            parameters.append(self.codes)
        self.optimizer = torch.optim.AdamW(parameters, lr=self.settings.learning_rate)

    def nearest(self, z):
        return (z[:, None] - self.codes[None]).square().sum(2).argmin(1)

    def place_codes(self):
        k = self.settings.codebook_size
        with torch.no_grad():
            z = self.encoder(POINTS)
        self.codes = z[torch.randperm(len(z), generator=self.generator)[:k]]
        for _ in range(20):
            tokens = self.nearest(z)
            self.codes = torch.stack([z[tokens == code].mean(0) for code in range(k)])
        batches = len(z) / self.settings.batch_size
        self.counts = torch.bincount(self.nearest(z), minlength=k) / batches
        self.sums = self.codes * self.counts[:, None]
        self.codes.requires_grad_(self.settings.update == "gradient")
        self.restart_optimizer()

    def step(self):
        s = self.settings
        x = POINTS[torch.randint(len(POINTS), (s.batch_size,), generator=self.generator)]
        z = self.encoder(x)
        loss, decoded = 0, z
        if self.codes is not None:
            tokens = self.nearest(z)
            chosen = self.codes[tokens]
            loss = s.commitment_weight * nn.functional.mse_loss(z, chosen.detach())
            if s.update == "gradient":
                loss = loss + s.codebook_weight * nn.functional.mse_loss(chosen, z.detach())
            decoded = z + (chosen - z).detach()
        loss = loss + nn.functional.mse_loss(self.decoder(decoded), x)
        self.optimizer.zero_grad()
        loss.backward()
        if self.codes is not None and s.update == "ema":
            for code in range(s.codebook_size):
                mine = z.detach()[tokens == code]
                self.counts[code] = s.decay * self.counts[code] + (1 - s.decay) * len(mine)
                self.sums[code] = s.decay * self.sums[code] + (1 - s.decay) * mine.sum(0)
            self.codes = self.sums / self.counts[:, None]
        self.optimizer.step()
        return loss.item()


@pytest.mark.parametrize("changes", [{}, {"warmup": 0}, {"warmup": 40}, {"update": "gradient"}])
def test_every_run_of_a_stack_equals_an_independent_plain_loop(changes):
    seeds = (0, 3)
    trainer = make(seeds, **changes).run()
    with torch.no_grad():
        latents = trainer.latents(POINTS)
        decoded = trainer.model.decode(latents)
    for run, seed in enumerate(seeds):
        plain = PlainLoop(seed, trainer.settings)
        for step in range(40):
            if step == trainer.settings.warmup:
                plain.place_codes()
            loss = plain.step()
        z = plain.encoder(POINTS)
        assert torch.allclose(latents[run], z, atol=1e-4)
        assert torch.allclose(decoded[run], plain.decoder(z), atol=1e-4)
        assert trainer.losses[run].item() == pytest.approx(loss, rel=1e-3)
        if trainer.quantizing:
            assert torch.allclose(trainer.quantizer.codebook[run], plain.codes, atol=1e-4)


@pytest.mark.parametrize(
    "changes", [{}, {"update": "gradient"}, {"codebook_size": 64, "decay": 0.8, "replace_below": 0.3}]
)
def test_four_seeds_at_once_equal_four_trainings_one_at_a_time(changes):
    seeds = (5, 6, 7, 8)
    stack = make(seeds, **changes).run()
    latents = stack.latents(POINTS)
    for run, seed in enumerate(seeds):
        alone = make((seed,), **changes).run()
        assert torch.allclose(latents[run], alone.latents(POINTS)[0], atol=1e-4)
        assert torch.allclose(stack.quantizer.codebook[run], alone.quantizer.codebook[0], atol=1e-4)
        assert stack.losses[run].item() == pytest.approx(alone.losses[0].item(), rel=1e-3)
        assert torch.equal(stack.generators[run].get_state(), alone.generators[0].get_state())


@pytest.mark.parametrize("warmup", [0, 1, 25, 39, 40])
def test_the_warm_up_is_part_of_the_total_number_of_steps(warmup):
    seen = []
    trainer = make(warmup=warmup).run(lambda t: seen.append((t.step, t.quantizing)))
    assert trainer.step == 40
    assert seen == [(step, step >= warmup and warmup < 40) for step in range(41)]


def test_the_switch_starts_a_fresh_optimizer_and_counts_of_one_batch():
    trainer = make(seeds=(0, 1)).run(until=15)
    assert trainer.quantizing
    assert len(trainer.optimizer.state) == 0
    assert trainer.quantizer.counts.sum(1).tolist() == pytest.approx([32, 32], rel=1e-5)
    assert torch.allclose(trainer.quantizer.sums, trainer.quantizer.codebook * trainer.quantizer.counts[..., None])
    trainer.run(until=18)
    assert {int(state["step"]) for state in trainer.optimizer.state.values()} == {3}


def test_the_codes_are_placed_on_the_first_latents_only_if_so_told():
    trainer = make(initialisation="latents", initialisation_latents=8).run(until=15)
    distances = torch.cdist(trainer.quantizer.codebook, trainer.latents(POINTS[:8]))
    assert (distances.amin(2) < 1e-6).all()


def test_a_callback_can_end_the_warm_up_early():
    def early(trainer):
        if trainer.step == 4:
            trainer.switch()

    phases = []
    make().run(early, lambda t: phases.append(t.quantizing), until=6)
    assert phases == [False] * 4 + [True] * 3


def test_training_in_pieces_equals_training_at_once():
    pieces = make(replace_below=0.3)
    for until in (1, 15, 16, 40):
        pieces.run(until=until)
    assert same(state_of(pieces), state_of(make(replace_below=0.3).run()))


def test_training_lowers_the_error_and_uses_every_optimizer():
    for optimizer, learning_rate in (("adamw", 1e-2), ("sgd", 0.3)):
        trainer = make(optimizer=optimizer, learning_rate=learning_rate, steps=150, warmup=100)
        start = measures.mean_squared_error(POINTS, trainer.reconstruct(POINTS)[0])
        trainer.run()
        assert measures.mean_squared_error(POINTS, trainer.reconstruct(POINTS)[0]) < 0.4 * start


def test_looking_at_reconstructions_does_not_change_the_training():
    looked_at = make(replace_below=0.5).run(lambda trainer: trainer.reconstruct(POINTS))
    assert same(state_of(looked_at), state_of(make(replace_below=0.5).run()))


def test_reconstructions_go_through_the_codes_once_quantization_has_started():
    trainer = make(seeds=(0, 1)).run(until=10)
    reconstruction, tokens = trainer.reconstruct(POINTS)
    assert tokens is None
    assert reconstruction.shape == (2, 400, 2)
    reconstruction, tokens = trainer.run().reconstruct(POINTS)
    assert tokens.shape == (2, 400)
    assert len(reconstruction[1].unique(dim=0)) == len(tokens[1].unique())


# --- Images --------------------------------------------------------------------------------------------------


def test_a_convolutional_vq_vae_learns_photo_patches_with_more_than_one_code():
    x = torch.from_numpy(photo_patches(n=64).x).float() / 255
    settings = Settings(codebook_size=32, steps=90, warmup=40, batch_size=8)
    trainer = Trainer(ConvAutoencoder(0, latent_dim=8, hidden=16), x, settings)
    start = measures.mean_squared_error(x, trainer.reconstruct(x)[0])
    trainer.run(until=40)
    assert trainer.quantizer.counts.sum().item() == pytest.approx(8 * 64, rel=1e-5)
    reconstruction, tokens = trainer.run().reconstruct(x)
    assert tokens.shape == (1, 64 * 64)
    assert measures.mean_squared_error(x, reconstruction) < 0.5 * start
    assert measures.perplexity(measures.code_usage(tokens.numpy(), 32)) > 4


def test_byte_pixels_train_and_reconstruct_exactly_as_the_floats_they_stand_for():
    pixels = torch.from_numpy(photo_patches(n=20).x[..., :16, :16].copy())
    settings = Settings(codebook_size=8, steps=6, warmup=3, batch_size=4)
    of_bytes, of_floats = (Trainer(ConvAutoencoder(0, 4, 4), x, settings).run() for x in (pixels, pixels / 255))
    assert same(state_of(of_bytes), state_of(of_floats))
    assert torch.equal(of_bytes.reconstruct(pixels)[0], of_floats.reconstruct(pixels / 255)[0])


def test_the_codes_are_placed_on_as_many_latents_as_told_not_images():
    x = torch.from_numpy(photo_patches(n=20).x[..., :8, :8].copy()).float() / 255
    trainer = Trainer(
        ConvAutoencoder(0, 4, 4),
        x,
        Settings(codebook_size=8, initialisation="latents", initialisation_latents=8, batch_size=4),
    )
    trainer.switch()
    assert (torch.cdist(trainer.quantizer.codebook, trainer.latents(x[:2])).amin(2) < 1e-5).all()
    assert trainer.quantizer.counts.sum().item() == pytest.approx(4 * 4, rel=1e-5)


def test_many_images_are_encoded_and_decoded_in_parts_without_a_seam():
    x = torch.from_numpy(photo_patches(n=515).x[..., :8, :8]).float() / 255
    trainer = Trainer(ConvAutoencoder(0, 2, 2), x, Settings(codebook_size=4, batch_size=4))
    with torch.no_grad():
        z = trainer.model.encode(x[None])
        assert torch.allclose(trainer.latents(x), z, atol=1e-5)
        assert torch.allclose(trainer.reconstruct(x)[0], trainer.model.decode(z), atol=1e-5)
    trainer.switch()
    reconstruction, tokens = trainer.reconstruct(x)
    assert reconstruction.shape == (1, *x.shape)
    assert tokens.shape == (1, 515 * 4)


# --- Stopping and going on -----------------------------------------------------------------------------------

VARIANTS = [
    {},
    {"update": "gradient", "optimizer": "sgd"},
    {"codebook_size": 32, "decay": 0.8, "replace_below": 0.4},
    {"update": "gradient", "codebook_size": 32, "decay": 0.8, "replace_below": 0.4},
]


@pytest.mark.parametrize("changes", VARIANTS)
@pytest.mark.parametrize("stop", [0, 7, 15, 16, 28, 40])
def test_resuming_from_a_checkpoint_is_bit_identical_to_never_stopping(tmp_path, changes, stop):
    path = tmp_path / "run.pt"
    whole = make(seeds=(1, 2), **changes)
    untouched = whole.quantizer.generators[0].get_state()
    whole.run(lambda trainer: trainer.save(path) if trainer.step == stop else None)
    resumed = make(seeds=(1, 2), **changes).load(path)
    assert resumed.step == stop
    resumed.run()
    assert same(state_of(resumed), state_of(whole))
    replaced = not torch.equal(whole.quantizer.generators[0].get_state(), untouched)
    assert replaced == ("replace_below" in changes)


def test_a_cancelled_training_goes_on_as_if_nothing_had_happened():
    def cancel(trainer, at):
        if trainer.step == at:
            raise Cancelled

    trainer = make(replace_below=0.3)
    for at in (0, 7, 15, 30):
        with pytest.raises(Cancelled):
            trainer.run(partial(cancel, at=at))
        assert trainer.step == at
    assert same(state_of(trainer.run()), state_of(make(replace_below=0.3).run()))


def test_a_checkpoint_remembers_settings_given_as_numpy_numbers(tmp_path):
    changes = {"learning_rate": np.float64(1e-3), "codebook_size": np.int64(8), "decay": np.float32(0.5)}
    make(**changes).run(until=20).save(tmp_path / "run.pt")
    assert make(**changes).load(tmp_path / "run.pt").step == 20


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    make().run(until=20).save(path)
    return path


def test_saving_makes_the_folder_and_leaves_nothing_else_in_it(tmp_path):
    make().save(tmp_path / "new" / "folder" / "run.pt")
    assert [p.name for p in (tmp_path / "new" / "folder").iterdir()] == ["run.pt"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("write failed")])
def test_a_full_disk_is_told_and_leaves_the_old_checkpoint(checkpoint, monkeypatch, error, refuses):
    before = checkpoint.read_bytes()

    def write_half(state, file):
        file.write(b"half a checkpoint")
        raise error

    trainer = make().run(until=30)
    monkeypatch.setattr(torch, "save", write_half)
    with refuses("make room"):
        trainer.save(checkpoint)
    assert checkpoint.read_bytes() == before
    assert [p.name for p in checkpoint.parent.iterdir()] == ["run.pt"]
    assert trainer.run().step == 40


def test_a_place_that_cannot_be_written_is_told(checkpoint, refuses):
    with refuses("choose another file"):
        make().save(checkpoint / "inside_a_file.pt")
    with refuses("choose another file"):
        make().save(checkpoint.parent)
    assert [p.name for p in checkpoint.parent.iterdir()] == ["run.pt"]
    assert make().load(checkpoint).step == 20


def test_a_missing_checkpoint_is_told(tmp_path, refuses):
    with refuses("there is no checkpoint at"):
        make().load(tmp_path / "none.pt")
    with refuses("is a folder, not a checkpoint"):
        make().load(tmp_path)


def test_a_checkpoint_of_other_data_is_refused(checkpoint, refuses):
    other = make()
    other.data = other.data + 1
    with refuses("other data"):
        other.load(checkpoint)


def test_no_damage_to_a_checkpoint_goes_unnoticed(checkpoint):
    whole, intact = checkpoint.read_bytes(), state_of(make().load(checkpoint))
    rng = random.Random(0)
    damaged = [whole[:keep] for keep in (0, 1, 100, len(whole) // 2, len(whole) - 1)]
    for _ in range(60):
        place = rng.randrange(len(whole))
        damaged.append(whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :])
    noticed = 0
    for raw in damaged:
        checkpoint.write_bytes(raw)
        trainer = make()
        before = state_of(trainer)
        try:
            trainer.load(checkpoint)
        except LabError:
            noticed += 1
            assert same(state_of(trainer), before)
        else:
            assert same(state_of(trainer), intact)  # the flipped bit was padding
    assert noticed > len(damaged) / 2


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), {"weights": 1}])
def test_a_file_that_is_no_checkpoint_of_ours_is_told(tmp_path, content, refuses):
    torch.save(content, tmp_path / "other.pt")
    with refuses("damaged or not one of ours"):
        make().load(tmp_path / "other.pt")


@pytest.mark.parametrize(
    "other", [{"learning_rate": 0.5}, {"codebook_size": 16}, {"seeds": (9,)}, {"seeds": (0, 1)}, {"hidden": 24}]
)
def test_a_checkpoint_of_another_training_is_refused_and_changes_nothing(checkpoint, other, refuses):
    trainer = make(**other)
    before = state_of(trainer)
    with refuses("other settings, other seeds, other data or another model"):
        trainer.load(checkpoint)
    assert same(state_of(trainer), before)


# --- Refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"warmup": 41}, "must lie in 0…40, got 41"),
        ({"warmup": -1}, "warmup must be at least 0, got -1"),
        ({"steps": 0, "warmup": 0}, "steps must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"optimizer": "lion"}, "unknown optimizer 'lion'"),
        ({"initialisation": "kmeanz"}, "unknown codebook initialisation 'kmeanz'"),
        ({"codebook_size": 0}, "codebook_size must be at least 1, got 0"),
        ({"update": "sgd"}, "choose from ema, gradient"),
        ({"commitment_weight": -1}, "commitment_weight must be at least 0, got -1"),
        ({"replace_below": float("nan")}, "replace_below must be at least 0, got nan"),
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ({"learning_rate": "fast"}, "learning_rate must be"),
        ({"decay": 1}, "decay must be at least 0 and below 1, got 1"),
        ({"batch_size": 2.5}, "batch_size must be a whole number"),
        ({"steps": 10**30}, "steps must be at most"),
        ({"data": POINTS[:0]}, "data set is empty"),
    ],
)
def test_impossible_settings_are_refused_before_training_starts(wrong, words, refuses):
    with refuses(words):
        make(**wrong)


@pytest.mark.parametrize("until", [41, -1, 2.5])
def test_a_training_cannot_run_past_its_end(until, refuses):
    with refuses("until"):
        make().run(until=until)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_samples_of_any_float_dtype_train(dtype):
    trained, expected = make(data=POINTS.to(dtype)).run(), make(data=POINTS.to(dtype).float()).run()
    assert same(state_of(trained), state_of(expected))


@pytest.mark.parametrize("warmup", [0, 20, 40])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_divergence_is_told_in_either_phase(warmup, optimizer, refuses):
    with refuses("lower the learning rate"):
        make(learning_rate=1e12, warmup=warmup, optimizer=optimizer).run()


def test_nan_in_the_data_is_told(refuses):
    for warmup in (0, 40):
        with refuses("NaN or Inf"):
            make(data=torch.full((50, 2), float("nan")), warmup=warmup).run()


def test_more_codes_than_latents_are_refused_at_the_switch(refuses):
    with refuses("500 codes on 400 latents"):
        make(codebook_size=500).run()


def test_a_failed_look_at_bad_samples_does_not_stop_the_codebook_from_learning(refuses):
    trainer = make().run(until=20)
    with refuses("NaN or Inf"):
        trainer.reconstruct(POINTS * float("nan"))
    assert same(state_of(trainer.run()), state_of(make().run()))
