"""Exercises of Lab 04: water-filling, one mode's gradient, the prediction, and the rule that ends the warm-up."""

from collections.abc import Callable, Sequence

import numpy as np

from vqlab import data, theory
from vqlab.exercises import Exercise, Mistake, Test, fresh, near, variants

_SPECTRUM, _BITS, _EPS = data.power_law_spectrum(32, 1), 8, 0.08
_SHUFFLED = np.random.default_rng(0).permutation(_SPECTRUM)


# --- water_level(variances, bits) -> D* --------------------------------------------------------------------


def _candidates(variances: np.ndarray, twice_bits: float) -> np.ndarray:
    count = np.arange(1, len(variances) + 1)
    return 2 ** ((np.cumsum(np.log2(variances)) - twice_bits) / count)


def _forward_level(variances: np.ndarray, amount: float) -> float:
    """Ordinary water-filling: the height that `amount` of water reaches above columns."""
    low_first = np.sort(variances)
    heights = (amount + np.cumsum(low_first)) / np.arange(1, len(variances) + 1)
    return float(heights.min())


def _level(f: Callable, variances: np.ndarray, bits: float = _BITS) -> float:
    return fresh(f, variances, bits)


_FILLED = theory.water_fill(_SPECTRUM, _BITS)

water_level = Exercise(
    "water_level",
    tests=(
        Test("variances 4 and 1 with 1 bit have level 1", lambda f: near(_level(f, np.array([4.0, 1.0]), 1), 1.0)),
        Test(
            "no bits: the level is the largest variance", lambda f: near(_level(f, np.array([2.0, 5.0, 1.0]), 0), 5.0)
        ),
        Test("the lab's 32 modes at 8 bits", lambda f: near(_level(f, _SPECTRUM), float(_FILLED.level))),
        Test("the same modes in another order", lambda f: near(_level(f, _SHUFFLED), float(_FILLED.level))),
    ),
    mistakes=(
        Mistake(
            "This level spends R = Σ log2(v/D*), twice what a mode costs: the factor ½ is missing. Open hint 1.",
            lambda f: near(_level(f, _SPECTRUM), float(_candidates(_SPECTRUM, _BITS).max())),
        ),
        Mistake(
            "You mix logarithms: bits go with log2 and powers of 2, not with log and exp. Open hint 1.",
            lambda f: near(_level(f, _SPECTRUM), float(_candidates(_SPECTRUM, 2 * _BITS / np.log(2)).max())),
        ),
        Mistake(
            "In yours all modes take part, so those under water pay *negative* bits: sort, largest first, and stop at "
            "the water. Open hint 2.",
            lambda f: near(_level(f, _SPECTRUM), float(_candidates(_SPECTRUM, 2 * _BITS)[-1])),
        ),
        Mistake(
            "You take the smallest of the candidates; the right number of modes gives the largest. Open hint 3.",
            lambda f: near(_level(f, _SPECTRUM), float(_candidates(_SPECTRUM, 2 * _BITS).min())),
        ),
        Mistake(
            "It works when the modes come sorted, and only then: sort them first, largest in front. Open hint 2.",
            lambda f: (
                near(_level(f, _SPECTRUM), float(_FILLED.level)) and not near(_level(f, _SHUFFLED), _FILLED.level)
            ),
        ),
        Mistake(
            "This pours R as an amount of water onto the columns; here R counts bits. *Reverse* water-filling: hint 1.",
            lambda f: near(_level(f, _SPECTRUM), _forward_level(_SPECTRUM, _BITS)),
        ),
        Mistake(
            "You return all that `theory.water_fill` finds; asked is its `.level`.",
            lambda f: isinstance(_level(f, _SPECTRUM), theory.WaterFilling),
        ),
        Mistake(
            "This is the number of active modes; return the water level D*.",
            lambda f: near(_level(f, _SPECTRUM), int(_FILLED.active)),
        ),
        Mistake(
            "This is the distortion D(R); return the water level D*.",
            lambda f: near(_level(f, _SPECTRUM), float(_FILLED.distortion)),
        ),
    ),
)

# --- mode_flow(a, b, c, variance, beta) -> (da/dt, db/dt) ---------------------------------------------------

_MODE = _A, _B, _C, _VARIANCE, _BETA = 0.7, 0.9, 0.6, 2.0, 0.25


def _flow(a: float, b: float, c: float, variance: float, beta: float) -> tuple[float, float]:
    return variance * (b * (1 - c * a * b) - beta * (1 - c) * a), c * variance * a * (1 - a * b)


def _encoder(residual: float, commitment: float) -> float:
    """ȧ of `_MODE` with other ideas of its two terms."""
    return _VARIANCE * (residual - _BETA * commitment)


def _flow_is(wanted: Callable[[float, float], tuple[float, float]]) -> Callable[[Callable], bool]:
    """Recognises an answer that is `wanted` of the right pair."""
    return lambda f: near(f(*_MODE), wanted(*_flow(*_MODE)))


def _encoder_is(residual: float, commitment: float) -> Callable[[Callable], bool]:
    return lambda f: near(f(*_MODE)[0], _encoder(residual, commitment))


mode_flow = Exercise(
    "mode_flow",
    tests=(
        Test(
            "c = 1 is the plain autoencoder: both gains move by σ²(1 − ab) times the other",
            lambda f: near(f(0.5, 0.4, 1.0, 3.0, 0.25), _flow(0.5, 0.4, 1.0, 3.0, 0.25)),
        ),
        Test(
            "c = 0 is a dead mode: b stands still, a moves towards b/β",
            lambda f: near(f(0.5, 0.4, 0.0, 3.0, 0.25), _flow(0.5, 0.4, 0.0, 3.0, 0.25)),
        ),
        Test("a mode in between", lambda f: near(f(*_MODE), _flow(*_MODE))),
    ),
    mistakes=(
        Mistake(
            "Both signs are turned: this is the gradient, and training goes *down* it. Open hint 1.",
            _flow_is(lambda da, db: (-da, -db)),
        ),
        Mistake("You return (db/dt, da/dt); the encoder comes first.", _flow_is(lambda da, db: (db, da))),
        Mistake(
            "Everything is twice too large: we descend *half* the error, so the 2 of the square cancels. Open hint 1.",
            _flow_is(lambda da, db: (2 * da, 2 * db)),
        ),
        Mistake(
            "The variance of the mode is missing: every product of x with itself averages to σ². Open hint 1.",
            _flow_is(lambda da, db: (da / _VARIANCE, db / _VARIANCE)),
        ),
        Mistake(
            "You let the encoder's gradient go *through* the channel, which multiplies it by c. Straight-through "
            "copies the gradient of z_q to z as it is. Open hint 2.",
            _encoder_is(_C * _B * (1 - _C * _A * _B), (1 - _C) * _A),
        ),
        Mistake(
            "The encoder's error uses x̂ = a·b·x; what comes out of the channel is c·a·b·x. Open hint 2.",
            _encoder_is(_B * (1 - _A * _B), (1 - _C) * _A),
        ),
        Mistake(
            "The commitment term is missing from the encoder. Open hint 3.",
            _encoder_is(_B * (1 - _C * _A * _B), 0.0),
        ),
        Mistake(
            "Commitment pulls z towards z_q, on average c·z: what remains is (1 − c)·z. Open hint 3.",
            lambda f: _encoder_is(_B * (1 - _C * _A * _B), _A)(f) or _encoder_is(_B * (1 - _C * _A * _B), _C * _A)(f),
        ),
        Mistake(
            "The decoder also amplifies the channel's noise: with it, 1 − c·a·b becomes 1 − a·b. Open hint 4.",
            lambda f: near(f(*_MODE)[1], _C * _VARIANCE * _A * (1 - _C * _A * _B)),
        ),
        Mistake(
            "The decoder of a dead mode still moves in yours: it only sees what the channel passes, c. Open hint 4.",
            lambda f: near(f(*_MODE)[1], _VARIANCE * _A * (1 - _A * _B)),
        ),
    ),
)

# --- predict(variances, warmup, bits, eps) -> (active, loss) ------------------------------------------------

_WARMUP = 2.0


def _prediction(latent: np.ndarray, variances: np.ndarray = _SPECTRUM, bits: float = _BITS) -> tuple[int, float]:
    active = int(theory.water_fill(latent, bits).active)
    return active, float(theory.loss_floor(variances, bits, active))


def _grown(warmup: float, eps: float = _EPS, rate: float = 2.0) -> np.ndarray:
    """a² of the lab's modes after a warm-up."""
    return 1 / (1 + (eps**-2 - 1) * np.exp(-rate * _SPECTRUM * warmup))


def _answer(f: Callable, warmup: float = _WARMUP) -> tuple[float, float]:
    active, loss = fresh(f, _SPECTRUM, warmup, _BITS, _EPS)
    return float(active), float(loss)


_RIGHT = _prediction(_SPECTRUM * _grown(_WARMUP))

predict = Exercise(
    "predict",
    tests=(
        Test(
            "the number of active modes after 2 time units of warm-up",
            lambda f: _answer(f)[0] == _RIGHT[0],
        ),
        Test("the loss floor with that many modes", lambda f: near(_answer(f)[1], _RIGHT[1])),
        Test(
            "a long warm-up ends on Shannon's floor",
            lambda f: near(_answer(f, 100.0), (float(_FILLED.active), float(_FILLED.distortion))),
        ),
    ),
    mistakes=(
        Mistake(
            "Your count does not depend on the warm-up: water-fill the *latents*, λ = a²σ², not the data. Open hint 1.",
            lambda f: _answer(f, 1.0)[0] == _answer(f, 4.0)[0] == _FILLED.active,
        ),
        Mistake(
            "Your latents have variance a·σ²: a gain scales a standard deviation, so it enters squared. Open hint 1.",
            lambda f: _answer(f)[0] == _prediction(_SPECTRUM * np.sqrt(_grown(_WARMUP)))[0],
        ),
        Mistake(
            "Your modes grow at half speed: a² grows with e^(2σ²t), b is growing too. Open hint 1.",
            lambda f: _answer(f)[0] == _prediction(_SPECTRUM * _grown(_WARMUP, rate=1.0))[0],
        ),
        Mistake(
            "Your modes start far too large: the formula has ε⁻², and ε is small. Open hint 1.",
            lambda f: _answer(f)[0] == _prediction(_SPECTRUM * _grown(_WARMUP, 1 / _EPS))[0],
        ),
        Mistake(
            "The dead modes are missing from the loss: each costs its whole σ². Open hint 2.",
            lambda f: near(_answer(f)[1], float(theory.water_fill(_SPECTRUM[: _RIGHT[0]], _BITS).distortion)),
        ),
        Mistake(
            "The active modes are missing from the loss: the code leaves D_R of *them*, too. Open hint 2.",
            lambda f: near(_answer(f)[1], float(_SPECTRUM[_RIGHT[0] :].sum())),
        ),
        Mistake(
            "You take the distortion of the latents. The floor is what is left of the *data*: σ² of the dead modes, "
            "and D_R of the active modes' σ². Open hint 2.",
            lambda f: near(
                _answer(f)[1] - _SPECTRUM[_RIGHT[0] :].sum(),
                float(theory.water_fill((_SPECTRUM * _grown(_WARMUP))[: _RIGHT[0]], _BITS).distortion),
            ),
        ),
        Mistake(
            "This is Shannon's floor with all modes in play; yours may use the active ones only. Open hint 2.",
            lambda f: near(_answer(f)[1], float(_FILLED.distortion)),
        ),
    ),
)

# --- should_switch(counts, patience) -> bool ----------------------------------------------------------------

_FALLING, _VACUOUS, _GROWING = [21, 13, 8], [21, 13, 8, 10, 13], [8, 9, 10, 11, 12, 13, 14]
_PAUSE, _FLAT, _UNSTEADY = [9, 10, 11, 11], [9, 10, 11, 11, 11, 11], [9, 10, 11, 10, 11, 10]


def _says(f: Callable, counts: Sequence[int], patience: int) -> bool | None:
    """The answer as True or False; None if it is neither."""
    value = f(list(counts), patience)
    return bool(value) if isinstance(value, bool | np.bool_) else None


def _switches(f: Callable, patience: int, go_on: Sequence[list[int]], then: list[int]) -> bool:
    return all(_says(f, counts, patience) is False for counts in go_on) and _says(f, then, patience) is True


should_switch = Exercise(
    "should_switch",
    tests=(
        Test("go on while counts grow, switch when they have stopped", lambda f: _switches(f, 3, [_GROWING], _FLAT)),
        Test(
            "patience 3: go on after one and two checks without a new maximum, switch after three",
            lambda f: _switches(f, 3, [_PAUSE, _FLAT[:5]], _FLAT),
        ),
        Test("checks that go up and down count as well", lambda f: _switches(f, 3, [_UNSTEADY[:5]], _UNSTEADY)),
        Test(
            "vacuous first counts do not matter, while they fall and when later ones are below them",
            lambda f: _switches(f, 2, [_FALLING, _VACUOUS], [*_VACUOUS, 12, 13]),
        ),
    ),
    mistakes=(
        Mistake("Return True or False, nothing else.", lambda f: _says(f, _GROWING, 2) is None),
        Mistake(
            "You give the same answer whatever the counts. Open hint 1.",
            lambda f: len({_says(f, counts, 3) for counts in (_GROWING, _VACUOUS, [*_FLAT, 11, 11])}) == 1,
        ),
        Mistake(
            "It is upside down: you switch while the count grows. Open hint 1.",
            lambda f: _says(f, _GROWING, 2) is True and _says(f, _FLAT, 3) is False,
        ),
        Mistake(
            "You switch at the first pause. A mode needs time to emerge: wait `patience` checks. Open hint 1.",
            lambda f: _says(f, _PAUSE, 3) is True and _says(f, _GROWING, 2) is False,
        ),
        Mistake(
            "One check too early: patience 3 means three checks that bring no new maximum. Open hint 1.",
            lambda f: _says(f, _FLAT[:5], 3) is True and _says(f, _PAUSE, 3) is False,
        ),
        Mistake(
            "You wait for equal counts. They may go up and down: what matters is that none is a new maximum. "
            "Open hint 1.",
            lambda f: _says(f, _UNSTEADY, 3) is False and _says(f, _FLAT, 3) is True,
        ),
        Mistake(
            "One check too late: after `patience` checks without a new maximum, switch. Open hint 1.",
            lambda f: _says(f, _FLAT, 3) is False and _says(f, [*_FLAT, 11], 3) is True,
        ),
        Mistake(
            "You wait for a count above the vacuous first ones and give up: look only at what comes after the lowest "
            "count. Open hint 2.",
            lambda f: _says(f, _VACUOUS, 2) is True or _says(f, _FALLING, 2) is True,
        ),
    ),
)

# --- modes: the student's own prediction, for a case of their own -------------------------------------------

_CASES = tuple((slope, warmup, bits) for slope in (1, 0.5, 1.5) for warmup in (4, 2, 8) for bits in (8, 6, 10))


def spectrum_warmup_bits() -> tuple[float, float, int]:
    """This student's slope of the spectrum of 32 modes, warm-up in units of time, and bits R."""
    return variants.drawn("modes", _CASES)


def predicted_modes() -> int:
    """Modes above water at the switch in this student's case, from a start of 0.08."""
    slope, warmup, bits = spectrum_warmup_bits()
    return int(theory.predicted_active(data.power_law_spectrum(32, slope), warmup, bits, _EPS))


def _shannons_modes() -> int:
    slope, _, bits = spectrum_warmup_bits()
    return int(theory.water_fill(data.power_law_spectrum(32, slope), bits).active)


modes = Exercise(
    "modes",
    tests=(Test("the modes above water at the switch, in your case", lambda n: int(n) == n == predicted_modes()),),
    mistakes=(
        Mistake(
            "So many modes Shannon would serve, but at the switch the late ones have not grown: fill the latents. "
            "Open hint 1.",
            lambda n: n == _shannons_modes(),
        ),
        Mistake(
            "So many modes stay under water; asked are those above. Open hint 1.",
            lambda n: n == 32 - predicted_modes(),
        ),
        Mistake(
            "`predict` returns a pair (active, loss); asked is its first number. Open hint 1.",
            lambda n: isinstance(n, tuple | list),
        ),
    ),
)

# What differs from student to student: what is asked, and its answer.
VARIANTS = {"modes": (spectrum_warmup_bits, predicted_modes)}
