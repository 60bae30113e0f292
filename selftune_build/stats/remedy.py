"""What would settle a gate that could not decide, in words for somebody who knows no statistics."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

from selftune_build.limits import MOST_CASES_ADDED
from selftune_build.stats.binomial import lower_tail
from selftune_build.stats.decision import exact
from selftune_build.stats.level import shown
from selftune_build.stats.paired import above
from selftune_build.stats.power import cases_with_misses
from selftune_build.wording import counted

MORE_CASES = "more samples of the same cases do not settle it, more cases do"
MEASURE = "decide the undecided cases first: build again, and `selftune show` one of them for why it was not measured"
LOWER = "choose a lower minimum: no suite can show this one"


def rate_advice(held: Fraction, decided: int, n: int, minimum: float, confidence: float) -> str:
    """What to do about a rate gate with `held` of `decided` of n cases."""
    if minimum >= 1.0:
        return LOWER
    if decided < n:
        return MEASURE
    if held < exact(minimum) * n:
        return _below(held, n, minimum, confidence)
    misses = n - floor(held)
    enough = cases_with_misses(misses, minimum, confidence)
    if enough is None:
        return LOWER
    return f"add {counted(enough - n, 'case')} that {_hold(enough - n)}; {MORE_CASES}"


def lift_advice(better: int, worse: int, n: int, decided: int, minimum: float, confidence: float) -> str:
    """What to do about a lift gate with so many better and worse of n cases, counted against a lift."""
    if minimum >= 1.0:
        return LOWER
    if decided < n:
        return MEASURE
    more = _fewest(lambda k: shown(above(better + k, worse, n + k, minimum), confidence))
    if more is None:
        return LOWER
    return f"add {counted(more, 'case')} that {_hold(more)} with the skill and {_fail(more)} without it; {MORE_CASES}"


def no_lift_advice() -> str:
    """What to do where the measured lift is below what is asked for."""
    return (
        "look at the cases that hold without the skill as well (`baseline`) and at those that fail with it: "
        "either the skill adds nothing there, or their checks do not see what it adds"
    )


def _below(held: Fraction, n: int, minimum: float, confidence: float) -> str:
    rate = held / n
    enough = _fewest(lambda k: shown(lower_tail(ceil(rate * (n + k)), n + k, minimum), confidence))
    words = "mend the skill, or the cases, where they do not hold (`selftune show` one of them)"
    if enough is None:
        return words
    return f"{words}; if they stay as they are, {counted(n + enough, 'case')} like these would show that the rate is too low"


def _fewest(enough: Callable[[int], bool]) -> int | None:
    """The smallest number from 1 that is enough, tried one by one: rounding makes it not quite monotone."""
    return next((k for k in range(1, MOST_CASES_ADDED + 1) if enough(k)), None)


def _hold(number: int) -> str:
    return "holds" if number == 1 else "hold"


def _fail(number: int) -> str:
    return "fails" if number == 1 else "fail"
