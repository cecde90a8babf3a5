"""Exercises of Lab 04: water-filling, a mode's flow, who drowns, the prediction, and the rule that ends the warm-up."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from vqlab import data, theory
from vqlab.exercises import Exercise, Mistake, Test, variants

# --- water_level(variances, bits) -> D* --------------------------------------------------------------------


def _candidates(variances: np.ndarray, bits: float, ordered: bool = True, twice: float = 2) -> np.ndarray:
    """The level if exactly the first 1, 2, … of the modes are active, the largest first."""
    variances = np.sort(variances)[::-1] if ordered else variances
    return 2 ** ((np.cumsum(np.log2(variances)) - twice * bits) / np.arange(1, len(variances) + 1))


def _poured(variances: np.ndarray, bits: float) -> float:
    """Ordinary water-filling: the height that `bits` of water reach above columns."""
    return ((bits + np.cumsum(np.sort(variances))) / np.arange(1, len(variances) + 1)).min()


def _spectrum(rng: Generator, d: int) -> np.ndarray:
    """Variances of d modes, the largest first."""
    scale, slope = rng.uniform(0.5, 4), rng.uniform(0.3, 2.5)
    return np.round(scale * np.arange(1, d + 1) ** -slope * rng.uniform(0.8, 1.2, size=d), 3).clip(min=0.001)


def _above_water(rng: Generator, i: int) -> tuple[np.ndarray, float]:
    return (
        (np.array([4.0, 1.0]), 1) if i == 0 else (np.sort(rng.uniform(1, 2, size=i))[::-1], int(rng.integers(i, 8 + i)))
    )


def _no_bits(rng: Generator, i: int) -> tuple[np.ndarray, float]:
    return np.round(rng.uniform(0.2, 6, size=1 + i), 1), 0


def _some_under_water(rng: Generator, i: int) -> tuple[np.ndarray, float]:
    return np.sort(_spectrum(rng, 4 + 3 * i))[::-1], round(rng.uniform(0.5, 8), 1)


def _any_order(rng: Generator, i: int) -> tuple[np.ndarray, float]:
    """Among them whole numbers, low precision and modes that are equal."""
    variances = rng.permutation(np.repeat(_spectrum(rng, 2 + i), 1 + i % 2))
    if i % 3 == 2:
        return rng.integers(1, 30, size=len(variances)), 3
    return variances.astype((np.float64, np.float32)[i % 3]), round(rng.uniform(0.5, 8), 1)


water_level = Exercise(
    "water_level",
    lambda variances, bits: _candidates(variances, bits).max(),
    tests=(
        Test("few modes and bits enough for all of them", _above_water),
        Test("no bits: the level is the largest variance", _no_bits),
        Test("some modes under water, the largest first", _some_under_water),
        Test("modes in any order, also equal ones", _any_order),
    ),
    mistakes=(
        Mistake(
            "This level spends R = Σ log2(v/D*), twice what a mode costs: the factor ½ is missing. Open hint 1.",
            lambda variances, bits: _candidates(variances, bits, twice=1).max(),
        ),
        Mistake(
            "You mix logarithms: bits go with log2 and powers of 2, not with log and exp. Open hint 1.",
            lambda variances, bits: _candidates(variances, bits, twice=2 / np.log(2)).max(),
        ),
        Mistake(
            "In yours all modes take part, so those under water pay *negative* bits: sort, largest first, and stop at "
            "the water. Open hint 2.",
            lambda variances, bits: _candidates(variances, bits)[-1],
        ),
        Mistake(
            "You take the smallest of the candidates; the right number of modes gives the largest. Open hint 3.",
            lambda variances, bits: _candidates(variances, bits).min(),
        ),
        Mistake(
            "It works when the modes come sorted, and only then: sort them first, largest in front. Open hint 2.",
            lambda variances, bits: _candidates(variances, bits, ordered=False).max(),
        ),
        Mistake(
            "This pours R as an amount of water onto the columns; here R counts bits. *Reverse* water-filling: hint 1.",
            _poured,
        ),
        Mistake(
            "You return all that `theory.water_fill` finds; asked is its `.level`.",
            seen=lambda _, outcome: outcome.kind == "WaterFilling",
        ),
        Mistake(
            "This is the number of active modes; return the water level D*.",
            lambda variances, bits: theory.water_fill(variances, bits).active,
        ),
        Mistake(
            "This is the distortion D(R); return the water level D*.",
            lambda variances, bits: theory.water_fill(variances, bits).distortion,
        ),
    ),
)

# --- mode_flow(a, b, c, variance, beta) -> (da/dt, db/dt) ---------------------------------------------------

# Learning rates of the encoder and of the decoder; no two students share one of them.
_RATES = ((1, 1), (2, 0.5), (0.5, 2), (3, 1.5), (0.25, 0.75), (1.5, 3))


def learning_rates() -> tuple[float, float]:
    """This student's learning rates, of the encoder and of the decoder."""
    return variants.drawn("mode_flow", _RATES)


def _flow(a: float, b: float, c: float, variance: float, beta: float, rates=None) -> tuple[float, float]:
    encoder, decoder = rates or learning_rates()
    return (
        encoder * variance * (b * (1 - c * a * b) - beta * (1 - c) * a),
        decoder * c * variance * a * (1 - a * b),
    )


def _encoder(rate: Callable[[float, float, float, float], float]) -> Callable:
    """A wrong encoder: rate(a, b, c, beta), without the variance."""
    return lambda a, b, c, variance, beta: learning_rates()[0] * variance * rate(a, b, c, beta)


def _at_other_rates(rates: tuple[float, float]) -> Callable:
    return lambda a, b, c, variance, beta: _flow(a, b, c, variance, beta, rates)


def _scaled(factor: Callable[[float], float]) -> Callable:
    return lambda *mode: tuple(factor(mode[3]) * rate for rate in _flow(*mode))


def _modes(gains: Callable[[Generator], float]) -> Callable:
    """Draws a mode whose channel has such a gain c; the other gains have either sign."""

    def draw(rng: Generator, i: int) -> tuple[float, ...]:
        a, b, variance, beta = rng.uniform((0.2, 0.2, 0.3, 0.1), (1.8, 1.8, 5.0, 1.5))
        signs = (1, 1) if i == 0 else rng.choice([-1, 1], size=2)
        return tuple(round(float(x), 2) for x in (signs[0] * a, signs[1] * b, gains(rng), variance, beta))

    return draw


mode_flow = Exercise(
    "mode_flow",
    lambda a, b, c, variance, beta: _flow(a, b, c, variance, beta),
    returns=("da/dt", "db/dt"),
    tests=(
        Test(
            "c = 1 is the plain autoencoder: both gains move by σ²(1 − ab) times the other, at their rates",
            _modes(lambda rng: 1),
        ),
        Test("c = 0 is a dead mode: b stands still, a moves towards b/β", _modes(lambda rng: 0)),
        Test("a mode in between", _modes(lambda rng: rng.uniform(0.1, 0.9))),
    ),
    mistakes=(
        Mistake(
            "Both signs are turned: an error that is left, x − x̂, pushes *towards* x. Open hint 1.",
            _scaled(lambda variance: -1),
        ),
        Mistake("You return (db/dt, da/dt); the encoder comes first.", lambda *mode: _flow(*mode)[::-1]),
        Mistake(
            "Everything is twice too large: it is *half* the error, so the 2 of the square cancels. Open hint 1.",
            _scaled(lambda variance: 2),
        ),
        Mistake(
            "The variance of the mode is missing: every product of x with itself averages to σ². Open hint 1.",
            _scaled(lambda variance: 1 / variance),
        ),
        Mistake(
            "You have σ⁴: `variance` is σ² already, so multiply by it once and do not square it. Open hint 1.",
            _scaled(lambda variance: variance),
        ),
        Mistake(
            "You let the encoder's gradient go *through* the channel, which multiplies it by c. Straight-through "
            "copies the gradient of z_q to z as it is. Open hint 2.",
            _encoder(lambda a, b, c, beta: c * b * (1 - c * a * b) - beta * (1 - c) * a),
            parts=(0,),
        ),
        Mistake(
            "The encoder's error uses x̂ = a·b·x; what comes out of the channel is c·a·b·x. Open hint 2.",
            _encoder(lambda a, b, c, beta: b * (1 - a * b) - beta * (1 - c) * a),
            parts=(0,),
        ),
        Mistake(
            "The commitment term is missing from the encoder. Open hint 3.",
            _encoder(lambda a, b, c, beta: b * (1 - c * a * b)),
            parts=(0,),
        ),
        Mistake(
            "Commitment pulls z towards z_q, on average c·z: what remains is (1 − c)·z. Open hint 3.",
            _encoder(lambda a, b, c, beta: b * (1 - c * a * b) - beta * a),
            _encoder(lambda a, b, c, beta: b * (1 - c * a * b) - beta * c * a),
            parts=(0,),
        ),
        Mistake(
            "The decoder also amplifies the channel's noise: with it, 1 − c·a·b becomes 1 − a·b. Open hint 4.",
            lambda a, b, c, variance, beta: learning_rates()[1] * c * variance * a * (1 - c * a * b),
            parts=(1,),
        ),
        Mistake(
            "The decoder of a dead mode still moves in yours: it only sees what the channel passes, c. Open hint 4.",
            lambda a, b, c, variance, beta: learning_rates()[1] * variance * a * (1 - a * b),
            parts=(1,),
        ),
        Mistake(
            "The learning rates are others: multiply each gain's direction by its own rate, printed above.",
            *map(_at_other_rates, _RATES),
        ),
    ),
)

# --- drowning_times(times, latents, bits, warmup) -> (d,) ----------------------------------------------------

_MARGINS = (1.0, 1.5, 1.2, 0.8, 2.0)


def margin() -> float:
    """Up to how many times the water level a mode counts as under water for this student."""
    return variants.drawn("drowning_times", _MARGINS)


def _levels(latents: np.ndarray, bits: float, times: float | None = None) -> np.ndarray:
    """The lines (T, 1) at which modes of latent variances (T, d) are under water: so many times the water level."""
    return (margin() if times is None else times) * theory.water_fill(latents, bits).level[:, None]


def _first(times: np.ndarray, under: np.ndarray, never: float = np.inf) -> np.ndarray:
    """The first of the times at which each mode is under, (T, d) -> (d,); `never` if at none."""
    return np.where(under.any(0), times[under.argmax(0)], never)


def _drowned(of: Callable[..., np.ndarray], line: float | None = None) -> Callable:
    """An answer: of(times, latents, levels) from the end of the warm-up on.   line: not the student's margin."""

    def drowned(times, latents, bits, warmup):
        late = times >= warmup
        return of(times[late], latents[late], _levels(latents[late], bits, line))

    return drowned


def _when(times: np.ndarray, latents: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return _first(times, latents <= levels)


def _race(cold: bool = False, dive: bool = False) -> Callable:
    """Draws latents that grow and stop or shrink, no mode at the water line; with some that drown and some that live.

    cold: no warm-up.   dive: some mode comes up again.
    """

    def draw(rng: Generator, i: int) -> tuple[np.ndarray, np.ndarray, float, float]:
        while True:
            d, looks = 2 + int(rng.integers(1 + i)), 4 + int(rng.integers(2 + 2 * i))
            times = np.cumsum(rng.integers(1, 9, size=looks)) - 1
            rates = rng.normal(0.4, 0.7, size=(looks, d)) if dive else np.sort(rng.gamma(1, 0.4, size=(1, d)))
            grown = np.cumsum(np.broadcast_to(rates, (looks, d)) * rng.uniform(0.2, 1.8, size=(looks, 1)), 0)
            latents = np.round(0.05 * np.exp(np.minimum(grown, rng.uniform(1, 5, size=d))), 4)
            bits = round(float(rng.uniform(0.5, 3)), 1)
            warmup = int(times[0]) if cold else int(rng.integers(1, times[looks // 2] + 1))
            under = latents <= (levels := _levels(latents, bits))
            seen = under[times >= warmup]
            again = (seen[:-1] & ~seen[1:]).any()
            mixed = seen.any(0).any() and not seen.any(0).all()
            if mixed and again == dive and np.abs(latents / levels - 1).min() > 2e-3:
                return times.astype(float), latents, bits, float(warmup)

    return draw


drowning_times = Exercise(
    "drowning_times",
    _drowned(_when),
    tests=(
        Test("a cold start: the first time at which a mode is under water, np.inf for one that never is", _race(True)),
        Test("nothing drowns before the warm-up ends; who is under water then drowns then", _race(), times=16),
        Test("a mode that comes up again has drowned all the same", _race(dive=True), times=12),
    ),
    mistakes=(
        Mistake(
            "Your modes drown during the warm-up, when nothing is quantized: start at the first time that is not "
            "before `warmup`. Open hint 2.",
            lambda times, latents, bits, warmup: _first(times, latents <= _levels(latents, bits)),
        ),
        Mistake(
            "Your water stands still. It rises with the large modes: fill the latents at every time anew. Open hint 1.",
            _drowned(lambda times, latents, levels: _first(times, latents <= levels[0])),
            _drowned(lambda times, latents, levels: _first(times, latents <= levels[-1])),
            lambda times, latents, bits, warmup: _drowned(
                lambda late, grown, levels: _first(late, grown <= _levels(latents[:1], bits))
            )(times, latents, bits, warmup),
        ),
        Mistake(
            "Yours is the last time under water; a mode drowns at the first. Open hint 2.",
            _drowned(lambda times, latents, levels: -_first(-times[::-1], (latents <= levels)[::-1], never=-np.inf)),
        ),
        Mistake(
            "These are the times at which modes are *above* water: it is upside down. Open hint 1.",
            _drowned(lambda times, latents, levels: _first(times, latents > levels)),
        ),
        Mistake(
            "`argmax` of a mode that is never under water is 0, so yours drowns at the first time: give it `np.inf`. "
            "Open hint 3.",
            _drowned(lambda times, latents, levels: times[(latents <= levels).argmax(0)]),
        ),
        Mistake(
            "A mode that lives has no time of drowning: give it `np.inf`. Open hint 3.",
            *(
                _drowned(lambda times, latents, levels, never=never: _first(times, latents <= levels, never))
                for never in (np.nan, 0.0, -1.0, -np.inf)
            ),
            _drowned(lambda times, latents, levels: _first(times, latents <= levels, times[-1])),
        ),
        Mistake(
            "You return the place in the list; asked is the entry of `times` there. Open hint 3.",
            _drowned(lambda times, latents, levels: _first(np.arange(len(times)), latents <= levels)),
            lambda times, latents, bits, warmup: _first(
                np.arange(len(times)), (latents <= _levels(latents, bits)) & (times >= warmup)[:, None]
            ),
        ),
        Mistake(
            "You count the time from the end of the warm-up; `times` count from the start. Open hint 3.",
            lambda times, latents, bits, warmup: _drowned(_when)(times, latents, bits, warmup) - warmup,
        ),
        Mistake(
            "A mode that is under water at the very end of the warm-up drowns at once: take that time in. Open hint 2.",
            lambda times, latents, bits, warmup: _first(
                times, (latents <= _levels(latents, bits)) & (times > warmup)[:, None]
            ),
        ),
        Mistake(
            "This is who drowns; asked is when. Open hint 3.",
            _drowned(lambda times, latents, levels: (latents <= levels).any(0)),
        ),
        Mistake(
            "Your water line is another one: how many times the level it stands at is printed above. Open hint 1.",
            *(_drowned(_when, line) for line in _MARGINS),
        ),
    ),
)

# --- predict(variances, warmup, bits, eps) -> (active, loss) ------------------------------------------------


def _grown(variances, warmup, eps, rate=2) -> np.ndarray:
    """a² of the modes after a warm-up."""
    return 1 / (1 + (eps**-2.0 - 1) * np.exp(-rate * variances * warmup))


def _active(latent: np.ndarray, bits: float) -> int:
    return int(theory.water_fill(latent, bits).active)


def _prediction(variances, warmup, bits, eps) -> tuple[int, float]:
    active = _active(variances * _grown(variances, warmup, eps), bits)
    return active, theory.loss_floor(variances, bits, active)


def _loss(of: Callable[[np.ndarray, np.ndarray, int, float], float]) -> Callable:
    """A wrong loss: of(variances, latent variances, active modes, bits)."""

    def loss(variances, warmup, bits, eps):
        latent = variances * _grown(variances, warmup, eps)
        return of(variances, latent, _active(latent, bits), bits)

    return loss


def _of_latents(variances, latent, active, bits) -> float:
    return variances[active:].sum() + theory.water_fill(latent[:active], bits).distortion


def _warmups(long: bool) -> Callable:
    """Draws a start and a warm-up, no mode at the water line, no power of e beyond what a float holds."""

    def draw(rng: Generator, i: int) -> tuple[np.ndarray, float, float, float]:
        while True:
            d = 3 + 3 * i
            variances = np.sort(rng.uniform(0.5, 5, size=d) if long else 2 * _spectrum(rng, d))[::-1].copy()
            warmup = rng.uniform(40, 55) if long else rng.uniform(0.3, 3)
            bits, eps = rng.choice([2, 4.5, 6, 8, 10.5]), round(rng.uniform(0.02, 0.7), 2)
            latent = variances * _grown(variances, warmup, eps)
            level = theory.water_fill(latent, bits).level
            if np.abs(latent / level - 1).min() > 1e-3:
                return np.round(variances, 3), round(float(warmup), 2), float(bits), eps

    return draw


predict = Exercise(
    "predict",
    _prediction,
    returns=("active", "loss"),
    tests=(
        Test("the number of active modes at the end of the warm-up", _warmups(False), times=20, parts=(0,)),
        Test("the loss floor with that many modes", _warmups(False), times=16, parts=(1,)),
        Test("a long warm-up ends on Shannon's floor", _warmups(True), times=6),
    ),
    mistakes=(
        Mistake(
            "Your count does not depend on the warm-up: water-fill the *latents*, λ = a²σ², not the data. Open hint 1.",
            lambda variances, warmup, bits, eps: _active(variances, bits),
            parts=(0,),
        ),
        Mistake(
            "Your latents have variance a·σ²: a gain scales a standard deviation, so it enters squared. Open hint 1.",
            lambda variances, warmup, bits, eps: _active(variances * np.sqrt(_grown(variances, warmup, eps)), bits),
            parts=(0,),
        ),
        Mistake(
            "Your modes grow at half speed: a² grows with e^(2σ²t), b is growing too. Open hint 1.",
            lambda variances, warmup, bits, eps: _active(variances * _grown(variances, warmup, eps, rate=1), bits),
            parts=(0,),
        ),
        Mistake(
            "Your modes grow with e^(2σt): the exponent holds the variance σ², without a square root. Open hint 1.",
            lambda variances, warmup, bits, eps: _active(variances * _grown(np.sqrt(variances), warmup, eps), bits),
            parts=(0,),
        ),
        Mistake(
            "Your modes start far too large: the formula has ε⁻², and ε is small. Open hint 1.",
            lambda variances, warmup, bits, eps: _active(variances * _grown(variances, warmup, 1 / eps), bits),
            parts=(0,),
        ),
        Mistake(
            "You typed in a start: the one to use is the argument `eps`. Open hint 1.",
            *(
                lambda variances, warmup, bits, eps, typed=typed: _active(
                    variances * _grown(variances, warmup, typed), bits
                )
                for typed in (0.08, 0.1)
            ),
            parts=(0,),
        ),
        Mistake(
            "The dead modes are missing from the loss: each costs its whole σ². Open hint 2.",
            _loss(lambda variances, latent, active, bits: theory.water_fill(variances[:active], bits).distortion),
            parts=(1,),
        ),
        Mistake(
            "The active modes are missing from the loss: the code leaves D_R of *them*, too. Open hint 2.",
            _loss(lambda variances, latent, active, bits: variances[active:].sum()),
            parts=(1,),
        ),
        Mistake(
            "You take the distortion of the latents. The floor is what is left of the *data*: σ² of the dead modes, "
            "and D_R of the active modes' σ². Open hint 2.",
            _loss(_of_latents),
            _loss(lambda variances, latent, active, bits: theory.water_fill(latent, bits).distortion),
            parts=(1,),
        ),
        Mistake(
            "This is Shannon's floor with all modes in play; yours may use the active ones only. Open hint 2.",
            _loss(lambda variances, latent, active, bits: theory.water_fill(variances, bits).distortion),
            parts=(1,),
        ),
    ),
)

# --- should_switch(steps, counts, patience) -> bool ----------------------------------------------------------


def _waited(steps: list[int], counts: list[int], cut: bool = True) -> int:
    """Steps since the first maximum of what comes after the lowest count."""
    low = counts.index(min(counts)) if cut else 0
    return steps[-1] - steps[low + counts[low:].index(max(counts[low:]))]


def _in_trough(counts: list[int]) -> bool:
    """Whether the counts have fallen and not risen since."""
    low = counts.index(min(counts))
    return low > 0 and max(counts[low:]) == counts[low]


def _looks_waited(counts: list[int]) -> int:
    low = counts.index(min(counts))
    return len(counts) - 1 - low - counts[low:].index(max(counts[low:]))


def _look(rng: Generator, counts: list[int], patience: int, late: float) -> tuple[list[int], list[int], int]:
    """Steps for the counts, at uneven distances, such that `late` of the patience has passed since the last gain."""
    waits = _looks_waited(counts)
    gaps = rng.integers(2, 30, size=len(counts))
    if waits:
        shares = rng.uniform(0.4, 1.6, size=waits)
        ends = np.round(np.cumsum(shares) / shares.sum() * (patience * late)).astype(int)
        gaps[-waits:] = np.maximum(1, np.diff(np.r_[0, ends]))
        gaps[-1] += max(1, round(patience * late)) - gaps[-waits:].sum()
    steps = np.cumsum(np.maximum(gaps, 1)) - gaps[0]
    return steps.tolist(), counts, patience


def _growing(rng: Generator) -> list[int]:
    return (rng.integers(4, 9) + np.cumsum(rng.integers(1, 3, size=rng.integers(2, 7)))).tolist()


def _flat(rng: Generator, i: int) -> tuple[list[int], list[int], int]:
    """Growth, and then, every second time, a pause that is long or short in steps, whatever its number of looks."""
    counts, patience = _growing(rng), int(rng.integers(20, 90))
    pause = [counts[-1]] * int(rng.integers(1, 7)) if i % 2 else []
    if i % 4 == 3:  # a patience of as many steps as there are looks
        return _look(rng, counts + pause, int(rng.integers(2, 6)), rng.uniform(4, 20))
    return _look(rng, counts + pause, patience, rng.choice([0.4, 1.7]))


def _around_patience(rng: Generator, i: int) -> tuple[list[int], list[int], int]:
    """One step before patience ends, at its end, and one later; counts equal or a little lower."""
    counts, patience = _growing(rng), int(rng.integers(20, 90))
    pause = [counts[-1] - (i // 3 % 2 and int(rng.integers(2))) for _ in range(rng.integers(1, 5))]
    return _look(rng, counts + pause, patience, (patience - 1 + i % 3) / patience)


def _unsteady(rng: Generator, i: int) -> tuple[list[int], list[int], int]:
    """Up and down after the maximum, which may come again, and never as low as the first count."""
    counts, patience = _growing(rng), int(rng.integers(20, 90))
    low = min(counts[0] + 1, counts[-1])
    pause = rng.integers(low, counts[-1] + 1, size=rng.integers(1, 6)).tolist()
    return _look(rng, counts + pause, patience, rng.choice([0.6, 1.0, 1.4]))


def _fallen(rng: Generator, counts: list[int]) -> list[int]:
    return (counts[0] + np.cumsum(rng.integers(1, 8, size=rng.integers(2, 5)))[::-1]).tolist()


def _vacuous(rng: Generator, i: int) -> tuple[list[int], list[int], int]:
    """High first counts that fall, then growth that need not reach them, then perhaps a stop."""
    counts, patience = _growing(rng), int(rng.integers(20, 90))
    pause = [counts[-1]] * int(rng.integers(1, 5)) if i % 2 else []
    return _look(rng, _fallen(rng, counts) + counts + pause, patience, rng.choice([0.5, 1.5]))


def _troughs(rng: Generator, i: int) -> tuple[list[int], list[int], int]:
    """High first counts that fall and stay down for longer than the patience, as they do before anything is learned."""
    lowest, patience = int(rng.integers(2, 9)), int(rng.integers(20, 90))
    trough = [lowest] * int(rng.integers(2, 7))
    return _look(rng, _fallen(rng, trough) + trough, patience, rng.uniform(1.2, 3))


def _judged(waited: Callable[[list[int], list[int]], int], more: int = 0) -> Callable:
    """A wrong rule that waits in another way, but knows a trough."""
    return lambda steps, counts, patience: not _in_trough(counts) and waited(steps, counts) >= patience + more


should_switch = Exercise(
    "should_switch",
    lambda steps, counts, patience: not _in_trough(counts) and _waited(steps, counts) >= patience,
    tests=(
        Test("go on while counts grow, switch when they have stopped for `patience` steps", _flat, times=16),
        Test("go on one step before patience has run out, switch when it has", _around_patience, times=12),
        Test("looks that go up and down count as well", _unsteady, times=12),
        Test("vacuous first counts do not matter, when later ones are below them", _vacuous, times=16),
        Test("a trough, counts that have fallen and not risen since, is waited through", _troughs, times=8),
    ),
    mistakes=(
        Mistake(
            "Return True or False, nothing else.",
            seen=lambda _, outcome: (
                bool(outcome.parts) and (outcome.parts[0].dtype != bool or outcome.parts[0].size != 1)
            ),
        ),
        Mistake(
            "You give the same answer whatever the counts. Open hint 1.",
            lambda steps, counts, patience: True,
            lambda steps, counts, patience: False,
        ),
        Mistake(
            "It is upside down: you switch while the count grows. Open hint 1.",
            lambda steps, counts, patience: _in_trough(counts) or _waited(steps, counts) < patience,
            lambda steps, counts, patience: _waited(steps, counts) < patience,
        ),
        Mistake(
            "You switch in a trough: the counts have fallen and not risen yet, so nothing has been learned. "
            "Open hint 3.",
            lambda steps, counts, patience: _waited(steps, counts) >= patience,
        ),
        Mistake(
            "You count looks; `patience` is a number of *steps*, so that looking more often changes nothing. "
            "Open hint 1.",
            _judged(lambda steps, counts: _looks_waited(counts)),
            lambda steps, counts, patience: _looks_waited(counts) >= patience,
        ),
        Mistake(
            "You switch at the first pause. A mode needs time to emerge: wait `patience` steps. Open hint 1.",
            lambda steps, counts, patience: len(counts) > 1 and counts[-1] <= counts[-2],
            lambda steps, counts, patience: not _in_trough(counts) and _looks_waited(counts) >= 1,
        ),
        Mistake(
            "You ask how long the training has lasted, not how long ago the last new maximum was. Open hint 1.",
            lambda steps, counts, patience: steps[-1] >= patience,
            lambda steps, counts, patience: not _in_trough(counts) and steps[-1] - steps[0] >= patience,
        ),
        Mistake(
            "One step too early or too late: switch as soon as `patience` steps have brought no new maximum. "
            "Open hint 1.",
            _judged(_waited, -1),
            _judged(_waited, 1),
        ),
        Mistake(
            "You wait from the last time that the maximum was seen; what counts is when it was *new*. Open hint 1.",
            _judged(
                lambda steps, counts: steps[-1] - steps[len(counts) - 1 - counts[::-1].index(max(_after_low(counts)))]
            ),
        ),
        Mistake(
            "You wait for a count above the vacuous first ones: look only at what comes after the lowest count. "
            "Open hint 2.",
            lambda steps, counts, patience: _waited(steps, counts, cut=False) >= patience,
            lambda steps, counts, patience: not _in_trough(counts) and _waited(steps, counts, cut=False) >= patience,
        ),
    ),
)


def _after_low(counts: list[int]) -> list[int]:
    return counts[counts.index(min(counts)) :]


# --- modes: the student's own prediction, for a case of their own -------------------------------------------

# No two of them have as many modes.
_CASES = (
    *((1, warmup, bits) for warmup, bits in ((4, 8), (4, 6), (4, 10), (8, 8), (8, 10))),
    *((0.5, warmup, bits) for warmup in (4, 8) for bits in (6, 8, 10)),
    *((1.5, warmup, bits) for warmup, bits in ((2, 8), (2, 10), (4, 10), (8, 6))),
)


def spectrum_warmup_bits() -> tuple[float, float, int]:
    """This student's slope of the spectrum of 32 modes, warm-up in units of time, and bits R."""
    return variants.drawn("modes", _CASES)


def predicted_modes() -> int:
    """Modes above water at the switch in this student's case, from a start of 0.08."""
    slope, warmup, bits = spectrum_warmup_bits()
    return int(theory.predicted_active(data.power_law_spectrum(32, slope), warmup, bits, 0.08))


def _shannons_modes() -> int:
    slope, _, bits = spectrum_warmup_bits()
    return _active(data.power_law_spectrum(32, slope), bits)


modes = Exercise(
    "modes",
    predicted_modes,
    tests=(Test("the modes above water at the switch, in your case"),),
    tolerance=1e-9,
    mistakes=(
        Mistake(
            "So many modes Shannon would serve, but at the switch the late ones have not grown: fill the latents. "
            "Open hint 1.",
            _shannons_modes,
        ),
        Mistake("So many modes stay under water; asked are those above. Open hint 1.", lambda: 32 - predicted_modes()),
        Mistake(
            "`predict` returns a pair (active, loss); asked is its first number. Open hint 1.",
            seen=lambda _, outcome: outcome.kind in ("tuple", "list") and any(part.size > 1 for part in outcome.parts),
        ),
    ),
)

# What differs from student to student: what is asked, and its answer; None for code, which reads what is asked.
VARIANTS = {
    "mode_flow": (learning_rates, None),
    "drowning_times": (margin, None),
    "modes": (spectrum_warmup_bits, predicted_modes),
}

# Functions that answer such a question in one call: whoever is graded does without.
ANSWER_IN_ONE_CALL = (
    "theory.predicted_active",
    "theory.drowning_times",
)
