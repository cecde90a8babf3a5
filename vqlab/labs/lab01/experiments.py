"""Lab 01: tokens collapse, in the spirit of arXiv 2411.16550 (whose own settings were not at hand)."""

from collections.abc import Callable, Sequence
from functools import partial

from vqlab.data import gaussian_ring
from vqlab.labs.lab01 import reasons, sensitivity
from vqlab.sweeps import Arrays, Axis, Experiment
from vqlab.sweeps.recorder import Recorder, frame_steps, train

SEEDS = tuple(range(8))
HEADLINE = ("perplexity", "mse")
# Points whose latents and reconstructions are kept for the pictures; the numbers use every sample.
_PICTURED = 80
# Cold and warm part as clearly here as at twice the width, batch and steps, at an eighth of the cost.
_QUICK = {"hidden": 32, "steps": 1000, "batch_size": 128, "learning_rate": 2e-3}
_LONG = {"hidden": 64, "steps": 2000, "batch_size": 256, "learning_rate": 1e-3}
_CODEBOOK_SIZE = Axis.codebook_size(8, 16, 32, 64, 128, 256)
# Where cold and warm are compared again: one K at which the cold curve has bent, and the largest.
_COMPARED = Axis.codebook_size(64, 256)
# As many quantized steps as the warm-up of 400 leaves of 1,000.
_REASONS = _QUICK | {"steps": 600}
_REASONS_WARMUP = 400
# How Lab 01's comparison places the codes: initialisation and, for one arm, what happens afterwards.
INITIALISATIONS = {
    "k-means": {"initialisation": "kmeans"},
    "k-means++": {"initialisation": "kmeans++"},
    "Gaussian mixture": {"initialisation": "gmm"},
    "hierarchical": {"initialisation": "hierarchical"},
    "normal, std 0.01": {"initialisation": "normal:0.01"},
    "normal, std 0.1": {"initialisation": "normal:0.1"},
    "normal, std 1": {"initialisation": "normal:1"},
    "normal, std 3": {"initialisation": "normal:3"},
    "k-means + replacement": {"initialisation": "kmeans", "replace_below": 0.1},
}


def train_ring(
    position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict, pictured: int = 0, frames: bool = True
) -> Arrays:
    """Train the 8-Gaussian ring at a position (codebook_size, warmup and, if given, placement); all seeds at once."""
    from vqlab.models import MLPAutoencoder
    from vqlab.training import Settings

    x = gaussian_ring().x
    base = dict(base)
    model = MLPAutoencoder(seeds, hidden=base.pop("hidden"))
    initialisation = INITIALISATIONS[position.get("initialisation", "k-means")]
    settings = Settings(codebook_size=position["codebook_size"], warmup=position["warmup"], **initialisation, **base)
    recorder = Recorder(frame_steps(settings.steps) if frames else (settings.steps,), x, pictured)
    return train(recorder, model, x, settings, seeds, *callbacks)


EXPERIMENTS = (
    Experiment(
        name="tokens_collapse",
        title="Tokens collapse on a ring of 8 Gaussians: warm-up × codebook size",
        axes=(
            Axis.warmup(0, 10, 25, 50, 100, 200, 400, 800),
            _CODEBOOK_SIZE,
        ),
        seeds=SEEDS,
        settings=_QUICK | {"pictured": _PICTURED, "frames": list(frame_steps(_QUICK["steps"]))},
        run=partial(train_ring, base=_QUICK, pictured=_PICTURED),
        headline=HEADLINE,
    ),
    Experiment(
        name="tokens_long",
        title="The same with twice the width, batch and steps",
        axes=(Axis.warmup(0, 1000), _CODEBOOK_SIZE),
        seeds=SEEDS,
        settings=_LONG,
        run=partial(train_ring, base=_LONG, frames=False),
        headline=HEADLINE,
    ),
    Experiment(
        name="tokens_initialisation",
        title="Where the codes start × warm-up × codebook size",
        axes=(
            Axis("initialisation", "codebook initialisation", tuple(INITIALISATIONS)),
            Axis.warmup(0, 400),
            _CODEBOOK_SIZE,
        ),
        seeds=SEEDS,
        settings=_QUICK | {"initialisations": INITIALISATIONS},
        run=partial(train_ring, base=_QUICK, frames=False),
        headline=HEADLINE,
    ),
    Experiment(
        name="tokens_sensitivity",
        title="One change of setting at a time × cold or warm × codebook size",
        axes=(
            Axis("setting", "what is changed", tuple(sensitivity.CHANGES)),
            Axis("start", "start", tuple(sensitivity.STARTS)),
            _COMPARED,
        ),
        seeds=SEEDS,
        settings=_QUICK | {"changes": sensitivity.CHANGES, "starts": sensitivity.STARTS},
        run=partial(sensitivity.train_changed, base=_QUICK),
        headline=HEADLINE,
    ),
    Experiment(
        name="tokens_reasons",
        title="Scale or indistinct latents: starts that tell the two apart × codebook size",
        axes=(Axis("start", "start", tuple(reasons.STARTS)), _COMPARED),
        seeds=SEEDS,
        settings=_REASONS | {"warmup": _REASONS_WARMUP},
        run=partial(reasons.train_start, base=_REASONS, warmup=_REASONS_WARMUP),
        headline=HEADLINE,
    ),
)
