from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binomtest

from selftune_build.model.verdict import Verdict
from selftune_build.stats.bounds import UNDECIDED, Bounds, exactly
from selftune_build.stats.rate import rate_decision, rate_verdict

THIRDS = (0, 1, 2, 3)


def suite(held: int, n: int, undecided: int = 0) -> list[Bounds]:
    return [exactly(1)] * held + [exactly(0)] * (n - held - undecided) + [UNDECIDED] * undecided


def message(cases: list[Bounds], minimum: float = 0.5) -> str:
    return rate_decision(cases, minimum, 0.95, "triggered").message


@pytest.mark.parametrize("minimum", [0.1, 0.3, 0.5, 0.6, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_every_verdict_up_to_thirty_cases_is_that_of_the_exact_test(minimum: float, confidence: float) -> None:
    for n in range(1, 31):
        for k in range(n + 1):
            verdict = rate_verdict(k, k, n, minimum, confidence)
            better = binomtest(k, n, minimum, alternative="greater").pvalue <= 1 - confidence + 1e-10
            worse = binomtest(k, n, minimum, alternative="less").pvalue <= 1 - confidence + 1e-10
            assert verdict is (Verdict.PASS if better else Verdict.FAIL if worse else Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(("held", "n"), [(5, 5), (6, 6), (7, 8), (8, 9), (9, 10)])
def test_ordinary_suites_pass_the_default(held: int, n: int) -> None:
    assert rate_decision(suite(held, n), 0.5, 0.95, "passed").verdict is Verdict.PASS


@pytest.mark.parametrize(("held", "n"), [(4, 4), (5, 6), (6, 7), (8, 10), (2, 10), (0, 4)])
def test_what_is_too_little_is_inconclusive(held: int, n: int) -> None:
    assert rate_decision(suite(held, n), 0.5, 0.95, "passed").verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("held", "n"), [(0, 5), (1, 8), (1, 10)])
def test_what_is_shown_to_be_below_fails(held: int, n: int) -> None:
    assert rate_decision(suite(held, n), 0.5, 0.95, "passed").verdict is Verdict.FAIL


def test_no_case_is_inconclusive_even_without_a_minimum() -> None:
    decision = rate_decision([], 0.0, 0.95, "passed")
    assert (decision.verdict, decision.message) == (Verdict.INCONCLUSIVE, "no case measures this")


def test_a_minimum_of_zero_always_holds() -> None:
    assert rate_decision(suite(0, 1), 0.0, 0.95, "passed").verdict is Verdict.PASS


def test_a_minimum_of_one_can_be_refuted_but_never_shown() -> None:
    assert rate_decision(suite(29, 30), 1.0, 0.95, "passed").verdict is Verdict.FAIL
    decision = rate_decision(suite(30, 30), 1.0, 0.95, "passed")
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.message == "30 of 30 cases passed: no number of cases can show a rate of 1.00, choose a lower minimum"


def test_samples_of_a_case_are_averaged_then_rounded_against_each_decision() -> None:
    two_thirds = exactly(Fraction(2, 3))
    assert rate_decision([exactly(1)] * 4 + [two_thirds], 0.5, 0.95, "passed").verdict is Verdict.INCONCLUSIVE
    assert rate_decision([exactly(1)] * 6 + [two_thirds, two_thirds], 0.5, 0.95, "passed").verdict is Verdict.PASS
    assert rate_decision([exactly(0)] * 4 + [exactly(Fraction(1, 3))], 0.5, 0.95, "passed").verdict is Verdict.INCONCLUSIVE


def test_an_undecided_case_helps_neither_side() -> None:
    assert rate_decision(suite(5, 6, undecided=1), 0.5, 0.95, "passed").verdict is Verdict.INCONCLUSIVE
    assert rate_decision(suite(7, 8, undecided=1), 0.5, 0.95, "passed").verdict is Verdict.PASS
    assert rate_decision(suite(0, 6, undecided=1), 0.5, 0.95, "passed").verdict is Verdict.INCONCLUSIVE
    assert rate_decision(suite(0, 8, undecided=1), 0.5, 0.95, "passed").verdict is Verdict.FAIL


def test_messages_say_what_was_counted_and_what_would_do() -> None:
    assert message(suite(9, 10)) == "9 of 10 cases triggered, shown to be at least 0.50"
    assert message(suite(1, 10)) == "1 of 10 cases triggered, shown to be below 0.50"
    assert message(suite(5, 6)) == "5 of 6 cases triggered: not enough to show at least 0.50; 7 of 8 would"
    assert message(suite(2, 10)) == "measured below the floor (2 of 10), not shown to be below 0.50"
    assert message(suite(4, 6, undecided=2)) == "4 of 6 cases triggered, 2 undecided: not enough to show at least 0.50"
    assert message(suite(1, 6, undecided=2)) == "measured below the floor (1 of 4), 2 undecided, not shown to be below 0.50"
    assert message(suite(0, 3, undecided=3)) == "0 of 3 cases triggered, 3 undecided: not enough to show at least 0.50"


def test_messages_never_round_up() -> None:
    almost = [exactly(1)] * 8 + [exactly(Fraction(998, 999))]
    assert message(almost, 0.725) == "8.99 of 9 cases triggered: not enough to show at least 0.725; 15 of 16 would"


def test_a_measured_rate_that_equals_the_minimum_as_written_is_not_below_it() -> None:
    assert message(suite(9, 10), 0.9) == "9 of 10 cases triggered: not enough to show at least 0.90; 45 of 46 would"


def test_what_the_message_says_would_do_does_and_nothing_smaller() -> None:
    assert rate_verdict(45, 45, 46, 0.9, 0.95) is Verdict.PASS
    assert rate_verdict(44, 44, 45, 0.9, 0.95) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("minimum", [0.2, 0.5, 0.7, 0.9])
def test_with_three_samples_a_case_the_error_stays_below_the_level_too(minimum: float) -> None:
    """Case means on thirds, every mixture of two means whose average is exactly the minimum."""
    for n in range(4, 31):
        needed = next((k for k in range(n + 1) if rate_verdict(k, n, n, minimum, 0.95) is Verdict.PASS), n + 1)
        for low in THIRDS:
            for high in THIRDS:
                if low / 3 < minimum <= high / 3:
                    share = (minimum * 3 - low) / (high - low)
                    counts = np.zeros(4)
                    counts[low], counts[high] = 1 - share, share
                    total = np.array([1.0])
                    for _ in range(n):
                        total = np.convolve(total, counts)
                    assert total[3 * needed :].sum() <= 0.05 + 1e-9
