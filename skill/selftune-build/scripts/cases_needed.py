"""Print how many cases a rate gate needs so that it passes although some of them fail.

A gate passes when the exact one-sided binomial test shows the rate to be at least `min`.
"""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from math import comb

MOST_CASES = 500
MOST_FAILURES = 50


def tail(passed: int, cases: int, share: Fraction) -> Fraction:
    """The probability of at least `passed` of `cases` when each passes with probability `share`."""
    return sum((comb(cases, k) * share**k * (1 - share) ** (cases - k) for k in range(passed, cases + 1)), Fraction(0))


def needed(failures: int, share: Fraction, confidence: Fraction) -> int | None:
    """The smallest suite that passes with so many failures; None above the largest that is tried."""
    return next((n for n in range(failures + 1, MOST_CASES + 1) if tail(n - failures, n, share) <= 1 - confidence), None)


def line(failures: int, share: Fraction, confidence: Fraction) -> str:
    """The answer for one number of failures."""
    cases = needed(failures, share, confidence)
    if cases is None:
        return f"{failures} failing: more than {MOST_CASES} cases"
    return f"{failures} failing: {cases} cases ({cases - failures} of {cases} pass)"


def rate(text: str) -> Fraction:
    """A number from an option. Raises ArgumentTypeError unless it lies between 0 and 1."""
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"not between 0 and 1: {text}")
    return value


def failing(text: str) -> int:
    """A count from an option. Raises ArgumentTypeError unless it lies between 0 and 50."""
    if not text.isdecimal() or int(text[:9]) > MOST_FAILURES:
        raise argparse.ArgumentTypeError(f"not between 0 and {MOST_FAILURES}: {text}")
    return int(text[:9])


def main() -> int:
    """Print the answer for the given number of failures, or for none to four; argparse leaves with 2 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--min", type=rate, default=Fraction(1, 2), help="the rate to be shown; default 0.5")
    parser.add_argument("--confidence", type=rate, default=Fraction(95, 100), help="one-sided; default 0.95")
    parser.add_argument("--failures", type=failing, default=None, help="cases that may fail")
    given = parser.parse_args()
    print(f"To show a rate of at least {float(given.min):g} at {float(given.confidence):g}, one-sided:")
    for failures in range(5) if given.failures is None else [given.failures]:
        print(line(failures, given.min, given.confidence))
    return 0


if __name__ == "__main__":
    sys.exit(main())
