from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftune_build.model.verdict import Verdict
from selftune_build.stats.bounds import UNDECIDED, Bounds, exactly
from selftune_build.stats.lift import (
    Pair,
    cautious_counts,
    generous_counts,
    lift_decision,
    lift_interval,
    lift_verdict,
    measured_lift,
)
from selftune_build.stats.paired import above

BETTER, WORSE, SAME = Pair(exactly(1), exactly(0)), Pair(exactly(0), exactly(1)), Pair(exactly(1), exactly(1))
thirds = st.integers(0, 3).map(lambda k: Fraction(k, 3))
bounds = st.tuples(thirds, thirds).map(lambda pair: Bounds(min(pair), max(pair)))
suites = st.lists(st.builds(Pair, bounds, bounds), min_size=1, max_size=14)


def test_five_better_of_five_pass_and_four_do_not() -> None:
    assert lift_verdict([BETTER] * 5, 0.0, 0.95) is Verdict.PASS
    assert lift_verdict([BETTER] * 4, 0.0, 0.95) is Verdict.INCONCLUSIVE
    assert lift_verdict([BETTER] * 5 + [SAME] * 20, 0.0, 0.95) is Verdict.PASS


def test_five_worse_of_five_fail() -> None:
    assert lift_verdict([WORSE] * 5 + [SAME] * 3, 0.0, 0.95) is Verdict.FAIL


def test_ties_show_neither_lift_nor_harm_but_bound_the_harm() -> None:
    assert lift_verdict([SAME] * 80, 0.0, 0.95) is Verdict.INCONCLUSIVE
    assert lift_verdict([SAME] * 80, -0.05, 0.95) is Verdict.PASS
    assert lift_verdict([SAME] * 80, 0.05, 0.95) is Verdict.FAIL


def test_an_undecided_arm_counts_against_either_decision() -> None:
    open_pair = Pair(exactly(1), UNDECIDED)
    assert lift_verdict([BETTER] * 4 + [open_pair], 0.0, 0.95) is Verdict.INCONCLUSIVE
    assert cautious_counts([open_pair]) == (0, 0)
    assert generous_counts([open_pair]) == (1, 0)
    assert cautious_counts([Pair(UNDECIDED, UNDECIDED)]) == (0, 1)


def test_fractions_are_rounded_against_each_decision() -> None:
    third = Pair(exactly(Fraction(2, 3)), exactly(Fraction(1, 3)))
    assert cautious_counts([third] * 4) == (1, 0)
    assert generous_counts([third] * 4) == (2, 0)


@settings(deadline=None)
@given(suites)
def test_counts_never_exceed_the_suite(suite: list[Pair]) -> None:
    assert sum(cautious_counts(suite)) <= len(suite)
    assert sum(generous_counts(suite)) <= len(suite)


@settings(deadline=None)
@given(suites, st.sampled_from([-0.3, -0.05, 0.0, 0.05, 0.2]))
def test_the_interval_never_contradicts_the_gate(suite: list[Pair], minimum: float) -> None:
    low, high = lift_interval(suite, 0.95)
    verdict = lift_verdict(suite, minimum, 0.95)
    slack = 4e-6
    assert low <= high
    if verdict is Verdict.PASS:
        assert low >= minimum - slack
    elif verdict is Verdict.FAIL:
        assert high <= minimum + slack
    else:
        assert low - slack <= minimum <= high + slack


def test_the_measured_lift_is_that_of_the_decided_cases() -> None:
    assert measured_lift([BETTER, SAME, Pair(UNDECIDED, exactly(0))]) == Fraction(1, 2)
    assert measured_lift([Pair(UNDECIDED, exactly(0))]) is None


def test_messages_say_what_was_counted_and_what_is_lacking() -> None:
    def message(suite: list[Pair], minimum: float) -> str:
        return lift_decision(suite, minimum, 0.95).message

    assert message([BETTER] * 5 + [SAME] * 3, 0.0) == "lift +0.62 on 8 cases (5 better, 0 worse), shown to be above 0.00"
    assert message([WORSE] * 6, 0.0) == "lift -1.00 on 6 cases (0 better, 6 worse), shown to be below 0.00"
    assert message([BETTER] * 3, 0.0) == (
        "lift +1.00 on 3 cases (3 better, 0 worse): not enough to show a lift above 0.00; it takes 5 cases that all do better"
    )
    assert message([BETTER] * 3 + [WORSE] * 4, 0.05) == (
        "lift -0.14 on 7 cases (3 better, 4 worse): measured below the floor of 0.05, not shown to be below it"
    )
    assert message([Pair(UNDECIDED, exactly(0))], 0.0).startswith("lift unknown on 1 case (0 better, 0 worse, 1 undecided)")
    assert message([BETTER] * 9, 1.0).endswith("no number of cases can show a lift above 1.00, choose a lower minimum")
    assert message([], -3.0) == "no case measures this"


@pytest.mark.parametrize("minimum", [-0.2, 0.0, 0.2])
def test_with_three_samples_a_case_the_error_stays_below_the_level_too(minimum: float) -> None:
    """Differences on thirds, every mixture of two of them whose mean is exactly the minimum."""
    for n in (5, 8):
        size = 3 * n + 1
        rejected = np.array([[_passes(gain, loss, n, minimum) for loss in range(size)] for gain in range(size)])
        for low in range(-3, 4):
            for high in range(-3, 4):
                if low / 3 < minimum <= high / 3:
                    share = (minimum * 3 - low) / (high - low)
                    assert _distribution(n, {low: 1 - share, high: share})[rejected].sum() <= 0.05 + 1e-9


def _passes(gain: int, loss: int, n: int, minimum: float) -> bool:
    better, worse = gain // 3, -(-loss // 3)
    return gain + loss <= 3 * n and above(better, worse, n, minimum) <= 0.05


def _distribution(n: int, shares: dict[int, float]) -> np.ndarray:
    size = 3 * n + 1
    chances = np.zeros((size, size))
    chances[0, 0] = 1.0
    for _ in range(n):
        after = np.zeros_like(chances)
        for thirds_won, share in shares.items():
            gain, loss = max(thirds_won, 0), max(-thirds_won, 0)
            after[gain:, loss:] += share * chances[: size - gain, : size - loss]
        chances = after
    return chances
