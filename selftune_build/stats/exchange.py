"""Exact tests of whether two groups of samples could as well have been the other way round.

Given how many of n + m exchangeable samples held, the number among the first n is hypergeometric: Fisher's exact test (R. A.
Fisher, The Design of Experiments, 1935, chapter 2). Independent strata are put together by convolution, as in the exact test of a
common odds ratio (C. R. Mehta, N. R. Patel and R. Gray, Journal of the American Statistical Association 80, 1985, 969-973). Where
the samples of a side hang together, only the sides as wholes are exchangeable: each order of the two has probability one half
(Fisher 1935, chapter 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, reduce
from math import comb, fsum

from msgspec import Struct


class Spread(Struct, frozen=True):
    """A distribution over whole numbers from `low` on, without zeros at its ends."""

    low: int
    weights: tuple[float, ...]


NOTHING = Spread(0, (1.0,))
"""What a sum over no stratum is."""


@lru_cache(maxsize=4096)
def of_samples(first: int, second: int, held: int) -> Spread:
    """How many of `first` samples hold where of `first + second` exchangeable ones `held` do."""
    low, high = max(0, held - second), min(first, held)
    ways = comb(first + second, held)
    return Spread(low, tuple(comb(first, k) * comb(second, held - k) / ways for k in range(low, high + 1)))


def of_blocks(one: int, other: int) -> Spread:
    """The count of the first of two groups that are exchangeable as wholes, and count `one` and `other`."""
    if one == other:
        return Spread(one, (1.0,))
    low, high = sorted((one, other))
    return Spread(low, (0.5, *(0.0 for _ in range(high - low - 1)), 0.5))


def added(one: Spread, other: Spread) -> Spread:
    """The distribution of the sum of two independent numbers."""
    weights = [0.0] * (len(one.weights) + len(other.weights) - 1)
    for place, weight in enumerate(one.weights):
        if weight:
            for further, factor in enumerate(other.weights):
                weights[place + further] += weight * factor
    return Spread(one.low + other.low, tuple(weights))


def summed(spreads: Iterable[Spread]) -> Spread:
    """The distribution of the sum of independent numbers."""
    return reduce(added, spreads, NOTHING)


def tail(spread: Spread, least: int) -> float:
    """The probability of at least `least`."""
    return min(1.0, fsum(spread.weights[max(0, least - spread.low) :]))


def tail_of_sum(one: Spread, other: Spread, least: int) -> float:
    """The probability that two independent numbers come to at least `least`."""
    return min(1.0, fsum(weight * tail(other, least - one.low - place) for place, weight in enumerate(one.weights) if weight))
