"""How many cases a gate needs before it can say yes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from selftune_build.limits import MOST_CASES_NAMED
from selftune_build.stats.binomial import lower_tail
from selftune_build.stats.level import shown
from selftune_build.stats.paired import above


def can_settle(n: int, minimum: float, confidence: float) -> bool:
    """Whether n cases that all hold show a rate of at least `minimum`."""
    return n > 0 and (minimum <= 0.0 or (minimum < 1.0 and shown(minimum**n, confidence)))


def can_settle_lift(n: int, minimum: float, confidence: float) -> bool:
    """Whether n cases that all do better with the skill show a lift above `minimum`."""
    return n > 0 and shown(above(n, 0, n, minimum), confidence)


def cases_needed(minimum: float, confidence: float) -> int | None:
    """The fewest cases that can show a rate of at least `minimum`, all of them holding; None if no suite of a sane size can."""
    return _fewest(lambda n: can_settle(n, minimum, confidence))


@lru_cache(maxsize=256)
def lift_cases_needed(minimum: float, confidence: float) -> int | None:
    """The fewest cases that can show a lift above `minimum`, all doing better; None if no suite of a sane size can."""
    return _fewest(lambda n: can_settle_lift(n, minimum, confidence))


@lru_cache(maxsize=1024)
def cases_with_misses(misses: int, minimum: float, confidence: float) -> int | None:
    """The fewest cases that show a rate of at least `minimum` although `misses` of them do not hold; None as above."""
    return _fewest(lambda n: n > misses and shown(lower_tail(misses, n, 1.0 - minimum), confidence))


def _fewest(enough: Callable[[int], bool]) -> int | None:
    """The smallest number that is enough, given that more never is less."""
    low, high = 0, 1
    while not enough(high):
        if high == MOST_CASES_NAMED:
            return None
        low, high = high, min(2 * high, MOST_CASES_NAMED)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
