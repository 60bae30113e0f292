from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from selftune_build.stats.binomial import lower_tail, mass, upper_tail


@pytest.mark.parametrize("n", [1, 2, 7, 30, 299, 5000])
@pytest.mark.parametrize("p", [1e-6, 0.01, 0.3, 0.5, 0.77, 0.999])
def test_tails_and_masses_agree_with_the_reference(n: int, p: float) -> None:
    for k in sorted({0, 1, n // 3, n // 2, int(n * p), n - 1, n}):
        assert mass(k, n, p) == pytest.approx(binom.pmf(k, n, p), rel=1e-9, abs=1e-290)
        assert upper_tail(k, n, p) == pytest.approx(binom.sf(k - 1, n, p), rel=1e-9, abs=1e-14)
        assert lower_tail(k, n, p) == pytest.approx(binom.cdf(k, n, p), rel=1e-9, abs=1e-14)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 41), st.fractions(0, 1, max_denominator=50))
def test_tails_agree_with_exact_rational_sums(n: int, k: int, p: Fraction) -> None:
    exact = sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
    assert upper_tail(k, n, float(p)) == pytest.approx(float(exact), rel=1e-11, abs=1e-13)
    assert lower_tail(k - 1, n, float(p)) == pytest.approx(float(1 - exact), rel=1e-11, abs=1e-13)


def test_a_far_tail_keeps_its_relative_precision() -> None:
    assert upper_tail(5000, 5000, 0.9) == pytest.approx(0.9**5000, rel=1e-10)
    assert lower_tail(0, 5000, 0.1) == pytest.approx(0.9**5000, rel=1e-10)


def test_an_upper_tail_is_the_distribution_function_of_a_beta() -> None:
    assert upper_tail(4, 11, 0.35) == pytest.approx(beta.cdf(0.35, 4, 8), rel=1e-12)


@pytest.mark.parametrize(("k", "p", "expected"), [(0, 0.0, 1.0), (1, 0.0, 0.0), (5, 1.0, 1.0), (6, 1.0, 0.0), (-1, 0.4, 1.0)])
def test_certain_and_impossible_counts(k: int, p: float, expected: float) -> None:
    assert upper_tail(k, 5, p) == expected
    assert lower_tail(k - 1, 5, p) == 1.0 - expected


def test_a_mass_outside_of_the_range_is_zero() -> None:
    assert (mass(-1, 5, 0.5), mass(6, 5, 0.5), mass(0, 5, 0.0), mass(5, 5, 1.0)) == (0.0, 0.0, 1.0, 1.0)
