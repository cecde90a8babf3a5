"""The speed the labs are built on, in bands that hold on a busy two-core machine."""

import bench
import pytest

pytestmark = pytest.mark.timed


def test_stacked_runs_cost_a_fraction_of_runs_one_at_a_time():
    ratio = bench.run_costs(steps=300, rounds=5)["ratio"]
    assert ratio["alone"] > 2.2
    assert ratio["theirs"] > 3.5


def test_a_quantization_step_costs_little_more_than_its_matrix_product():
    ratio = bench.step_costs(4096, d=16, rounds=9)["ratio"]
    assert ratio["product"] > 0.6
    assert ratio["theirs"] > 6
