from __future__ import annotations

from itertools import combinations

import pytest

from selftune_build.stats.repeats import holds_always, holds_once


@pytest.mark.parametrize(("held", "n"), [(held, n) for n in range(1, 8) for held in range(n + 1)])
def test_both_are_the_share_of_draws_without_replacement(held: int, n: int) -> None:
    samples = [True] * held + [False] * (n - held)
    for k in range(1, n + 1):
        draws = list(combinations(samples, k))
        assert holds_once(held, n, k) == pytest.approx(sum(map(any, draws)) / len(draws), abs=1e-12)
        assert holds_always(held, n, k) == pytest.approx(sum(map(all, draws)) / len(draws), abs=1e-12)


def test_four_of_five_hold_three_times_in_a_row_in_four_of_ten_and_not_in_the_cube_of_the_rate() -> None:
    assert holds_always(4, 5, 3) == pytest.approx(0.4)


@pytest.mark.parametrize(("held", "n", "k"), [(1, 2, 3), (3, 2, 1), (-1, 2, 1), (0, 2, 0), (0, 0, 1)])
def test_what_cannot_be_estimated_is_refused(held: int, n: int, k: int) -> None:
    with pytest.raises(ValueError, match="say nothing"):
        holds_once(held, n, k)
    with pytest.raises(ValueError, match="say nothing"):
        holds_always(held, n, k)
