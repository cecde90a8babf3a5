"""The checks refuse small edits of the model solutions; see mutants.py for what is edited and how it is counted."""

from dataclasses import replace

import mutants
import numpy as np
import pytest

from vqlab.exercises import Test

EVERY = 8  # one mutant of so many is tried here; `python tests/mutants.py` tries all and prints what survived
OVERALL, MOST_SURVIVORS = 0.97, 1


@pytest.fixture(scope="module")
def solutions():
    return mutants.solutions()


@pytest.fixture(scope="module")
def scores():
    return mutants.every_score(seed=np.random.SeedSequence().generate_state(1)[0] // 2, every=EVERY)


def test_every_exercise_refuses_its_mutants(scores, solutions):
    assert set(scores) == set(solutions)
    for name, score in scores.items():
        if solutions[name].exercise.is_value:  # of a value that one call reads off, no edit may be left
            assert not score.survived, (name, *score.survived)
        else:
            assert score.rejected >= 1, name
            assert len(score.survived) <= MOST_SURVIVORS, (name, *score.survived)


def test_together_they_refuse_nearly_all(scores):
    rejected = sum(score.rejected for score in scores.values())
    survived = [text for score in scores.values() for text in score.survived]
    assert rejected >= 300 / EVERY
    assert rejected / (rejected + len(survived)) >= OVERALL, "\n\n".join(survived)


def test_few_mutants_are_called_equivalent(scores, solutions):
    """An equivalent that is none would hide a survivor: the sample must tell the two apart."""
    for name, score in scores.items():
        assert len(score.equivalent) <= 3, (name, *score.equivalent)
        assert all("def " in text or solutions[name].exercise.is_value for text in score.equivalent)


def test_a_lax_exercise_would_be_seen(solutions):
    """One instance, always the same: slips survive."""
    solution = solutions["perplexity"]
    once = Test("four codes, each used once", lambda rng, i: (np.arange(4), 4), times=1)
    lax = replace(solution.exercise, tests=(once,), mistakes=())
    assert mutants.score(replace(solution, exercise=lax)).share < 0.9
