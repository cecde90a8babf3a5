"""Do the checks see small slips? Each model solution is edited a little, in every way, and must then be refused.

    python tests/mutants.py [--seed 0]     prints mutants, crashes, equivalent ones, rejected, survivors, by exercise

A mutant is the solved source cell with one edit of its syntax tree. *Crashes* give no answer to any question: refused
as well, but no merit of the check, so the score leaves them out. A mutant that passes the check is *equivalent* if it
agrees with the unedited solution on SAMPLE further instances, drawn below by other generators than those of the check,
and leaves its arguments alone; otherwise it has *survived*. The score is rejected / (rejected + survived).
"""

import argparse
import ast
import contextlib
import copy
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from vqlab import labs, sweeps
from vqlab.exercises import Exercise
from vqlab.exercises.judging import verdicts
from vqlab.exercises.running import put
from vqlab.notebooks import build

SAMPLE = 150
LEAST = 8
SECONDS = 5.0

# --- edits ---------------------------------------------------------------------------------------------------

_OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.Pow: (ast.Mult, ast.Div),
    ast.MatMult: (ast.Mult,),
}
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_FUNCTIONS = {
    "min": ("max",),
    "max": ("min", "mean"),
    "argmin": ("argmax", "min"),
    "argmax": ("argmin",),
    "sum": ("mean", "max"),
    "mean": ("sum", "max"),
    "cumsum": ("cumprod", "sum"),
    "log": ("log2", "log1p"),
    "log2": ("log", "log10"),
    "exp": ("exp2", "expm1"),
    "level": ("distortion",),
    "active": ("distortion",),
    "distortion": ("level",),
}


def edits(node: ast.AST, arguments: list[str]) -> Iterator[ast.AST | None]:
    """What may stand in place of a node; None deletes a statement. arguments: names of the function's arguments."""
    match node:
        case ast.BinOp(left, operator, right):
            yield from (ast.BinOp(left, other(), right) for other in _OPERATORS.get(type(operator), ()))
            yield from (left, right)
            if not isinstance(operator, ast.Add | ast.Mult):
                yield ast.BinOp(right, operator, left)
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Constant(bool() | str() | None):
            pass
        case ast.Constant(value):
            others = {value + 1, value - 1, -value, 0} | ({value / 2, value * 2} if isinstance(value, float) else set())
            yield from (ast.Constant(other) for other in sorted(others - {value}))
        case ast.Compare(left, [operator], [right]):
            yield from (ast.Compare(left, [o()], [right]) for o in _COMPARISONS if not isinstance(operator, o))
        case ast.Call(function, positional, keywords):
            if isinstance(function, ast.Attribute):
                yield function.value
            if len(positional) == 1:
                yield positional[0]
            for i in range(len(positional) - 1):
                swapped = [*positional[:i], positional[i + 1], positional[i], *positional[i + 2 :]]
                yield ast.Call(function, swapped, keywords)
            if len(positional) > 1:
                yield ast.Call(function, positional[:-1], keywords)
            for i in range(len(keywords)):
                yield ast.Call(function, positional, keywords[:i] + keywords[i + 1 :])
        case ast.Attribute(value, name, context):
            yield from (ast.Attribute(value, other, context) for other in _FUNCTIONS.get(name, ()))
        case ast.Subscript(value, ast.Slice(lower, upper, step), ast.Load()):
            yield value
            if bool(lower) != bool(upper):
                yield ast.Subscript(value, ast.Slice(upper, lower, step), ast.Load())
        case ast.Subscript(value, _, ast.Load()):
            yield value
        case ast.Name(name, ast.Load()):
            yield from (ast.Name(other, ast.Load()) for other in arguments if name in arguments and other != name)
            yield from (ast.Name(other, ast.Load()) for other in _FUNCTIONS.get(name, ()))
        case ast.Tuple([first, *others], ast.Load()) if others:
            yield ast.Tuple([*others, first], ast.Load())
        case ast.Assign():
            yield None


def mutants(source: str) -> Iterator[str]:
    """Every source that differs from this one by one edit of the body of its function, or of its statements."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    arguments = [argument.arg for function in functions for argument in function.args.args]
    seen = {ast.unparse(tree)}
    for i, node in enumerate(ast.walk(tree)):
        for edit in edits(node, arguments):
            mutant = copy.deepcopy(tree)
            _replace(mutant, list(ast.walk(mutant))[i], edit)
            with contextlib.suppress(ValueError, SyntaxError):  # a body left empty is no program
                text = ast.unparse(ast.fix_missing_locations(mutant))
                compile(text, "mutant", "exec")
                if text not in seen:
                    seen.add(text)
                    yield text


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST | None) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, copy.deepcopy(new))
            elif isinstance(value, list) and any(item is old for item in value):
                items = [copy.deepcopy(new) if item is old else item for item in value]
                setattr(parent, name, [item for item in items if item is not None])


# --- the sample that decides which mutants are equivalent ------------------------------------------------------


def _tokens_and_classes(rng):
    n, classes = rng.integers(1, 120), rng.integers(1, 7)
    y = rng.poisson(classes, size=n)
    return np.where(rng.random(n) < 0.7, y * 2 + 1, rng.geometric(0.2, size=n)), y


def _two_halves(rng):
    classes, d = rng.choice(99, size=rng.integers(2, 6), replace=False), rng.integers(1, 5)
    centres = dict(zip(classes, rng.gumbel(size=(len(classes), d)), strict=True))
    y_fit = np.concatenate([classes, classes, rng.choice(classes, size=15)])
    y_test = rng.choice(classes[: rng.integers(1, len(classes) + 1)], size=50)
    return *_around(rng, centres, y_fit), *_around(rng, centres, y_test)


def _around(rng, centres, y):
    z = np.stack([centres[c] for c in y])
    return z + rng.gumbel(size=z.shape), y


def _ema_batch(rng):
    k, n, d = rng.integers((1, 1, 1), (12, 60, 6))
    z = rng.laplace(size=(n, d))
    return rng.gamma(2, size=k) + 0.1, rng.laplace(size=(k, d)), z, rng.integers(k, size=n), rng.uniform(0.1, 0.999)


def _counts(rng):
    """A walk after which the answer does not hang on which of two lowest counts is meant."""
    while True:
        counts = np.clip(9 + np.cumsum(rng.integers(-2, 3, size=rng.integers(1, 12))), 0, None).tolist()
        if counts.count(min(counts)) == 1:
            return np.cumsum(rng.integers(1, 20, size=len(counts))).tolist(), counts, int(rng.integers(1, 60))


def _race(rng):
    looks, d = rng.integers((1, 1), (20, 7))
    times = np.cumsum(rng.gamma(1, size=looks))
    return times, rng.gamma(1, size=(looks, d)) + 0.01, float(rng.uniform(0.1, 6)), float(rng.uniform(0, times[-1]))


def _pulls(rng):
    """Gradients of an error and of a doubt, some of the doubt's all but gone, before, at and after the start."""
    shape, start = tuple(rng.integers(1, 5, size=rng.integers(1, 4))), int(rng.integers(0, 50))
    doubt = rng.laplace(size=shape) * rng.choice([0.0, 1e-6, 1e-4, 1.0])
    step = int(rng.choice([start, start + 1, rng.integers(0, 100)]))
    return rng.laplace(size=shape) * rng.choice([1.0, 100.0]), doubt, step, start, float(rng.uniform(0.1, 2))


SAMPLES: dict[str, Callable] = {
    "nearest_code": lambda rng: (
        rng.laplace(size=(rng.integers(1, 50), d := rng.integers(1, 6))),
        rng.laplace(size=(rng.integers(1, 30), d)) * rng.uniform(0.2, 3),
    ),
    "perplexity": lambda rng: (
        rng.geometric(rng.uniform(0.1, 0.9), size=rng.integers(1, 300)).clip(max=60),
        61 + int(rng.integers(20)),
    ),
    "straight_through": lambda rng: tuple(rng.laplace(size=(3, rng.integers(1, 9), 4))),
    "ema_step": _ema_batch,
    "token_purity": _tokens_and_classes,
    "nearest_mean_accuracy": _two_halves,
    "rate_and_psnr": lambda rng: (
        float(rng.gamma(1, 0.01)) + 1e-5,
        *map(int, rng.integers((1, 1, 1), (9000, 400, 9000))),
    ),
    "used_dimension": lambda rng: (
        rng.laplace(size=(k := rng.integers(1, 30), rng.integers(1, 8))) * rng.uniform(0.2, 3),
        rng.integers(k, size=rng.integers(1, 40)),
    ),
    "constant_chance": lambda rng: (int(rng.integers(1, 13)), int(rng.integers(1, 11))),
    "water_level": lambda rng: (rng.gamma(1, size=rng.integers(1, 40)) + 0.01, float(rng.uniform(0, 9))),
    "mode_flow": lambda rng: tuple(map(float, rng.normal(size=5) * (1, 1, 0.5, 0, 1) + (0, 0, 0.5, 2, 1))),
    "drowning_times": _race,
    "predict": lambda rng: (
        np.sort(rng.gamma(1, size=rng.integers(2, 30)) + 0.05)[::-1].copy(),
        *map(float, rng.uniform((0.1, 1, 0.01), (6, 9, 0.5))),
    ),
    "should_switch": _counts,
    "vq_loss": lambda rng: (*rng.laplace(size=(2, *rng.integers(1, (20, 9)))), np.array(rng.uniform(0.1, 3))),
    "adversary_weight": _pulls,
}

# --- scores ----------------------------------------------------------------------------------------------------


@dataclass
class Score:
    """What became of the mutants of one exercise."""

    mutants: int = 0
    crashes: int = 0
    equivalent: list[str] = field(default_factory=list)
    rejected: int = 0
    survived: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the mutants that answer something else, how many are refused; NaN if there are none."""
        different = self.rejected + len(self.survived)
        return self.rejected / different if different else float("nan")


@dataclass(frozen=True)
class Solution:
    """An exercise, its solved source cell, and what the notebook has imported above it."""

    exercise: Exercise
    source: str
    imported: dict[str, object]

    def run(self, source: str) -> object:
        """What a source in place of the solution binds to the name of the exercise."""
        given = self.imported | {f"lab{lab.number}": lab.module("exercises") for lab in labs.every()}
        given |= {"sweep": sweeps.load("tokens_collapse"), "many": sweeps.load("embeddings_activation")}
        given |= {"grid": sweeps.load("images_collapse"), "vqgan": sweeps.load("vqgan_warmup")}
        given["predict"] = given["lab04"].predict.reference
        with contextlib.redirect_stdout(io.StringIO()):
            exec(source, given)
        return given.get(self.exercise.name)


def solutions() -> dict[str, Solution]:
    """The solution of every exercise of every lab."""
    found = {}
    for lab in labs.every():
        exercises, imports = lab.exercises(), []
        for cell in build.build(lab.source, build.SOLVED).cells:
            if cell.cell_type != "code":
                continue
            imports += [node for node in ast.parse(cell.source).body if isinstance(node, ast.Import | ast.ImportFrom)]
            if cell.metadata.get("nbgrader", {}).get("solution"):
                imported: dict[str, object] = {}
                exec(ast.unparse(ast.Module(imports, [])), imported)
                name = cell.metadata.nbgrader.grade_id
                found[name] = Solution(exercises[name], cell.source, imported)
    return found


def score(solution: Solution, seed: int = 0, every: int = 1) -> Score:
    """Edit a solution in every way, or in one of `every` but LEAST ways, and try what comes out on the check."""
    counted, exercise, original = Score(), solution.exercise, solution.run(solution.source)
    texts = list(mutants(solution.source))
    for i, text in enumerate(texts[:: max(1, min(every, len(texts) // LEAST))]):
        counted.mutants += 1
        try:
            mutant = solution.run(text)
        except Exception:  # what an edited program raises is part of the experiment
            mutant = None
        questions = exercise.questions(seed + i)
        outcomes = put(exercise.task, mutant, [question.arguments for question in questions], SECONDS)
        if not any(outcome.parts for outcome in outcomes):
            counted.crashes += 1
        elif not all(verdicts(exercise, questions, outcomes)):
            counted.rejected += 1
        elif agree(exercise, mutant, original):
            counted.equivalent.append(text)
        else:
            counted.survived.append(text)
    return counted


def agree(exercise: Exercise, one: object, other: object, seed: int = 2026) -> bool:
    """Whether two answers agree on the sample, and the first leaves its arguments alone."""
    if exercise.is_value:  # the check has compared it with the only right one
        return True
    rng = np.random.default_rng(seed)
    sample = [SAMPLES[exercise.name](rng) for _ in range(SAMPLE)]
    pairs = zip(sample, *(put(exercise.task, answer, sample, 4 * SECONDS) for answer in (one, other)), strict=True)
    return all(
        not mine.changed
        and len(mine.parts) == len(others.parts)
        and all(map(lambda a, b, arguments=arguments: exercise.same(arguments, a, b), mine.parts, others.parts))
        for arguments, mine, others in pairs
    )


def every_score(seed: int = 0, every: int = 1) -> dict[str, Score]:
    """The score of every exercise by its name; every: try one mutant of so many."""
    with np.errstate(all="ignore"):
        return {name: score(solution, seed, every) for name, solution in solutions().items()}


def main() -> None:
    """Print the table, and what survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--equivalent", action="store_true", help="print these as well")
    options = parser.parse_args()
    torch.set_num_threads(1)
    scores = every_score(options.seed)
    print(f"{'exercise':24}{'mutants':>9}{'crashes':>9}{'equivalent':>12}{'rejected':>10}{'survived':>10}{'score':>9}")
    for name, s in scores.items():
        numbers = f"{s.mutants:9}{s.crashes:9}{len(s.equivalent):12}{s.rejected:10}{len(s.survived):10}"
        print(f"{name:24}{numbers}{s.share:9.1%}")
    rejected, survived = sum(s.rejected for s in scores.values()), sum(len(s.survived) for s in scores.values())
    print(f"{'all':24}{rejected / (rejected + survived):59.1%}")
    for name, s in scores.items():
        for kind in ("survived", "equivalent")[: 1 + options.equivalent]:
            for text in getattr(s, kind):
                print(f"\n{name}, {kind}:\n{text}")


if __name__ == "__main__":
    main()
