"""What a gate proposes settles it, and one case fewer does not."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from selftune_build.model.verdict import Verdict
from selftune_build.stats.bounds import UNDECIDED, Bounds, exactly
from selftune_build.stats.lift import Pair, lift_decision
from selftune_build.stats.rate import rate_decision
from selftune_build.stats.remedy import LOWER, MEASURE

BETTER, WORSE, SAME = Pair(exactly(1), exactly(0)), Pair(exactly(0), exactly(1)), Pair(exactly(1), exactly(1))


def proposed(advice: str) -> int:
    """How many cases a sentence wants added."""
    return int(re.search(r"add (\d+) case", advice)[1])


def rates(held: int, n: int) -> list[Bounds]:
    return [exactly(1)] * held + [exactly(0)] * (n - held)


@pytest.mark.parametrize("minimum", [0.5, 0.6, 0.8, 0.9])
@pytest.mark.parametrize("missed", [0, 1, 2])
@pytest.mark.parametrize("n", [3, 6, 10, 17])
def test_the_cases_that_a_rate_gate_asks_for_are_enough_and_one_fewer_is_not(minimum: float, missed: int, n: int) -> None:
    decision = rate_decision(rates(n - missed, n), minimum, 0.95, "held")
    if decision.verdict is not Verdict.INCONCLUSIVE or (n - missed) / n < minimum:
        return
    more = proposed(decision.advice)
    assert rate_decision(rates(n - missed + more, n + more), minimum, 0.95, "held").verdict is Verdict.PASS
    assert rate_decision(rates(n - missed + more - 1, n + more - 1), minimum, 0.95, "held").verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("better", "worse", "same"), [(3, 0, 0), (4, 0, 0), (4, 1, 0), (3, 1, 5), (6, 2, 3)])
@pytest.mark.parametrize("minimum", [0.0, 0.05, 0.2])
def test_the_cases_that_the_lift_gate_asks_for_are_enough_and_one_fewer_is_not(
    better: int, worse: int, same: int, minimum: float
) -> None:
    suite = [BETTER] * better + [WORSE] * worse + [SAME] * same
    decision = lift_decision(suite, minimum, 0.95)
    assert decision.verdict is Verdict.INCONCLUSIVE
    more = proposed(decision.advice)
    assert lift_decision([*suite, *[BETTER] * more], minimum, 0.95).verdict is Verdict.PASS
    assert lift_decision([*suite, *[BETTER] * (more - 1)], minimum, 0.95).verdict is Verdict.INCONCLUSIVE


def test_a_rate_below_its_floor_is_told_how_many_cases_would_refute_it() -> None:
    decision = rate_decision(rates(2, 5), 0.6, 0.95, "held")
    number = int(re.search(r"(\d+) cases like these would show that the rate is too low", decision.advice)[1])
    assert decision.advice.startswith("mend the skill, or the cases")
    assert rate_decision(rates(round(number * Fraction(2, 5)), number), 0.6, 0.95, "held").verdict is Verdict.FAIL


def test_undecided_cases_come_before_new_ones() -> None:
    assert rate_decision([exactly(1), UNDECIDED], 0.5, 0.95, "held").advice == MEASURE
    assert lift_decision([BETTER, Pair(exactly(1), UNDECIDED)], 0.0, 0.95).advice == MEASURE


def test_a_minimum_that_no_suite_can_show_has_to_be_lowered() -> None:
    assert rate_decision(rates(3, 3), 1.0, 0.95, "held").advice == LOWER
    assert lift_decision([BETTER] * 3, 1.0, 0.95).advice == LOWER


def test_without_a_measured_lift_more_cases_are_not_what_is_proposed() -> None:
    assert "either the skill adds nothing there" in lift_decision([SAME] * 3 + [WORSE], 0.0, 0.95).advice


def test_what_was_decided_needs_no_advice() -> None:
    assert rate_decision(rates(5, 5), 0.5, 0.95, "held").advice == ""
    assert lift_decision([BETTER] * 5, 0.0, 0.95).advice == ""
