"""Questions that differ from student to student: how much of a lab they are, and what a neighbour's answer earns."""

import json
from functools import cache
from itertools import combinations, permutations

import mutants
import pytest

from vqlab import labs
from vqlab.exercises import Exercise, check, variants
from vqlab.exercises.checks import Question
from vqlab.exercises.judging import judge, verdicts
from vqlab.exercises.running import Outcome

EVERY = labs.every()
every_lab = pytest.mark.parametrize("lab", EVERY, ids=[lab.name for lab in EVERY])
VARIED = {
    f"{lab.name}-{name}": (lab.exercises()[name], asked)
    for lab in EVERY
    for name, (asked, _) in lab.module("exercises").VARIANTS.items()
}
every_varied = pytest.mark.parametrize(("exercise", "asked"), VARIED.values(), ids=VARIED)
SEEDS = 400  # enough to meet every variant


@cache
def offered(asked) -> dict:
    """A seed for each variant of a question, that of the open lab first."""
    found = {}
    for seed in range(SEEDS):
        with variants.asking(seed):
            found.setdefault(asked(), seed)
    return found


def copied(exercise: Exercise, mine: int, others: int) -> tuple[list[Question], list[Outcome]]:
    """My questions, and what is right for another."""
    with variants.asking(mine):
        questions = exercise.questions(7)
    with variants.asking(others):
        return questions, [Outcome(exercise.parts(exercise.reference, q.arguments), "float") for q in questions]


def lost(exercise: Exercise, asked) -> int:
    """The fewest marks that an answer copied from any other variant loses."""
    seeds = offered(asked).values()
    if exercise.is_value:
        values = [copied(exercise, seed, seed)[1][0].parts for seed in seeds]
        same = ([exercise.same((), *pair) for pair in zip(*two, strict=True)] for two in combinations(values, 2))
        return min(found.count(False) for found in same)
    fewest = len(exercise.tests)
    for mine, others in permutations(seeds, 2):
        questions, outcomes = copied(exercise, mine, others)
        with variants.asking(mine):
            right = verdicts(exercise, questions, outcomes)
        fewest = min(fewest, len({q.test for q, passes in zip(questions, right, strict=True) if not passes}))
    return fewest


@every_lab
def test_at_least_a_third_of_the_points_of_a_lab_is_lost_by_copying(lab):
    varied = {name: lost(lab.exercises()[name], asked) for name, (asked, _) in lab.module("exercises").VARIANTS.items()}
    points = sum(len(exercise.tests) for exercise in lab.exercises().values())
    assert min(varied.values()) >= 1, f"two students have one answer: {varied}"
    assert sum(varied.values()) >= points / 3, (varied, points)


@cache
def solutions() -> dict[str, mutants.Solution]:
    return mutants.solutions()


@every_varied
def test_the_solution_is_right_for_everybody(exercise, asked):
    solution = solutions()[exercise.name]
    for case, seed in offered(asked).items():
        with variants.asking(seed):
            feedback = check(exercise, solution.run(solution.source))
        assert feedback.state == "passed", (case, str(feedback))


@every_varied
def test_a_function_for_another_variant_is_told_where_its_own_is_said(exercise, asked):
    if not exercise.is_value:
        mine, *others = offered(asked).values()
        for pair in [(mine, other) for other in others] + [(other, mine) for other in others]:
            questions, outcomes = copied(exercise, *pair)
            with variants.asking(pair[0]):
                assert "printed above" in judge(exercise, questions, outcomes).mistake


@every_varied
def test_there_are_variants_enough_and_the_first_is_that_of_the_open_lab(exercise, asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cases = offered(asked)
    assert len(cases) >= 5
    assert asked() == next(iter(cases))
    for case, seed in cases.items():
        (tmp_path / variants.FILE).write_text(json.dumps({"seed": seed}))
        assert (asked(), asked()) == (case, case)
