"""The paired test at every result of small suites: its error rates are enumerated, not believed."""

from __future__ import annotations

from itertools import pairwise
from math import factorial
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, binomtest

from selftune_build.stats.paired import above, below, lower_end, upper_end

DIFFERENCES = [round(-0.95 + 0.05 * i, 2) for i in range(39)]
Counts = tuple[int, int]


def results(n: int) -> list[Counts]:
    return [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]


def worst_error(n: int, difference: float, rejected: list[Counts]) -> float:
    """The largest chance of a rejected result over a fine grid of (p+, p-) with p+ - p- = difference."""
    worse = np.linspace(max(0.0, -difference), (1 - difference) / 2, 201)
    better, same = np.clip(worse + difference, 0, 1), np.clip(1 - 2 * worse - difference, 0, 1)
    error = np.zeros_like(worse)
    for b, c in rejected:
        ways = factorial(n) // (factorial(b) * factorial(c) * factorial(n - b - c))
        error += ways * better**b * worse**c * same ** (n - b - c)
    return float(error.max())


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_no_true_lift_is_rejected_more_often_than_the_level_allows(n: int, alpha: float) -> None:
    for difference in DIFFERENCES:
        passed = [counts for counts in results(n) if above(*counts, n, difference) <= alpha]
        failed = [counts for counts in results(n) if below(*counts, n, difference) <= alpha]
        assert worst_error(n, difference, passed) <= alpha + 1e-9
        assert worst_error(n, difference, failed) <= alpha + 1e-9


@pytest.mark.parametrize("difference", [-0.5, -0.2, -0.05, 0.0, 0.05, 0.2, 0.5])
def test_the_error_holds_for_larger_suites_at_common_thresholds(difference: float) -> None:
    for n in (12, 20, 40):
        passed = [counts for counts in results(n) if above(*counts, n, difference) <= 0.05]
        assert worst_error(n, difference, passed) <= 0.05 + 1e-9


@pytest.mark.parametrize("n", [1, 4, 8, 15])
def test_true_lifts_further_inside_the_hypothesis_are_rejected_even_less(n: int) -> None:
    """Enumerating the edge is enough only because the rejected results grow with b and shrink with c."""
    for difference in DIFFERENCES:
        for b, c in results(n):
            here = above(b, c, n, difference)
            if b + c < n:
                assert above(b + 1, c, n, difference) <= here + 1e-12
                assert above(b, c + 1, n, difference) >= here - 1e-12
            if c > 0:
                assert above(b + 1, c - 1, n, difference) <= here + 1e-12


def test_at_no_difference_it_is_the_exact_sign_test() -> None:
    for b, c in results(12):
        m = b + c
        better = binomtest(b, m, 0.5, alternative="greater").pvalue if m else 1.0
        worse = binomtest(b, m, 0.5, alternative="less").pvalue if m else 1.0
        assert above(b, c, 12, 0.0) == pytest.approx(better, rel=1e-12)
        assert below(b, c, 12, 0.0) == pytest.approx(worse, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_it_is_monotone_and_continuous_in_the_difference(b: int, c: int, ties: int) -> None:
    n = b + c + ties or 1
    grid = [i / 20 for i in range(-20, 21)]
    curve = [above(b, c, n, difference) for difference in grid]
    assert all(first <= second + 1e-12 for first, second in pairwise(curve))
    assert all(0.0 <= value <= 1.0 for value in curve)
    assert above(b, c, n, -1e-9) == pytest.approx(above(b, c, n, 0.0), abs=1e-6)
    assert above(b, c, n, 1e-9) == pytest.approx(above(b, c, n, 0.0), abs=1e-6)


@settings(deadline=None)
@given(st.integers(0, 15), st.integers(0, 15), st.integers(0, 15), st.integers(-99, 99))
def test_better_and_worse_are_mirror_images(b: int, c: int, ties: int, percent: int) -> None:
    n = b + c + ties
    assert below(b, c, n, percent / 100) == above(c, b, n, -percent / 100)
    if n:
        assert lower_end(b, c, n, 0.95) == -upper_end(c, b, n, 0.95)


def melded(b: int, c: int, n: int, difference: float) -> float:
    """The definition, integrated by somebody else."""
    m, theta, size = b + c, beta(b, c + 1), abs(difference)
    if difference > 0:
        start, end, certain = (1 + size) / 2, 1.0, theta.cdf((1 + size) / 2)
        share = lambda t: beta.cdf(size / (2 * t - 1), m, n - m + 1)  # noqa: E731
    else:
        start, end, certain = 0.0, (1 - size) / 2, 0.0
        share = lambda t: beta.sf(size / (1 - 2 * t), m + 1, n - m) if m < n else 1.0  # noqa: E731
    cuts = np.linspace(start, end, 33)
    parts = [quad(lambda t: theta.pdf(t) * share(t), p, q, epsabs=1e-13)[0] for p, q in pairwise(cuts)]
    return float(certain + sum(parts))


@pytest.mark.parametrize(
    ("b", "c", "n", "difference"),
    [
        (5, 0, 5, 0.05),
        (6, 1, 10, 0.1),
        (3, 4, 9, -0.3),
        (30, 10, 60, 0.01),
        (12, 18, 300, -0.001),
        (150, 30, 300, 0.35),
        (8, 8, 16, -0.9),
    ],
)
def test_it_is_the_melded_probability_by_an_independent_integration(b: int, c: int, n: int, difference: float) -> None:
    assert above(b, c, n, difference) == pytest.approx(melded(b, c, n, difference), abs=1e-10)


def test_the_ends_of_the_interval_are_where_the_tests_stop() -> None:
    for b, c in results(9):
        low, high = lower_end(b, c, 9, 0.95), upper_end(b, c, 9, 0.95)
        assert -1.0 <= low <= (b - c) / 9 <= high <= 1.0
        assert low == -1.0 or above(b, c, 9, low) <= 0.05 + 1e-9
        assert above(b, c, 9, low + 4e-6) > 0.05 - 1e-9
        assert high == 1.0 or below(b, c, 9, high) <= 0.05 + 1e-9
        assert below(b, c, 9, high - 4e-6) > 0.05 - 1e-9


def test_certain_and_impossible_lifts() -> None:
    assert above(3, 0, 3, 1.0) == 1.0
    assert above(3, 0, 3, -1.0) == 0.0
    assert above(0, 3, 3, -1.0) == 1.0
    assert above(0, 0, 0, 0.0) == 1.0
    assert above(0, 0, 4, -0.5) == pytest.approx(0.5**4)


@pytest.mark.parametrize(("b", "c", "n"), [(-1, 0, 3), (0, -1, 3), (2, 2, 3)])
def test_impossible_counts_are_refused(b: int, c: int, n: int) -> None:
    with pytest.raises(ValueError, match="impossible"):
        above(b, c, n, 0.0)


def test_three_hundred_cases_take_no_time_worth_mentioning() -> None:
    def seconds(difference: float) -> float:
        start = perf_counter()
        above(101, 50, 300, difference)
        return perf_counter() - start

    assert min(seconds(0.06 + i / 1000) for i in range(5)) < 0.05
