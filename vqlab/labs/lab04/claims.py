"""What the papers claim and what Lab 04's stored sweeps say to it, each claim with the settings at which it holds.

2605.06870 is *Continuous First, Discrete Later*; NeurIPS 2025 is *Dimensional Collapse in VQVAEs: Evidence and
Remedies*. All numbers are over all stored seeds; errors are squared errors summed over the dimensions.
"""

from collections.abc import Mapping

import numpy as np

from vqlab import sweeps
from vqlab.figures import per_cent, spread
from vqlab.labs.lab04 import readings

HEADER = ("claim", "measured here", "holds")
_LINE, _SETTING = "<br>", " · "  # in a cell of the table: between lines, and between the names of settings
# A dimension that moves by less than this in 4,500 steps more counts as frozen.
_FROZEN = 1.0
# Fewer codes in use than this share are hardly any.
_HARDLY = 0.1
# The share of the dimensions that the paper's tokenizers use.
_TINY = 0.02
# An error that rises by less than this share makes no arm of a U.
_FLAT = 0.01


def where(holds: Mapping[str, bool]) -> str:
    """At which of the named settings something holds, in words."""
    yes, no = ([name for name, one in holds.items() if bool(one) == wanted] for wanted in (True, False))
    if not (yes and no):
        return "everywhere here" if yes else "nowhere here"
    return f"at {_SETTING.join(yes)}{_LINE}not at {_SETTING.join(no)}"


def rows() -> list[tuple[str, str, str]]:
    """The table of claims: (claim, measured, where it holds)."""
    return [one() for one in (_collapse, _frozen, _bound, _gain, _recipes, _too_long, _dimension, _sizes, _ablation)]


def _named(values: Mapping[str, str]) -> str:
    return "".join(f"{_LINE}{name}: {value}" for name, value in values.items())


def _betas() -> dict[str, float]:
    return {f"β = {beta:g}": beta for beta in sweeps.load("dimensions_collapse").axes["beta"].values}


def _collapse() -> tuple[str, str, str]:
    sweep = sweeps.load("dimensions_collapse")
    cold = {name: sweep.final("code_dim", warmup=0, beta=beta) for name, beta in _betas().items()}
    used = sweep.final("active", warmup=0) / sweep.settings["codebook_size"]
    measured = f"cold, at least {used.min():.0%} of the codes in use; dimension:{_named(_spreads(cold))}"
    shares = {name: values.mean() / sweep.settings["dim"] for name, values in cold.items()}
    fewer, tiny = ({name: share < most for name, share in shares.items()} for most in (0.5, _TINY))
    verdict = f"fewer than half, {where(fewer)}{_LINE}as few as {_TINY:.0%}, {where(tiny)}"
    return "2605.06870: codes in use, and few dimensions (1–2 % of them, on images)", measured, verdict


def _spreads(values: Mapping[str, np.ndarray]) -> dict[str, str]:
    return {name: spread(one, 2) for name, one in values.items()}


def _frozen() -> tuple[str, str, str]:
    sweep = sweeps.load("dimensions_long")
    early, late = (sweep.settings["frames"].index(step) for step in (1500, sweep.settings["steps"]))
    dims = {f"β = {beta:g}": sweep.at(warmup=0, beta=beta)["code_dim"] for beta in sweep.axes["beta"].values}
    error = {name: sweep.at(warmup=0, beta=float(name.split()[-1]))["mse"] * sweep.settings["dim"] for name in dims}
    said = {
        name: f"dimension {d[:, early].mean():.1f} → {d[:, late].mean():.1f}, "
        f"error {error[name][:, early].mean():.2f} → {error[name][:, late].mean():.2f}"
        for name, d in dims.items()
    }
    holds = {name: abs(d[:, late].mean() - d[:, early].mean()) < _FROZEN for name, d in dims.items()}
    measured = f"cold, from step 1,500 to {sweep.settings['steps']:,}, on samples that never repeat{_named(said)}"
    few = {name: 2 <= d[:, late].mean() <= 4 for name, d in dims.items()}
    verdict = f"frozen {where(holds)}{_LINE}2–4: {where(few)}"
    return "2605.06870: a cold start stays at 2–4 dimensions, frozen", measured, verdict


def _bound() -> tuple[str, str, str]:
    sweep = sweeps.load("dimensions_collapse")
    said, holds = {}, {}
    for name, beta in _betas().items():
        counted = readings.at_switch(sweep, beta=beta)[1:]  # that of a cold start is vacuous
        over = sweep.final("code_dim", beta=beta)[1:] - counted
        centroids = sweep.final("centroid_dim", beta=beta)[1:] - counted
        said[name] = f"codes {over.mean(1).max():+.1f} at most, centroids {centroids.mean(1).max():+.1f}"
        holds[name] = over.mean(1).max() <= 0
    measured = f"final dimension less the count at the switch, over all warm-ups but 0{_named(said)}"
    return "2605.06870: the count at the switch bounds the final dimension", measured, f"for codes {where(holds)}"


def _gain() -> tuple[str, str, str]:
    sweep = sweeps.load("dimensions_collapse")
    errors = {name: readings.errors(sweep, beta=beta) for name, beta in _betas().items()}
    sizes = sweeps.load("dimensions_sizes")
    errors |= {f"K = {k:,}": readings.errors(sizes, codebook_size=k) for k in sizes.axes["codebook_size"].values}
    slopes = sweeps.load("dimensions_slopes")
    errors |= {f"slope {slope:g}": readings.errors(slopes, slope=slope) for slope in slopes.axes["slope"].values}
    gains = {name: readings.gain(error) for name, error in errors.items()}
    said = _named({name: per_cent(one, 1) for name, one in gains.items()})
    measured = f"tiny start, plain SGD: error of the best warm-up below the cold one's{said}"
    claim = "2605.06870: a warm-up lowers the error (17–35 % of rFID on images)"
    return claim, measured, where({name: readings.clear(gain) for name, gain in gains.items()})


def _recipes() -> tuple[str, str, str]:
    sweep = sweeps.load("dimensions_recipes")
    gains = {
        f"{recipe}, β = {beta:g}": readings.gain(readings.errors(sweep, recipe=recipe, beta=beta))
        for recipe in sweep.axes["recipe"].values
        for beta in sweep.axes["beta"].values
    }
    said = _named({name: per_cent(gain, 1) for name, gain in gains.items()})
    measured = f"the same gain, by the better of few warm-ups{said}"
    holds = {name: readings.clear(gain) for name, gain in gains.items()}
    return "the same with PyTorch's default start, or Adam", measured, where(holds)


def _too_long() -> tuple[str, str, str]:
    short, long = sweeps.load("dimensions_collapse"), sweeps.load("dimensions_long")
    arms = {name: readings.right_arm(readings.errors(short, beta=beta)) for name, beta in _betas().items()}
    late = {f"β = {beta:g}": readings.right_arm(readings.errors(long, beta=beta)) for beta in long.axes["beta"].values}
    warmup, steps, more = short.axes["warmup"].values[-1], short.settings["steps"], long.settings["steps"]
    said, later = (_named({name: per_cent(arm, 2) for name, arm in some.items()}) for some in (arms, late))
    measured = (
        f"longest warm-up, {warmup} of {steps:,} steps, above the best one{said}{_LINE}The longest of {more:,} steps, "
        f"{long.axes['warmup'].values[-1]}, is {long.axes['warmup'].values[-1] / more:.0%} of them{later}"
    )
    holds = {name: readings.clear(arm) for name, arm in arms.items()}
    verdict = f"{where(holds)}{_LINE}of {more:,} steps no such share was tested"
    return "ours: a warm-up can be too long", measured, verdict


def _dimension() -> tuple[str, str, str]:
    sweep = sweeps.load("dimensions_collapse")
    said, holds, few = {}, {}, {}
    for name, beta in _betas().items():
        error, dimension = readings.errors(sweep, beta=beta), sweep.final("code_dim", beta=beta).mean(1)
        best, top = readings.best(error), int(dimension.argmax())
        arm = readings.right_arm(error, top)
        said[name] = f"best at {dimension[best]:.1f}, {per_cent(arm, 1)} more at {dimension[top]:.1f}"
        holds[name] = dimension[top] > dimension[best] + 0.5 and readings.clear(arm) and arm.mean() > _FLAT
        few[name] = 4 <= dimension[best] <= 10
    measured = f"error over the codebook's dimension{_named(said)}"
    verdict = f"a U, by {_FLAT:.0%} or more, {where(holds)}{_LINE}best at 4–10: {where(few)}"
    return "NeurIPS 2025: the loss is U-shaped in the dimension, best at 4–10", measured, verdict


def _sizes() -> tuple[str, str, str]:
    sweep = sweeps.load("dimensions_sizes")
    sizes = sweep.axes["codebook_size"].values
    error = np.stack([readings.errors(sweep, codebook_size=k) for k in sizes])  # (K, warm-ups, seeds)
    cold, warm = error[:, 0], np.array([one[readings.best(one)] for one in error])
    fall = 1 - cold[-1] / cold[0]
    better = {f"K = {k:,}": cold[-1].mean() > w.mean() for k, w in zip(sizes[:-1], warm[:-1], strict=True)}
    best = _named({f"K = {k:,}": f"{w.mean():.2f}" for k, w in zip(sizes, warm, strict=True)})
    measured = (
        f"cold, from K = {sizes[0]:,} to {sizes[-1]:,}: error {cold[0].mean():.2f} → {cold[-1].mean():.2f}, "
        f"lower by {per_cent(fall, 1)}; with the best warm-up{best}"
    )
    claim = "2605.06870: a floor that more codes do not lift (64 times the codes help little)"
    if not any(better.values()):
        return claim, measured, f"no such floor here: cold K = {sizes[-1]:,} beats every smaller K, however warmed"
    return claim, measured, f"warm beats cold K = {sizes[-1]:,} {where(better)}"


def _ablation() -> tuple[str, str, str]:
    sweep, sizes = sweeps.load("dimensions_replacement"), sweeps.load("dimensions_sizes")
    said, idle, richer, higher = {}, {}, {}, {}
    dim = sweep.settings["dim"]
    for k in sweep.axes["codebook_size"].values:
        name, held = f"K = {k:,}", {key: sizes.final(key, warmup=0, codebook_size=k) for key in ("code_dim", "mse")}
        said[f"{name}, β = 1"] = f"dimension {held['code_dim'].mean():.1f}, error {held['mse'].mean() * dim:.2f}"
        for replacement in ("off", "on"):
            at = {"replacement": replacement, "codebook_size": k}
            used, dimension, mse = (sweep.final(key, **at) for key in ("active", "code_dim", "mse"))
            said[f"{name}, β = 0, replacement {replacement}"] = (
                f"{used.mean() / k:.0%} in use, dimension {dimension.mean():.1f}, error {mse.mean() * dim:.2f}"
            )
            if replacement == "off":
                idle[name] = used.mean() < _HARDLY * k
        richer[name], higher[name] = (
            readings.clear(dimension - held["code_dim"]),
            not readings.clear(held["mse"] / mse - 1),
        )
    claim = (
        "2605.06870: β = 0 without replacement: hardly a code in use; with it: more dimensions, no lower floor "
        "(their codes learn by gradient, ours are running means)"
    )
    holds = _LINE.join(
        (f"hardly a code: {where(idle)}", f"more dimensions: {where(richer)}", f"no lower error: {where(higher)}")
    )
    return claim, f"cold{_named(said)}", holds
