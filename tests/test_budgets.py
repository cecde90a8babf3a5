"""The speed the labs are built on, in bands wide enough for a busy two-core machine."""

import bench


def test_stacked_runs_cost_a_fraction_of_runs_one_at_a_time():
    ratio = bench.run_costs(steps=300, rounds=5)["ratio"]
    assert ratio["alone"] > 2
    assert ratio["theirs"] > 3


def test_a_large_quantization_step_costs_little_more_than_its_matrix_product():
    ratio = bench.step_costs(4096, rounds=7)["ratio"]
    assert ratio["theirs"] > 4
    assert ratio["product"] > 0.4
