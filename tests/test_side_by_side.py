"""A cold start and a warm-up trained side by side, live, as the labs that have it do."""

from functools import partial

import made_up_cifar10
import numpy as np
import pictures
import pytest

from vqlab import data
from vqlab.figures.side_by_side import Plan
from vqlab.labs.lab03.live import LiveComparison
from vqlab.labs.lab05.live import LiveVQGAN
from vqlab.widgets.side_by_side import training_images


def few_images():
    return data.photo_patches(30).x, data.photo_patches(20, seed=1).x, "Trained on few."


@pytest.fixture(params=[LiveComparison, LiveVQGAN])
def short(request):
    """A short live training of a lab."""
    return partial(request.param, Plan(steps=6, warmup=2, codebook_size=16, width=4, every=3), few_images)


@pytest.mark.parametrize("live", [LiveComparison, LiveVQGAN])
def test_before_any_training_it_shows_the_originals(live):
    comparison = live()
    view = comparison.current()
    pictures.check(view)
    assert "not trained yet" in view.alt
    first = view.figure.axes[0].images[0].get_array()[:32, :32, :3].transpose(2, 0, 1)
    assert np.array_equal(first, comparison.originals[0])


def test_the_picture_moves_while_both_starts_train(short):
    comparison = short()
    shown = []
    comparison._picture.observe(lambda change: shown.append(change["new"]), "value")
    comparison.train_live()
    assert [moment.step for moment in comparison.moments] == [0, 3, 6]
    assert len(set(shown)) >= 3
    numbers = {
        name: np.array([moment.numbers[name] for moment in comparison.moments]).T for name in ("active_codes", "psnr")
    }
    cold, warm = numbers["active_codes"]
    assert np.isfinite(cold).all()
    assert np.isnan(warm).tolist() == [True, False, False]
    assert "Trained on few." in comparison._status.value
    view = comparison.current()
    pictures.check(view)
    assert f"Cold: PSNR {numbers['psnr'][0, -1]:.1f} dB, {cold[-1]:.0f} codes in use." in view.status
    drawn = np.array([line.get_ydata() for line in view.figure.axes[1].lines])
    assert np.array_equal(drawn, np.array([m.numbers[comparison.curve.key] for m in comparison.moments]).T, True)


def test_it_can_be_cancelled_and_started_again(short):
    comparison = short()

    def cancel(change):
        comparison._training.cancelled.set()

    comparison._picture.observe(cancel, "value")
    comparison.train_live()
    assert "cancelled" in comparison._status.value
    assert len(comparison.moments) == 1
    comparison._picture.unobserve(cancel, "value")
    comparison.train_live()
    assert len(comparison.moments) == 3


def test_it_takes_cifar10_if_it_is_there_and_photographs_if_not(tmp_path, monkeypatch):
    made_up_cifar10.write_binary(tmp_path, n=5)
    monkeypatch.setenv("VQLAB_DATA", str(tmp_path))
    train, held_out, sentence = training_images()
    assert (len(train), len(held_out)) == (25, 5)
    assert "CIFAR-10" in sentence
    monkeypatch.setenv("VQLAB_DATA", str(tmp_path / "nowhere"))
    train, held_out, sentence = training_images()
    assert (train.shape[1:], held_out.shape[1:]) == ((3, 32, 32), (3, 32, 32))
    assert sentence.startswith("Trained on crops of two photographs: ")
    assert "CIFAR-10 is not there" in sentence
