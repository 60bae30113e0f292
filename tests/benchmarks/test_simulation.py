"""What docs/statistics.md says of error rates and of what comparisons cost, on 10,000 simulated suites at every point."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from selftune_build.stats.sequential import ALPHA, MARGIN
from tests.benchmarks import simulation
from tests.benchmarks.simulation import SIZES, SUITES

DECLARED = 0.05
DEVIATIONS = 4.5
"""Standard deviations that a simulated rate may lie above the true one: one point in 300,000, and there are some thousands."""


def with_chance(rate: float) -> float:
    """The largest share that 10,000 suites show by chance where this is the true rate."""
    return rate + DEVIATIONS * sqrt(rate * (1 - rate) / SUITES)


@pytest.mark.benchmark
def test_no_rate_gate_of_any_size_is_wrong_more_often_than_it_declares() -> None:
    points = list(simulation.rate_points(np.random.default_rng(1)))
    assert {point.size for point in points} == set(SIZES)
    assert max(point.wrong for point in points) <= with_chance(DECLARED)
    assert max(point.decided for point in points) > 0.99


@pytest.mark.benchmark
def test_the_error_of_the_rate_gates_is_at_most_the_declared_one_where_it_is_enumerated() -> None:
    points = list(simulation.exact_rate_errors())
    assert {point.size for point in points} == set(SIZES)
    assert max(point.wrong for point in points) <= DECLARED * (1 + 1e-9)


@pytest.mark.benchmark
def test_no_lift_gate_of_any_size_is_wrong_more_often_than_it_declares() -> None:
    points = list(simulation.lift_points(np.random.default_rng(2)))
    assert {point.size for point in points} == set(SIZES)
    assert max(point.wrong for point in points) <= with_chance(DECLARED)
    assert max(point.decided for point in points) > 0.99


@pytest.mark.benchmark
def test_the_same_bytes_differ_in_at_most_one_comparison_of_a_hundred_however_often_somebody_looks() -> None:
    flips = list(simulation.same_bytes(np.random.default_rng(3)))
    assert {(each.design, each.size) for each in flips} == {(design, size) for design in ("rounds", "lock") for size in SIZES}
    assert max(each.rate for each in flips) <= ALPHA


@pytest.mark.benchmark
def test_a_comparison_takes_at_most_two_thirds_of_the_samples_of_a_fixed_design_at_both_of_its_points() -> None:
    found = list(simulation.costs(np.random.default_rng(4)))
    print(simulation.cost_table(found))
    points = [cost for cost in found if cost.drop in (0.0, MARGIN)]
    assert {cost.size for cost in points} == set(SIZES)
    assert max(cost.ratio for cost in points) <= 0.65
    assert max(cost.wrong for cost in points) <= ALPHA
    assert max(cost.undecided for cost in points) <= ALPHA
