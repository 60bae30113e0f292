from __future__ import annotations

import pytest
from scipy.stats import binomtest

from selftune_build.stats.intervals import wilson
from selftune_build.stats.level import level, shown


@pytest.mark.parametrize("n", [1, 3, 10, 30, 500])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_agrees_with_the_reference(n: int, confidence: float) -> None:
    for k in range(0, n + 1, max(1, n // 10)):
        expected = binomtest(k, n).proportion_ci(confidence, method="wilson")
        assert wilson(k, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_takes_counts_with_a_fraction_and_grows_with_them() -> None:
    ends = [wilson(k / 3, 10, 0.95) for k in range(31)]
    assert ends == sorted(ends)
    assert all(low < k / 30 < high for k, (low, high) in enumerate(ends) if 0 < k < 30)


def test_wilson_ends_are_exact_at_none_and_all() -> None:
    assert wilson(0, 7, 0.95)[0] == 0.0
    assert wilson(7, 7, 0.95)[1] == 1.0
    assert wilson(0, 0, 0.95) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3), (1, 0)])
def test_wilson_refuses_what_is_no_rate(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no rate"):
        wilson(successes, n, 0.95)


def test_the_level_is_subtracted_in_decimal() -> None:
    assert (level(0.95), level(0.9), level(0.975)) == (0.05, 0.1, 0.025)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.5, -0.2, float("nan")])
def test_the_level_refuses_impossible_confidence(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        level(confidence)


def test_a_probability_that_is_exactly_the_level_is_shown() -> None:
    assert shown(0.1, 0.9)
    assert shown(0.1 + 1e-12, 0.9)
    assert not shown(0.1 + 1e-9, 0.9)
