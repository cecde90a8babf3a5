"""Exercises of Lab 05: the loss whose weights are easily swapped, the adversary's weight, and a promise kept or not."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from vqlab import sweeps, theory
from vqlab.exercises import Exercise, Mistake, Test, variants, with_gradients
from vqlab.exercises.running import Outcome
from vqlab.labs.lab05 import readings

# --- vq_loss(z, z_q) -> tensor -----------------------------------------------------------------------------

# Of the commitment and of the codebook loss. No two students share one of them, or their sum.
_WEIGHTS = ((1.0, 0.25), (0.5, 2.0), (2.0, 0.75), (0.75, 0.1), (1.5, 0.4), (0.4, 1.2))


def loss_weights() -> tuple[float, float]:
    """This student's weights of the commitment loss and of the codebook loss."""
    return variants.drawn("vq_loss", _WEIGHTS)


Loss = tuple[np.ndarray, np.ndarray, np.ndarray]


def _pulling(at_z: float, at_z_q: float, detached: bool = True, count: Callable[..., float] = np.size) -> Callable:
    """The loss that pulls at z and at z_q with these weights, its squares divided by count(z), and both gradients.

    detached: the loss has a term for each pull; if not, one term pulls at both, with one weight.
    """

    def loss(z: np.ndarray, z_q: np.ndarray, gradient: np.ndarray) -> Loss:
        off, n = z.astype(float) - z_q, count(z)
        value = (at_z + at_z_q if detached else at_z) * np.square(off).sum() / n
        return value, at_z * 2 * gradient * off / n, -at_z_q * 2 * gradient * off / n

    return loss


def _weighed(of: Callable[[float, float], Callable]) -> Callable:
    """A loss of this student's weights: of(commitment, codebook)."""
    return lambda z, z_q, gradient: of(*loss_weights())(z, z_q, gradient)


def _latents_and_codes(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shape = (2, 2) if i == 0 else tuple(rng.integers((2, 2), (9, 6)))
    z, z_q = (np.round(rng.normal(size=shape), 2).astype((np.float32, np.float64)[i % 2]) for _ in range(2))
    return z, z_q, np.array(1.0 if i == 0 else rng.uniform(0.5, 2), z.dtype)


vq_loss = Exercise(
    "vq_loss",
    _weighed(_pulling),
    tensors=True,
    asks=with_gradients,
    returns=("the loss", "the gradient that z receives", "the gradient that z_q receives"),
    tests=(
        Test("the value of the loss", _latents_and_codes, parts=(0,)),
        Test("z is pulled to its code with the weight of the commitment", _latents_and_codes, parts=(1,)),
        Test("the code is pulled to its latent with the weight of the codebook", _latents_and_codes, parts=(2,)),
    ),
    mistakes=(
        Mistake(
            "The weights are swapped: that of the commitment should pull z, and that of the codebook the code; yours "
            "do the opposite. It is the trap of section 8, and the value does not show it. In the commitment term "
            "z_q is detached. Open hint 2.",
            _weighed(lambda commitment, codebook: _pulling(codebook, commitment)),
        ),
        Mistake(
            "Nothing is detached, so both terms pull at both, with the sum of the weights. Open hint 1.",
            _weighed(lambda commitment, codebook: _pulling(*[commitment + codebook] * 2, detached=False)),
        ),
        Mistake(
            "Only the commitment term is there: codes that learn by gradient need the other one, too. Open hint 1.",
            _weighed(lambda commitment, codebook: _pulling(commitment, 0)),
        ),
        Mistake(
            "Only the codebook term is there: nothing holds the encoder to its codes. Open hint 1.",
            _weighed(lambda commitment, codebook: _pulling(0, codebook)),
            _pulling(0, 1),
        ),
        Mistake("Both terms have weight 1: theirs are printed above, and differ. Open hint 1.", _pulling(1, 1)),
        Mistake("The weights are others: yours are printed above.", *(_pulling(*weights) for weights in _WEIGHTS)),
        Mistake(
            "You sum over dimensions; means are taken over tokens and dimensions. Open hint 1.",
            _weighed(lambda *weights: _pulling(*weights, count=len)),
            _weighed(lambda *weights: _pulling(*weights, count=lambda z: 1)),
        ),
    ),
)

# --- adversary_weight(error_gradient, doubt_gradient, step, start, weight) -> float -------------------------

_MOST, _LEAST = 1e4, 1e-4


def _norm(gradient: np.ndarray) -> float:
    return float(np.sqrt(np.square(gradient, dtype=float).sum()))


def _adversary_weight(error: np.ndarray, doubt: np.ndarray, step: int, start: int, weight: float) -> float:
    return weight * min(_norm(error) / (_norm(doubt) + _LEAST), _MOST) if step >= start else 0.0


def _gradients(rng: Generator, i: int, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    shape = (2,) if i == 0 else tuple(rng.integers(1, 4, size=rng.integers(1, 5)))
    error, doubt = (np.round(rng.normal(size=shape), 2) + 0.1 for _ in range(2))
    return error, scale * doubt


def _after(rng: Generator, i: int) -> tuple:
    start = int(rng.integers(0, 900))
    weight = float(np.round(rng.uniform(0.3, 1.5), 1))
    return *_gradients(rng, i), start + int(rng.integers(1, 900)), start, weight


def _around_the_start(rng: Generator, i: int) -> tuple:
    start = int(rng.integers(2, 900))
    return *_gradients(rng, i), start + (-1, 0, 1, -start)[i % 4], start, 0.8


def _hardly_any(rng: Generator, i: int) -> tuple:
    """No gradient of the doubt at all, or one near the least that is added to it."""
    error, doubt = _gradients(rng, i, scale=(0.0, 1e-4, 3e-4)[i % 3])
    return error * (1, 1, 20)[i % 3], doubt, 7, 3, float(np.round(rng.uniform(0.3, 0.9), 1))


adversary_weight = Exercise(
    "adversary_weight",
    _adversary_weight,
    tests=(
        Test("after the start, the ratio of both norms times the weight", _after),
        Test("0 before the start, and at the start the ratio", _around_the_start),
        Test("with hardly any gradient of the doubt it stays bounded", _hardly_any),
    ),
    mistakes=(
        Mistake(
            "The ratio is turned: where the error pulls harder, the adversary must gain. Open hint 1.",
            lambda e, d, step, start, w: w * min(_norm(d) / (_norm(e) + _LEAST), _MOST) if step >= start else 0.0,
        ),
        Mistake(
            "The weight is missing: multiply by it at the end. Open hint 1.",
            lambda e, d, step, start, w: _adversary_weight(e, d, step, start, 1.0),
        ),
        Mistake(
            "These are squares of norms: take the root of the sum of squares. Open hint 1.",
            lambda e, d, step, start, w: (
                w * min(_norm(e) ** 2 / (_norm(d) ** 2 + _LEAST), _MOST) if step >= start else 0.0
            ),
        ),
        Mistake(
            "The adversary is at work before its start: return 0 while step < start. Open hint 2.",
            lambda e, d, step, start, w: _adversary_weight(e, d, step, 0, w),
        ),
        Mistake(
            "It begins one step late: at step = start it is at work. Open hint 2.",
            lambda e, d, step, start, w: _adversary_weight(e, d, step, start + 1, w),
        ),
        Mistake(
            "The bound of 1e4 is missing: where the doubt has no gradient, the ratio runs away. Open hint 3.",
            lambda e, d, step, start, w: w * _norm(e) / (_norm(d) + _LEAST) if step >= start else 0.0,
        ),
        Mistake(
            "The bound holds for the ratio, before the weight is multiplied. Open hint 3.",
            lambda e, d, step, start, w: min(w * _norm(e) / (_norm(d) + _LEAST), _MOST) if step >= start else 0.0,
        ),
        Mistake(
            "Add 1e-4 to the norm below: without it a vanishing gradient divides by zero. Open hint 3.",
            lambda e, d, step, start, w: (
                w * min(_norm(e) / _norm(d) if _norm(d) else np.inf, _MOST) if step >= start else 0.0
            ),
            lambda e, d, step, start, w: w * np.float64(_norm(e)) / _norm(d) if step >= start else 0.0,
        ),
    ),
)

# --- promised: what the autoencoder promises at the switch, what is trained, what is saved -----------------

_POSITIONS = tuple((width, warmup, bits) for bits in (14, 16) for warmup in (500, 1000, 200) for width in (16, 8))
_CLOSE = 0.1
_NAMES = ("modes counted", "dimensions trained", "per cent saved")


def width_warmup_bits() -> tuple[int, int, int]:
    """This student's encoder width, warm-up length in steps, and bits of a token."""
    return variants.drawn("promised", _POSITIONS)


def measured_promise() -> tuple[float, float, float]:
    """Of this student's position: modes counted at the switch, dimensions trained, and perceptual distance saved."""
    width, warmup, bits = width_warmup_bits()
    sweep = sweeps.load("vqgan_warmup")
    counted = readings.predicted_count(sweep, bits, width=width, warmup=warmup).mean()
    trained = sweep.final("centroid_dim", width=width, warmup=warmup).mean()
    return float(counted), float(trained), readings.saved(sweep, "perceptual", warmup, width=width)


def _counted(moment: int | None, bits: float | None = None) -> float:
    """What is counted on another frame's spectrum, or with other bits."""
    width, warmup, own = width_warmup_bits()
    cell = sweeps.load("vqgan_warmup").at(width=width, warmup=warmup)
    at = readings.frames(sweeps.load("vqgan_warmup")).index(warmup) if moment is None else moment
    return float(theory.water_fill(cell["spectrum"][:, at], own if bits is None else bits).active.mean())


def _part(number: int, wrong: Callable[[], float]) -> Callable[[tuple, Outcome], bool]:
    """Whether one of the three numbers is this wrong one and not the right one."""

    def seen(_: tuple, outcome: Outcome) -> bool:
        if len(outcome.parts) != len(_NAMES) or outcome.parts[number].size != 1:
            return False
        given = outcome.parts[number].item()
        return abs(given - wrong()) < _CLOSE / 3 and abs(given - measured_promise()[number]) >= _CLOSE

    return seen


promised = Exercise(
    "promised",
    measured_promise,
    returns=_NAMES,
    alike=lambda _, one, other: one.size == 1 and bool(abs(one.item() - other) < _CLOSE),
    tests=(
        Test("the modes that your bits can serve at your switch", parts=(0,)),
        Test("the dimension of your codes at the end", parts=(1,)),
        Test("the perceptual distance that your warm-up saves, in per cent of the cold one", parts=(2,)),
    ),
    mistakes=(
        Mistake(
            "You water-fill the latents of the end; asked is the spectrum at the switch. Open hint 1.",
            seen=_part(0, lambda: _counted(-1)),
        ),
        Mistake(
            "You water-fill with the 10 bits of K = 1,024; yours are printed above. Open hint 1.",
            seen=_part(0, lambda: _counted(None, 10)),
        ),
        Mistake(
            "The sign of the saving is turned: what is lower with the warm-up is saved. Open hint 3.",
            seen=_part(2, lambda: -measured_promise()[2]),
        ),
        Mistake(
            "You divide by the warm distance; a saving is a share of the cold one. Open hint 3.",
            seen=_part(2, lambda: 100 * (1 / (1 - measured_promise()[2] / 100) - 1)),
        ),
        Mistake(
            "This is a share; we ask for per cent. Open hint 3.",
            seen=_part(2, lambda: measured_promise()[2] / 100),
        ),
    ),
)

# What differs from student to student: what is asked, and its answer; None for code, which reads what is asked.
VARIANTS = {"vq_loss": (loss_weights, None), "promised": (width_warmup_bits, measured_promise)}

# Functions that answer such a question in one call: whoever is graded does without.
ANSWER_IN_ONE_CALL = (
    "labs.lab05.readings.predicted_count",
    "labs.lab05.readings.saved",
)
