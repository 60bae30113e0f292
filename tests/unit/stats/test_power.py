from __future__ import annotations

import pytest
from scipy.stats import binom

from selftune_build.stats.paired import above
from selftune_build.stats.power import can_settle, can_settle_lift, cases_needed, cases_with_misses, lift_cases_needed


@pytest.mark.parametrize(("minimum", "needed"), [(0.0, 1), (0.04, 1), (0.5, 5), (0.6, 6), (0.8, 14), (0.9, 29), (0.99, 299)])
def test_cases_needed_for_a_rate(minimum: float, needed: int) -> None:
    assert cases_needed(minimum, 0.95) == needed
    assert can_settle(needed, minimum, 0.95)
    assert not can_settle(needed - 1, minimum, 0.95)


@pytest.mark.parametrize("minimum", [1.0, 0.9999])
def test_no_sane_suite_shows_certainty(minimum: float) -> None:
    assert cases_needed(minimum, 0.95) is None


@pytest.mark.parametrize("misses", [0, 1, 2, 5])
@pytest.mark.parametrize("minimum", [0.3, 0.5, 0.9])
def test_cases_with_misses_is_the_smallest_suite_that_passes(misses: int, minimum: float) -> None:
    needed = cases_with_misses(misses, minimum, 0.95)
    assert needed is not None
    assert binom.sf(needed - misses - 1, needed, minimum) <= 0.05
    assert needed - 1 <= misses or binom.sf(needed - misses - 2, needed - 1, minimum) > 0.05


@pytest.mark.parametrize(
    ("minimum", "needed"), [(-1.5, 1), (-0.2, 4), (-0.05, 5), (0.0, 5), (0.05, 5), (0.1, 6), (0.2, 7), (0.3, 8)]
)
def test_cases_needed_for_a_lift(minimum: float, needed: int) -> None:
    assert lift_cases_needed(minimum, 0.95) == needed


@pytest.mark.parametrize("minimum", [-0.2, 0.05, 0.3, 0.6])
def test_a_lift_needs_as_many_cases_as_the_test_says(minimum: float) -> None:
    needed = lift_cases_needed(minimum, 0.95)
    assert needed is not None
    assert above(needed, 0, needed, minimum) <= 0.05 < above(needed - 1, 0, needed - 1, minimum)
    assert can_settle_lift(needed, minimum, 0.95)
    assert not can_settle_lift(needed - 1, minimum, 0.95)


def test_a_lift_of_one_is_out_of_reach() -> None:
    assert lift_cases_needed(1.0, 0.95) is None
    assert not can_settle_lift(0, -2.0, 0.95)


@pytest.mark.parametrize(("minimum", "table"), [(0.5, (5, 8, 11)), (0.6, (6, 10, 14)), (0.8, (14, 22, 30)), (0.9, (29, 46, 61))])
def test_the_table_of_the_manual(minimum: float, table: tuple[int, int, int]) -> None:
    assert tuple(cases_with_misses(misses, minimum, 0.95) for misses in range(3)) == table
