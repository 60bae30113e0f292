"""A mean that may be known only within bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from msgspec import Struct


class Bounds(Struct, frozen=True):
    """The least and the most that the mean of a case can be; equal where it is decided."""

    low: Fraction
    high: Fraction

    @property
    def decided(self) -> bool:
        """Whether the mean is known."""
        return self.low is self.high or self.low == self.high


UNDECIDED = Bounds(Fraction(0), Fraction(1))


def exactly(mean: Fraction | int) -> Bounds:
    """Bounds of a mean that is known."""
    return Bounds(known := Fraction(mean), known)


def total(values: Iterable[Fraction]) -> Fraction:
    """Exact sum; those of one denominator are added as integers, and those that are one object at once."""
    known = list(values)
    times, which = Counter(map(id, known)), {id(value): value for value in known}
    numerators: dict[int, int] = {}
    for one, value in which.items():
        numerators[value.denominator] = numerators.get(value.denominator, 0) + times[one] * value.numerator
    return sum((Fraction(numerator, denominator) for denominator, numerator in numerators.items()), Fraction(0))


def decided(bounds: Iterable[Bounds]) -> list[Fraction]:
    """The means that are known."""
    return [each.low for each in bounds if each.decided]
