"""The sequential comparison: its promise is enumerated, never simulated."""

from __future__ import annotations

from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import binom

from selftune_build.stats import sequential
from selftune_build.stats.sequential import (
    ALPHA,
    MARGIN,
    Shown,
    Stratum,
    compare,
    evidence,
    evidence_above,
    evidence_below,
    is_better,
    shown,
    strata_of,
)

RATES = (0.0, 0.2, 0.5, 0.8, 1.0)


def strata(samples: int = 4) -> st.SearchStrategy[Stratum]:
    """One case with up to so many samples in each arm."""
    arm = st.integers(1, samples).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
    return st.builds(lambda now, then: Stratum(*now, *then), arm, arm)


@pytest.mark.parametrize("sizes", [((1, 1), (1, 1)), ((3, 1), (1, 2)), ((2, 2), (2, 2)), ((4, 1), (1, 1))])
@pytest.mark.parametrize("difference", [0.0, -0.2, 0.3])
def test_the_mean_of_the_e_value_is_at_most_one_under_every_rate_of_the_hypothesis(
    sizes: tuple[tuple[int, int], ...], difference: float
) -> None:
    """By enumeration of all counts, for rates that may differ between cases in any way with the mean on the edge or beyond."""
    arms = [n for pair in sizes for n in pair]
    values = {
        held: exp(
            evidence_below([Stratum(held[0], arms[0], held[1], arms[1]), Stratum(held[2], arms[2], held[3], arms[3])], difference)
        )
        for held in product(*(range(n + 1) for n in arms))
    }
    for rates in product(RATES, repeat=4):
        if (rates[0] - rates[1] + rates[2] - rates[3]) / 2 < difference:
            continue
        masses = [binom.pmf(range(n + 1), n, rate) for n, rate in zip(arms, rates, strict=True)]
        mean = sum(value * np.prod([mass[k] for mass, k in zip(masses, held, strict=True)]) for held, value in values.items())
        assert mean <= 1.0 + 1e-9


@pytest.mark.parametrize("rate", [0.5, 0.7, 0.9])
def test_looking_after_every_round_is_wrong_at_most_as_often_as_declared(rate: float) -> None:
    """Ten cases alike, nine rounds, the exact chance of ever being called worse although nothing changed."""
    cases, rounds, bound = 10, 9, log(1 / ALPHA)
    alive = np.ones((1, 1))
    once = binom.pmf(range(cases + 1), cases, rate)
    ever = 0.0
    for n in range(1, rounds + 1):
        alive = _after_round(alive, once)
        rejected = np.array(
            [
                [evidence(now, then, (((n, n), cases),), 0.0, MARGIN) >= bound for then in range(alive.shape[1])]
                for now in range(alive.shape[0])
            ]
        )
        ever += alive[rejected].sum()
        alive = np.where(rejected, 0.0, alive)
    assert 0.0 < ever <= ALPHA


def _after_round(alive: np.ndarray, once: np.ndarray) -> np.ndarray:
    grown = np.apply_along_axis(np.convolve, 0, alive, once)
    return np.apply_along_axis(np.convolve, 1, grown, once)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=3, unique=True),
    st.sampled_from([0.0, -0.2, 0.1]),
)
def test_the_expectation_divided_by_is_the_largest_that_the_hypothesis_allows(
    sizes: list[tuple[int, int]], difference: float
) -> None:
    a, b = -0.6, 0.9
    s, t = np.expm1(a), np.expm1(b)

    def expectation(rates: np.ndarray) -> float:
        now, then = np.split(rates, 2)
        n, m = np.array(sizes).T
        return -float(np.sum(n * np.log1p(s * now) + m * np.log1p(t * then)))

    constraint = {
        "type": "ineq",
        "fun": lambda rates: np.sum(np.split(rates, 2)[0] - np.split(rates, 2)[1]) - len(sizes) * difference,
    }
    start = np.repeat([0.6, 0.4], len(sizes))
    found = minimize(expectation, start, bounds=[(0, 1)] * (2 * len(sizes)), constraints=[constraint], method="SLSQP")
    ours = sequential._largest_expectation(a, b, dict.fromkeys(sizes, 1), difference)
    assert ours >= -found.fun - 1e-6
    assert ours == pytest.approx(-found.fun, abs=1e-4)


@pytest.mark.parametrize("difference", [0.0, -0.2, 0.4, -0.7])
def test_the_closed_form_for_equal_sizes_is_the_dual(difference: float) -> None:
    for _, a, b in sequential._tilts(difference, MARGIN):
        s, t = np.expm1(a), np.expm1(b)
        closed = 7 * sequential._equal_sizes(s, t, 3, 5, difference)
        assert closed == pytest.approx(sequential._dual(s, t, {(3, 5): 7}, difference), abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(strata(), min_size=1, max_size=6))
def test_more_that_holds_now_never_speaks_more_for_a_drop(cases: list[Stratum]) -> None:
    first, *others = cases
    if first.held_now == first.n_now:
        return
    better = Stratum(first.held_now + 1, first.n_now, first.held_then, first.n_then)
    assert evidence_below([better, *others], 0.0) <= evidence_below(cases, 0.0) + 1e-9
    assert evidence_above([better, *others], -0.2) >= evidence_above(cases, -0.2) - 1e-9


@settings(max_examples=15, deadline=None)
@given(st.lists(strata(3), min_size=1, max_size=5))
def test_the_confidence_sequence_never_contradicts_what_is_shown(cases: list[Stratum]) -> None:
    result = compare(cases)
    assert -1.0 <= result.low <= result.difference <= result.high <= 1.0
    assert (result.high <= 0.0) == (result.shown is Shown.WORSE)
    if result.shown is Shown.NOTHING:
        assert result.low < -MARGIN
    if result.shown is Shown.NOT_WORSE:
        assert result.low >= -MARGIN


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 30), st.integers(1, 9), st.integers(1, 9), st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.05, 0.2, 0.5])
)
def test_the_upper_end_is_rejected_and_near_the_smallest_difference_that_is(
    cases: int, n: int, m: int, now: float, then: float, margin: float
) -> None:
    alike = [Stratum(round(now * n), n, round(then * m), m)] * cases
    steps = range(-100, 101)
    rejected = [step for step in steps if evidence_below(alike, step / 100, margin) >= log(1 / ALPHA)]
    result = compare(alike, margin)
    found = round(result.high * 100)
    assert found in rejected or result.high in (1.0, result.difference)
    assert result.high <= max(min(rejected, default=100) / 100 + 0.05, result.difference) + 1e-9


def test_fifteen_sure_cases_rule_out_a_drop_by_a_fifth_and_fourteen_do_not() -> None:
    assert shown([Stratum(3, 3, 3, 3)] * 15) is Shown.NOT_WORSE
    assert shown([Stratum(3, 3, 3, 3)] * 14) is Shown.NOTHING


def test_three_lost_cases_of_twenty_are_a_drop_and_two_may_be_chance() -> None:
    kept = Stratum(3, 3, 3, 3)
    assert shown([Stratum(0, 3, 3, 3)] * 3 + [kept] * 17) is Shown.WORSE
    assert shown([Stratum(0, 3, 3, 3)] * 2 + [kept] * 18) is not Shown.WORSE


def test_a_gain_is_no_drop_and_can_be_shown_itself() -> None:
    gained = [Stratum(3, 3, 0, 3)] * 5
    assert shown(gained) is Shown.NOT_WORSE
    assert is_better(gained)
    assert not is_better([each.mirrored for each in gained])


def test_without_samples_in_both_arms_a_case_is_left_out_and_without_a_case_nothing_is_shown() -> None:
    assert strata_of([((1, 2), (0, 0)), ((0, 0), (1, 1)), ((1, 1), (2, 3))]) == [Stratum(1, 1, 2, 3)]
    assert compare([]) == sequential.Comparison(Shown.NOTHING, 0.0, -1.0, 1.0)
