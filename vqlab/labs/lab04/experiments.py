"""Lab 04: dimensions die, in the setting of arXiv 2605.06870's theory: a linear autoencoder on Gaussian modes."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from vqlab import measures
from vqlab.data import power_law_gaussian, power_law_spectrum
from vqlab.labs.lab04.positions import POSITIONS
from vqlab.sweeps import Arrays, Axis, Experiment
from vqlab.sweeps.recorder import Recorder, Snapshot, train
from vqlab.sweeps.threads import one_thread
from vqlab.training import AdaptiveSwitch

DIM = 32
START_SCALE = 0.02
SEEDS = tuple(range(4))
HEADLINE = ("mse", "code_dim")
# Where nothing else is said: the paper's β, and a loss that is a mean over the 32 dimensions, so this rate is one of
# 0.01 on the squared error summed over them.
_BASE = {
    "codebook_size": 256,
    "slope": 1,
    "start_scale": START_SCALE,
    "steps": 1500,
    "batch_size": 512,
    "learning_rate": 0.01 * DIM,
    "optimizer": "sgd",
    "decay": 0.97,
    "commitment_weight": 1.0,
    "replace_below": 0.1,
}
_HELD_OUT, _CLUSTERED = 8192, 32_768
# Latents a code on which codes are placed, at least so many in all; and so many, in parts, for centroids.
_PLACED_PER_CODE, _LEAST_PLACED = 4, 8192
_CENTROID_LATENTS, _CENTROID_PARTS = 65_536, 4
# The warm-up lengths, where codes are placed, and the moments that the lab reads results at.
FRAMES = (0, 10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 600, 750, 800, 1000, 1100, 1250, 1500)
_FEW_FRAMES = (0, 25, 50, 100, 150, 200, 300, 400, 800, 1500)
_LONG_FRAMES = (0, 200, 800, 1500, 3000, 4500, 6000)
# PyTorch's own start of a linear layer has the deviation 1/√(3 · inputs).
_DEFAULT_START = {"start_scale": (3 * DIM) ** -0.5}
_ADAM = {"optimizer": "adamw", "learning_rate": 2e-3}
RECIPES = {
    "default start, SGD": _DEFAULT_START,
    "tiny start, Adam": _ADAM,
    "default start, Adam": _ADAM | _DEFAULT_START,
}
# Fixed before any of these sweeps was looked at.
RULE = {"every": 10, "patience": 75}


class ModeRecorder(Recorder):
    """Also keeps what each mode loses and how much of it the latents hold; at the end, what the codes should be.

    dimension_mse (seeds, frames, d): mse of every data dimension.   latent_variances (seeds, frames, d): principal
    variances of the latents, largest first.   centroid_dim, centroid_mse (seeds, frames): effective dimension of the
    codebook and mse if every code is put at the mean of the latents that choose it: a running mean is a noisy one.
    NaN before the last frame, and if nothing is quantized there.
    """

    def _numbers(self, look: Snapshot) -> Arrays:
        squares = np.square(look.reconstruction - self.points.numpy())  # (R, N, d)
        last = look.trainer.step == self.steps[-1] and look.tokens is not None
        nothing = np.full(len(squares), np.nan)
        centroid_dim, centroid_mse = _centroids(look.trainer, self.points) if last else (nothing, nothing)
        return super()._numbers(look) | {
            "dimension_mse": squares.mean(1),
            "latent_variances": measures.principal_variances(look.latents),
            "centroid_dim": centroid_dim,
            "centroid_mse": centroid_mse,
        }


def _centroids(trainer, points) -> tuple[np.ndarray, np.ndarray]:
    """Effective dimension (R,) of the codes' centroids on fresh samples, and the mse (R,) of `points` with these."""
    import torch

    from vqlab.quantizers import code_counts, look_up, nearest_code

    codebook = trainer.quantizer.codebook.detach()
    runs, k, d = codebook.shape
    generator = torch.Generator().manual_seed(2)
    sums, counts = torch.zeros(runs, k, d), torch.zeros(runs, k, 1)
    for _ in range(_CENTROID_PARTS):
        z = trainer.latents(trainer.draw(_CENTROID_LATENTS // _CENTROID_PARTS, generator))
        tokens = nearest_code(z, codebook)
        sums.scatter_add_(1, tokens[..., None].expand_as(z), z)
        counts += code_counts(tokens, k)[..., None]
    centroids = torch.where(counts > 0, sums / counts.clamp(min=1), codebook)
    z = trainer.latents(points)
    served = trainer.model.decode(look_up(centroids, nearest_code(z, centroids)))
    mse = (served - points).square().mean((1, 2))
    return measures.effective_dimension(centroids.numpy()), mse.detach().numpy()


def train_linear(
    position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict, frames: Sequence[int]
) -> Arrays:
    """Train at a position, all seeds at once. No sample is seen twice, and numbers are of others.

    position: entries that replace those of `base`; also beta, recipe (a key of RECIPES) and replacement (on, off).
    """
    import torch

    from vqlab.models import LinearAutoencoder
    from vqlab.training import Settings

    chosen = base | _spelled_out(position)
    slope, scale = chosen.pop("slope"), chosen.pop("start_scale")
    deviations = torch.from_numpy(np.sqrt(power_law_spectrum(DIM, slope))).float()
    placed = max(_LEAST_PLACED, _PLACED_PER_CODE * chosen["codebook_size"])
    recorder = ModeRecorder(frames, power_law_gaussian(_HELD_OUT, DIM, slope, seed=1).x)
    return train(
        recorder,
        LinearAutoencoder(seeds, DIM, DIM, scale),
        power_law_gaussian(placed, DIM, slope).x,
        Settings(**chosen, initialisation_latents=placed),
        seeds,
        *callbacks,
        draw=lambda n, generator: torch.randn(n, DIM, generator=generator) * deviations,
    )


def _spelled_out(position: dict) -> dict:
    position = dict(position)
    chosen = RECIPES[position.pop("recipe")] if "recipe" in position else {}
    if "beta" in position:
        chosen = chosen | {"commitment_weight": float(position.pop("beta"))}
    if "replacement" in position:
        chosen = chosen | {"replace_below": _BASE["replace_below"] if position.pop("replacement") == "on" else None}
    return chosen | position


def train_adaptive(position: dict, seeds: Sequence[int], *callbacks: Callable, base: dict) -> Arrays:
    """Train at a position (a key of POSITIONS) with the adaptive switch, seed after seed, as a user would.

    Also returns switched, the step of each seed's switch (seeds,).
    """
    cells = []
    for seed in seeds:
        switch = AdaptiveSwitch(**RULE)
        never = POSITIONS[position["position"]] | {"warmup": base["steps"]}
        cell = train_linear(never, [seed], switch, *callbacks, base=base, frames=(base["steps"],))
        cells.append(cell | {"switched": np.array([switch.switched_at], np.float32)})
    return {key: np.concatenate([cell[key] for cell in cells]) for key in cells[0]}


def cluster_modes(position: dict, seeds: Sequence[int], *callbacks: Callable, samples: int) -> Arrays:
    """No training: k-means on the first `modes` of the data itself; what is left out costs its variance."""
    import torch

    from vqlab.quantizers import initialise, look_up, nearest_code

    x, held_out = (
        torch.from_numpy(power_law_gaussian(n, DIM, position["slope"], seed).x).expand(len(seeds), -1, -1)
        for n, seed in ((samples, 0), (_HELD_OUT, 1))
    )
    modes, generators = position["modes"], [torch.Generator().manual_seed(seed) for seed in seeds]
    with one_thread():
        codebook, _ = initialise("kmeans", x[..., :modes].contiguous(), position["codebook_size"], generators)
        kept = held_out[..., :modes].contiguous()
        left = (kept - look_up(codebook, nearest_code(kept, codebook))).square().sum(-1).mean(-1)  # (R,)
    missing = power_law_spectrum(DIM, position["slope"])[modes:].sum()
    return {"mse": ((left.numpy() + missing) / DIM).astype(np.float32)}


def _trained(
    name: str, title: str, axes: tuple[Axis, ...], frames: Sequence[int], more: dict | None = None
) -> Experiment:
    """A grid of trainings whose settings are `_BASE`, `more`, and what the axes say."""
    base = _BASE | (more or {})
    return Experiment(
        name=name,
        title=title,
        axes=axes,
        seeds=SEEDS,
        settings=base
        | {"dim": DIM, "held_out": _HELD_OUT, "centroid_latents": _CENTROID_LATENTS, "frames": list(frames)},
        run=partial(train_linear, base=base, frames=frames),
        headline=HEADLINE,
    )


def _slope(values: tuple[float, ...]) -> Axis:
    return Axis("slope", "spectrum slope", values)


def _beta(values: tuple[float, ...]) -> Axis:
    return Axis("beta", "commitment β", values)


EXPERIMENTS = (
    _trained(
        "dimensions_collapse",
        "A linear vector quantizer on 32 Gaussian modes: warm-up × commitment, K = 256",
        (Axis.warmup(0, 50, 100, 200, 400, 800), _beta((0, 0.25, 1, 4))),
        FRAMES,
    ),
    _trained(
        "dimensions_sizes",
        "The same at β = 1: warm-up × codebook size",
        (Axis.warmup(0, 100, 200, 400), Axis.codebook_size(64, 256, 1024, 4096)),
        _FEW_FRAMES,
    ),
    _trained(
        "dimensions_slopes",
        "The same at β = 1 on other spectra: warm-up × slope, K = 256",
        (Axis.warmup(0, 100, 200, 400), _slope((0.5, 2))),
        _FEW_FRAMES,
    ),
    _trained(
        "dimensions_long",
        "The same for 6,000 steps: warm-up × commitment, K = 256",
        (Axis.warmup(0, 200, 800), _beta((0.25, 1))),
        _LONG_FRAMES,
        {"steps": 6000},
    ),
    _trained(
        "dimensions_recipes",
        "Other starts and another optimiser, K = 256: recipe × commitment × warm-up",
        (Axis("recipe", "start and optimiser", tuple(RECIPES)), _beta((0.25, 1)), Axis.warmup(0, 50, 200)),
        _FEW_FRAMES,
    ),
    _trained(
        "dimensions_replacement",
        "Without commitment (β = 0), cold: dead-code replacement × codebook size",
        (Axis("replacement", "dead-code replacement", ("on", "off")), Axis.codebook_size(64, 1024)),
        _FEW_FRAMES,
        {"commitment_weight": 0.0},
    ),
    Experiment(
        name="dimensions_adaptive",
        title="The adaptive switch, by position",
        axes=(Axis("position", "position", tuple(POSITIONS)),),
        seeds=SEEDS,
        settings=_BASE | {"dim": DIM, "held_out": _HELD_OUT, "centroid_latents": _CENTROID_LATENTS, "rule": RULE},
        run=partial(train_adaptive, base=_BASE),
        headline=HEADLINE,
    ),
    Experiment(
        name="dimensions_floor",
        title="What K codes can do: k-means on the first modes of the data, the others left out",
        axes=(
            Axis("modes", "modes kept", (2, 3, 4, 5, 6, 8, 10, 13, 20, 32), "modes"),
            Axis.codebook_size(64, 256, 1024),
            _slope((0.5, 1, 2)),
        ),
        seeds=tuple(range(8)),
        settings={"dim": DIM, "samples": _CLUSTERED, "held_out": _HELD_OUT},
        run=partial(cluster_modes, samples=_CLUSTERED),
        headline=("mse",),
    ),
)
