"""What the fuzz test calls: every public function with arguments that work, and the kind of each argument.

A function that is missing here fails `test_fuzz`. Values are multiples of 1/16 below 8, so that every dtype down to
bfloat16 holds them exactly.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from vqlab import data, measures, quantizers, sweeps, theory, training
from vqlab.models import MLPAutoencoder
from vqlab.sweeps import runner


@dataclass
class Reals:
    """An array of real numbers. without: cases that mean something else, as bytes mean pixels."""

    value: np.ndarray
    without: tuple[str, ...] = ()


@dataclass
class Wholes:
    """An array of whole numbers."""

    value: np.ndarray


@dataclass
class Number:
    """One real number."""

    value: float


@dataclass
class Whole:
    """One whole number."""

    value: int


@dataclass
class Other:
    """Anything else, for which no other value is known to work: it must be refused or not matter."""

    value: object


@dataclass
class Entry:
    """`call` takes the arguments by name. keeps_dtype: answers in half precision if asked in it."""

    call: Callable
    arguments: dict[str, object]
    keeps_dtype: bool = False


_RNG = np.random.default_rng(0)


def reals(*shape: int, least: float = -2.0, most: float = 2.0) -> Reals:
    return Reals(_RNG.integers(int(16 * least), int(16 * most) + 1, shape) / 16)


Y = np.arange(24) % 3
LATENTS = Reals(reals(24, 2).value + 4 * np.stack([Y == 1, Y == 2], 1))
TOKENS = Wholes(_RNG.integers(8, size=24))
VARIANCES = Reals(np.array([4.0, 2.0, 1.0, 0.5, 0.0]))
Z, CODEBOOK = reals(2, 12, 3), reals(2, 5, 3)
COUNTS = Reals(np.array([3.0, 0, 1, 5]))


def _quantized(method: str, **arguments: object) -> object:
    """What a quantizer holds after one of its methods, and what that returned."""
    quantizer = quantizers.VectorQuantizer(5, 3, (0, 1))
    returned = getattr(quantizer, method)(**arguments)
    return returned, dict(quantizer.state_dict())


def _new_quantizer(**arguments: object) -> object:
    quantizer = quantizers.VectorQuantizer(**arguments)
    return dict(quantizer.state_dict()), quantizer(torch.zeros(len(quantizer.codebook), 4, quantizer.codebook.shape[2]))


def _generators() -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in (0, 1)]


def _initialise(**arguments: object) -> object:
    return quantizers.initialise(**({"generators": _generators()} | arguments))


def _lloyd(**arguments: object) -> object:
    return quantizers.lloyd(**({"generators": _generators()} | arguments))


def _trainer(data_: object = None, settings: object = None, seeds: object = (0, 1)) -> training.Trainer:
    settings = training.Settings(codebook_size=4, steps=3, warmup=1, batch_size=8) if settings is None else settings
    model = MLPAutoencoder((0, 1), hidden=4)
    return training.Trainer(model, reals(1, 1).value if data_ is None else data_, settings, seeds)


def _trained(**arguments: object) -> object:
    trainer = _trainer(**arguments).run()
    return trainer.losses, trainer.quantizer.codebook.detach()


def _run(until: object) -> object:
    return _trainer(_SAMPLES).run(until=until).step


def _look(method: str, samples: object) -> object:
    return getattr(_trainer(_SAMPLES).run(), method)(samples)


def _save_and_load(path: object) -> object:
    trainer = _trainer(_SAMPLES).run(until=1)
    trainer.save(path)
    return _trainer(_SAMPLES).load(path).step


def _observe(rule: object = None, **arguments: object) -> object:
    rule = training.AdaptiveSwitch(every=1, patience=1) if rule is None else rule
    return rule.observe(**arguments), rule.history


def _adaptive(**arguments: object) -> object:
    rule = training.AdaptiveSwitch(**arguments)
    return [getattr(rule, name) for name in arguments]


def _settings(**arguments: object) -> object:
    return list(vars(training.Settings(**arguments)).values())


def _experiment(**arguments: object) -> sweeps.Experiment:
    described = {
        "name": "fuzzed",
        "title": "fuzzed",
        "axes": (sweeps.Axis("a", "a", (1, 2)),),
        "seeds": (0, 1),
        "settings": {},
        "run": _cell,
        "headline": ("score",),
    }
    return sweeps.Experiment(**(described | arguments))


def _described(**arguments: object) -> str:
    return _experiment(**arguments).fingerprint


def _cell(position: dict, seeds: tuple, *_: Callable) -> dict:
    return {"score": np.full((len(seeds), 2), float(position["a"]))}


def _stored() -> sweeps.StoredSweep:
    if not (_FOLDER / "fuzzed.npz").exists():
        runner.run(_experiment(), folder=_FOLDER)
    return sweeps.load("fuzzed", _FOLDER)


def _load(name: object = "fuzzed", folder: object = None) -> object:
    _stored()
    return sweeps.load(name, _FOLDER if folder is None else folder).arrays


_FOLDER = Path(tempfile.mkdtemp())
_PIXELS = ("whole uint8", "whole torch.uint8")
_SAMPLES = reals(40, 2).value
_CLASSES = {"latents": LATENTS, "y": Wholes(Y)}
_MIXTURE = {"n": Whole(12), "seed": Whole(3)}

ENTRIES = {
    "measures.accuracy": Entry(measures.accuracy, {"predicted": Wholes(Y[:12]), "y": Wholes(Y)}),
    "measures.active_codes": Entry(measures.active_codes, {"counts": COUNTS}),
    "measures.agrees": Entry(measures.agrees, {"new": reals(8), "stored": reals(8)}),
    "measures.boundary": Entry(
        measures.boundary,
        {"widths": Wholes(np.array([1, 2, 4])), "shares": Reals(np.array([0.5, 1, 1])), "level": Number(0.75)},
    ),
    "measures.class_covariances": Entry(measures.class_covariances, _CLASSES),
    "measures.class_error": Entry(
        measures.class_error, {"x": reals(24, 2), "reconstruction": reals(3, 24, 2), "y": Wholes(Y)}
    ),
    "measures.class_means": Entry(measures.class_means, _CLASSES),
    "measures.classify_by_mean": Entry(measures.classify_by_mean, _CLASSES),
    "measures.classify_by_token": Entry(measures.classify_by_token, {"tokens": TOKENS, "y": Wholes(Y), "k": Whole(8)}),
    "measures.code_usage": Entry(measures.code_usage, {"tokens": TOKENS, "k": Whole(8)}),
    "measures.confusion": Entry(measures.confusion, {"predicted": Wholes(Y[:12]), "y": Wholes(Y)}),
    "measures.discriminability": Entry(measures.discriminability, _CLASSES),
    "measures.distinct_regions": Entry(measures.distinct_regions, _CLASSES | {"threshold": Number(2.0)}),
    "measures.effective_dimension": Entry(measures.effective_dimension, {"x": reals(9, 4), "share": Number(0.75)}),
    "measures.frechet_distance": Entry(measures.frechet_distance, {"first": reals(9, 3), "second": reals(7, 3)}),
    "measures.held_out": Entry(measures.held_out, {"y": Wholes(Y)}),
    "measures.linear_probe_accuracy": Entry(measures.linear_probe_accuracy, _CLASSES),
    "measures.mean_squared_error": Entry(
        measures.mean_squared_error, {"x": reals(6, 2), "reconstruction": reals(3, 6, 2)}
    ),
    "measures.perplexity": Entry(measures.perplexity, {"counts": COUNTS}),
    "measures.principal_variances": Entry(measures.principal_variances, {"x": reals(9, 3)}),
    "measures.psnr": Entry(measures.psnr, {"mse": reals(4, least=0.5)}),
    "measures.region_labels": Entry(measures.region_labels, _CLASSES | {"threshold": Number(2.0)}),
    "measures.scatter_ratio": Entry(measures.scatter_ratio, _CLASSES),
    "measures.spectrum_dimension": Entry(measures.spectrum_dimension, {"variances": VARIANCES, "share": Number(0.75)}),
    "measures.token_information": Entry(measures.token_information, {"table": reals(4, 3, least=0)}),
    "measures.token_purity": Entry(measures.token_purity, {"table": reals(4, 3, least=0)}),
    "measures.token_table": Entry(measures.token_table, {"tokens": TOKENS, "y": Wholes(Y), "k": Whole(8)}),
    "measures.used_dimension": Entry(
        measures.used_dimension, {"codebook": reals(4, 3), "counts": COUNTS, "share": Number(0.75)}
    ),
    "theory.adaptive_switch": Entry(
        theory.adaptive_switch,
        {
            "times": Reals(np.array([0.0, 1, 2, 3, 4])),
            "scores": Reals(np.array([4.0, 2, 3, 3, 3])),
            "patience": Number(2.0),
            "min_gain": Number(0.5),
        },
    ),
    "theory.autoencoder_gain": Entry(
        theory.autoencoder_gain, {"variances": VARIANCES, "t": reals(3, least=0), "eps": Number(0.125)}
    ),
    "theory.passed_dimension": Entry(
        theory.passed_dimension, {"latent": reals(2, 3, least=0), "level": reals(2, least=0)}
    ),
    "theory.drowning_times": Entry(
        theory.drowning_times,
        {
            "times": Reals(np.array([0.0, 1, 2])),
            "latent": reals(3, 2, least=0),
            "bits": Number(2.0),
            "warmup": Number(1.0),
        },
    ),
    "theory.dense_flow": Entry(
        theory.dense_flow,
        {
            "variances": Reals(np.array([2.0, 1.0])),
            "bits": Number(2.0),
            "warmup": Number(1.0),
            "total": Number(3.0),
            "beta": Number(0.5),
            "scale": Number(0.125),
            "seed": Whole(1),
        },
    ),
    "theory.diagonal_flow": Entry(
        theory.diagonal_flow,
        {
            "variances": VARIANCES,
            "bits": Reals(np.array([1.0, 3.0])),
            "warmup": Reals(np.array([0.0, 2.0])),
            "total": Number(4.0),
            "beta": Number(0.5),
            "start": Number(0.125),
            "steps": Whole(20),
        },
    ),
    "theory.expected_active": Entry(
        theory.expected_active, {"k": Wholes(np.array([1, 8])), "n": Wholes(np.array([5]))}
    ),
    "theory.expected_perplexity": Entry(
        theory.expected_perplexity, {"k": Wholes(np.array([1, 8])), "n": Wholes(np.array([5]))}
    ),
    "theory.loss_floor": Entry(
        theory.loss_floor, {"variances": VARIANCES, "bits": Number(2.0), "active": Wholes(np.array([0, 2, 5]))}
    ),
    "theory.predicted_active": Entry(
        theory.predicted_active,
        {"variances": VARIANCES, "warmup": reals(3, least=0), "bits": Number(2.0), "eps": Number(0.125)},
    ),
    "theory.simulate_uniform_usage": Entry(
        theory.simulate_uniform_usage, {"k": Whole(8), "n": Whole(20), "draws": Whole(3), "seed": Whole(1)}
    ),
    "theory.steps_until_dead": Entry(
        theory.steps_until_dead,
        {"start": reals(4, least=0.5), "threshold": Reals(np.array([0.125])), "decay": Number(0.75)},
    ),
    "theory.water_fill": Entry(theory.water_fill, {"variances": VARIANCES, "bits": reals(3, least=0)}),
    "quantizers.VectorQuantizer": Entry(
        _new_quantizer,
        {
            "codebook_size": Whole(5),
            "dim": Whole(3),
            "seeds": Wholes(np.array([0, 1])),
            "update": Other("gradient"),
            "decay": Number(0.5),
            "commitment_weight": Number(0.25),
            "codebook_weight": Number(0.5),
            "replace_below": Number(0.5),
        },
    ),
    "quantizers.VectorQuantizer.forward": Entry(partial(_quantized, "forward"), {"z": Z}, keeps_dtype=True),
    "quantizers.VectorQuantizer.set_codebook": Entry(
        partial(_quantized, "set_codebook"), {"codebook": CODEBOOK, "counts": reals(2, 5, least=0)}
    ),
    "quantizers.VectorQuantizer.start_from": Entry(
        partial(_quantized, "start_from"),
        {
            "latents": Z,
            "batch_tokens": Whole(8),
            "initialisation": Other("latents"),
            "generators": Other(_generators()),
        },
    ),
    "quantizers.code_counts": Entry(
        quantizers.code_counts, {"tokens": Wholes(TOKENS.value.reshape(2, 12)), "codebook_size": Whole(8)}
    ),
    "quantizers.initialise": Entry(
        _initialise,
        {"z": Z, "codebook_size": Whole(5), "initialisation": Other("kmeans"), "generators": Other(_generators())},
    ),
    "quantizers.look_up": Entry(
        quantizers.look_up, {"codebook": CODEBOOK, "tokens": Wholes(TOKENS.value.reshape(2, 12) % 5)}
    ),
    "quantizers.lloyd": Entry(
        _lloyd, {"z": Z, "codebook": CODEBOOK, "steps": Whole(2), "generators": Other(_generators())}
    ),
    "quantizers.nearest_code": Entry(quantizers.nearest_code, {"z": Z, "codebook": CODEBOOK}),
    "quantizers.parse_initialisation": Entry(quantizers.parse_initialisation, {"initialisation": Other("normal:0.5")}),
    "quantizers.straight_through": Entry(quantizers.straight_through, {"z": Z, "z_q": reals(2, 12, 3)}),
    "data.class_centres": Entry(data.class_centres, {"layout": Other("ring"), "classes": Whole(5)}),
    "data.gaussian_grid": Entry(data.gaussian_grid, _MIXTURE | {"classes": Whole(4), "std": Number(0.25)}),
    "data.gaussian_ring": Entry(
        data.gaussian_ring, _MIXTURE | {"classes": Whole(4), "std": Number(0.25), "radius": Number(2.0)}
    ),
    "data.power_law_gaussian": Entry(data.power_law_gaussian, _MIXTURE | {"d": Whole(3), "slope": Number(1.5)}),
    "data.power_law_spectrum": Entry(data.power_law_spectrum, {"d": Whole(3), "slope": Number(1.5)}),
    "data.separate_classes": Entry(data.separate_classes, _MIXTURE | {"layout": Other("grid"), "classes": Whole(4)}),
    "training.AdaptiveSwitch": Entry(
        _adaptive,
        {
            "every": Whole(5),
            "patience": Number(2.0),
            "min_gain": Number(0.5),
            "latest": Number(0.75),
            "probe": Whole(64),
        },
    ),
    "training.AdaptiveSwitch.observe": Entry(
        _observe, {"step": Whole(4), "latents": reals(2, 30, 3), "codebook_size": Whole(8), "steps": Whole(20)}
    ),
    "training.Settings": Entry(
        _settings,
        {
            "codebook_size": Whole(4),
            "steps": Whole(9),
            "warmup": Whole(3),
            "batch_size": Whole(8),
            "learning_rate": Number(0.125),
            "loss": Other("l1"),
            "perceptual_weight": Number(0.5),
            "optimizer": Other("sgd"),
            "initialisation": Other("kmeans"),
            "initialisation_latents": Whole(64),
            "update": Other("ema"),
            "decay": Number(0.5),
            "commitment_weight": Number(0.25),
            "codebook_weight": Number(0.5),
            "replace_below": Number(0.5),
            "discriminator_start": Whole(2),
            "discriminator_weight": Number(0.5),
        },
    ),
    "training.Trainer": Entry(
        _trained,
        {
            "data_": Reals(_SAMPLES, _PIXELS),
            "seeds": Wholes(np.array([0, 1])),
            "settings": Other(training.Settings(4, 3, 1, 8)),
        },
    ),
    "training.launch": Entry(
        lambda **arguments: str(training.launch(**arguments).device) == "cpu",
        {"device": Other("cpu"), "precision": Other("float32")},
    ),
    "training.Trainer.run": Entry(_run, {"until": Whole(2)}),
    "training.Trainer.latents": Entry(partial(_look, "latents"), {"samples": Reals(_SAMPLES, _PIXELS)}),
    "training.Trainer.reconstruct": Entry(partial(_look, "reconstruct"), {"samples": Reals(_SAMPLES, _PIXELS)}),
    "training.Trainer.reconstruct_latents": Entry(
        lambda **arguments: _trainer(_SAMPLES).run().reconstruct_latents(**arguments),
        {"z": reals(2, 6, 2), "samples": Whole(3)},
    ),
    "training.Trainer.save": Entry(_save_and_load, {"path": Other(_FOLDER / "trained.pt")}),
    "training.Trainer.load": Entry(_save_and_load, {"path": Other(str(_FOLDER / "loaded.pt"))}),
    "training.Trainer.switch": Entry(lambda: _trainer(_SAMPLES).switch(), {}),
    "sweeps.Axis": Entry(
        sweeps.Axis, {"name": Other("a"), "label": Other("b"), "values": Other((1, 2)), "unit": Other("m")}
    ),
    "sweeps.Experiment": Entry(
        _described,
        {
            "name": Other("fuzzed"),
            "title": Other("fuzzed"),
            "axes": Other((sweeps.Axis("a", "a", (1, 2)),)),
            "seeds": Wholes(np.array([0, 1])),
            "settings": Other({"steps": 3}),
            "run": Other(_cell),
            "headline": Other(("score",)),
        },
    ),
    "sweeps.StoredSweep": Entry(lambda: _stored().name, {}),
    "sweeps.StoredSweep.at": Entry(lambda **position: _stored().at(**position), {"a": Whole(2)}),
    "sweeps.StoredSweep.final": Entry(
        lambda **arguments: _stored().final(**arguments), {"key": Other("score"), "a": Whole(2)}
    ),
    "sweeps.StoredSweep.experiment": Entry(lambda: _stored().experiment, {}),
    "sweeps.home": Entry(sweeps.home, {}),
    "sweeps.load": Entry(_load, {"name": Other("fuzzed"), "folder": Other(_FOLDER)}),
}
