"""Distributions of exchangeable counts, against scipy and against every order there is."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact, hypergeom

from selftune_build.stats.exchange import NOTHING, Spread, added, of_blocks, of_samples, summed, tail, tail_of_sum

STRATA = st.integers(1, 4).flatmap(
    lambda n: st.integers(1, 4).flatmap(lambda m: st.tuples(st.just(n), st.just(m), st.integers(0, n + m)))
)


def mass(spread: Spread, value: int) -> float:
    """The probability of one value."""
    place = value - spread.low
    return spread.weights[place] if 0 <= place < len(spread.weights) else 0.0


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_counts_of_exchangeable_samples_are_hypergeometric(first: int, second: int, data: st.DataObject) -> None:
    held = data.draw(st.integers(0, first + second))
    spread = of_samples(first, second, held)
    reference = hypergeom(first + second, held, first)
    assert [mass(spread, k) for k in range(first + 1)] == pytest.approx([reference.pmf(k) for k in range(first + 1)], abs=1e-12)
    assert spread.weights[0] > 0
    assert spread.weights[-1] > 0


@pytest.mark.parametrize(("locked", "n", "fresh", "m"), [(3, 3, 0, 3), (5, 5, 2, 5), (9, 9, 8, 9), (4, 6, 1, 3), (0, 3, 3, 3)])
def test_one_stratum_is_fishers_exact_test(locked: int, n: int, fresh: int, m: int) -> None:
    expected = fisher_exact([[locked, n - locked], [fresh, m - fresh]], alternative="greater").pvalue
    assert tail(of_samples(n, m, locked + fresh), locked) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(st.lists(STRATA, min_size=1, max_size=2))
def test_several_strata_are_as_every_way_to_deal_their_samples_says(strata: list[tuple[int, int, int]]) -> None:
    dealt: dict[int, int] = {}
    for hands in product(*(list(combinations(range(n + m), n)) for n, m, _ in strata)):
        total = sum(sum(sample < held for sample in hand) for hand, (_, _, held) in zip(hands, strata, strict=True))
        dealt[total] = dealt.get(total, 0) + 1
    spread = summed(of_samples(*stratum) for stratum in strata)
    ways = sum(dealt.values())
    for least in range(-1, max(dealt) + 2):
        expected = sum(count for total, count in dealt.items() if total >= least) / ways
        assert tail(spread, least) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("one", "other", "values"), [(3, 0, {0: 0.5, 3: 0.5}), (1, 2, {1: 0.5, 2: 0.5}), (2, 2, {2: 1.0})])
def test_groups_that_are_exchangeable_as_wholes_have_two_orders(one: int, other: int, values: dict[int, float]) -> None:
    spread = of_blocks(one, other)
    assert {k: mass(spread, k) for k in range(5) if mass(spread, k)} == values


@given(STRATA, STRATA, st.integers(-2, 15))
def test_the_tail_of_a_sum_is_that_of_the_whole_distribution(
    one: tuple[int, int, int], other: tuple[int, int, int], k: int
) -> None:
    first, second = of_samples(*one), of_samples(*other)
    assert tail_of_sum(first, second, k) == pytest.approx(tail(added(first, second), k), abs=1e-12)


def test_a_sum_over_nothing_is_nothing() -> None:
    assert summed([]) == NOTHING
    assert (tail(NOTHING, 0), tail(NOTHING, 1)) == (1.0, 0.0)


def test_many_samples_are_no_trouble() -> None:
    spread = summed(of_samples(9, 9, 15) for _ in range(300))
    assert sum(spread.weights) == pytest.approx(1.0, abs=1e-9)
    assert tail(summed(of_samples(3, 3, 3) for _ in range(40)), 120) == pytest.approx(comb(6, 3) ** -40.0, rel=1e-9)
