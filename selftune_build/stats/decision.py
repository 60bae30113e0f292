"""What a test decided, with its sentence, and how numbers are written in it."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from msgspec import Struct

from selftune_build.model.verdict import Verdict


class Decision(Struct, frozen=True):
    """A verdict, the one sentence that explains it, and what to do about it where it could not be decided."""

    verdict: Verdict
    message: str
    advice: str = ""
    code: str = ""
    """Empty in what a gate answers; what stands in for an answer says here why there is none."""


def count(value: Fraction) -> str:
    """A count that may have a fraction, cut to two decimals and never rounded up: 8.99… of 9 must not read as 9 of 9."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{floor(value * 100) / 100:.2f}"


def threshold(value: float) -> str:
    """A minimum with two decimals, or with all it has where two would change it."""
    text = f"{value:.2f}"
    return text if float(text) == value else repr(value)


def exact(value: float) -> Fraction:
    """The decimal number a person wrote: 9 of 10 is not below 0.9, although the float nearest to 0.9 is a little more."""
    return Fraction(repr(value))
