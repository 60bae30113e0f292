"""The exact paired test: did the same cases do better with the skill than without?

Each of n cases is better, worse or the same. With b better and c worse the test at difference 0 is the exact sign test
(McNemar). At any other difference it is the melded confidence procedure that is compatible with it (Fay and Lumbard 2021,
"Confidence intervals for difference in proportions for matched pairs compatible with exact McNemar's or sign tests",
Statistics in Medicine 40(5), 1147-1159). It is derived in docs/statistics.md, its error rates are enumerated in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import cosh, exp, isqrt, log, pi, sinh, sqrt

from selftune_build.stats.binomial import lower_tail, mass, upper_tail
from selftune_build.stats.level import shown

REACH = 3.25
"""Beyond this to each side the weights of the quadrature are below 1e-16."""
STEPS = 2
"""Steps of the quadrature per unit and per √n: what it integrates gets narrower as n grows."""
SPREAD = 4.5
"""How many multiples of 1/√m around its mean hold all but 1e-17 of a Beta distribution (Marchal and Arbel 2017)."""
HALVINGS = 20
"""Leave an interval end within two millionths, on the cautious side."""


@lru_cache(maxsize=8192)
def above(b: int, c: int, n: int, difference: float) -> float:
    """The largest probability of a result as good as b better and c worse of n, if the true lift is at most `difference`.

    Raises ValueError for counts that n cases cannot have.
    """
    if min(b, c) < 0 or b + c > n:
        raise ValueError(f"{b} better and {c} worse of {n} cases is impossible")
    if difference >= 0.0:
        return _above_positive(b, c, n, difference)
    return _above_negative(b, c, n, -difference)


def below(b: int, c: int, n: int, difference: float) -> float:
    """The mirror image of `above`: the probability of a result as bad, if the true lift is at least `difference`."""
    return above(c, b, n, -difference)


@lru_cache(maxsize=1024)
def lower_end(b: int, c: int, n: int, confidence: float) -> float:
    """The largest difference, to two millionths, that the true lift is shown to exceed."""
    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if shown(above(b, c, n, middle), confidence) else (low, middle)
    return low


def upper_end(b: int, c: int, n: int, confidence: float) -> float:
    """The smallest difference, to two millionths, that the true lift is shown to stay below."""
    return -lower_end(c, b, n, confidence)


def _above_positive(b: int, c: int, n: int, difference: float) -> float:
    """P(ψ(2θ - 1) ≤ difference) with θ ~ Beta(b, c + 1) and ψ ~ Beta(b + c, n - b - c + 1)."""
    if b == 0 or difference >= 1.0:
        return 1.0
    m = b + c
    # As long as 2θ - 1 ≤ difference the product is too, whatever ψ is.
    certain = upper_tail(b, m, (1.0 + difference) / 2)
    if difference == 0.0:
        return certain
    rest = _melt(b, c, n, difference, 1.0, lambda x: upper_tail(m, n, difference / x))
    return min(1.0, certain + rest)


def _above_negative(b: int, c: int, n: int, size: float) -> float:
    """P(ψ(2θ - 1) ≤ -size) with θ as above; as 2θ - 1 is negative here, the cautious ψ is the large one, Beta(m + 1, n - m)."""
    m = b + c
    if size >= 1.0:
        return float(c == n and size == 1.0)
    if b == 0:
        return lower_tail(m, n, size)
    return min(1.0, _melt(b, c, n, size, -1.0, lambda x: lower_tail(m, n, size / x)))


def _melt(b: int, c: int, n: int, start: float, sign: float, weight: Callable[[float], float]) -> float:
    """Integral of weight(|2θ - 1|) over the θ ~ Beta(b, c + 1) on the side of `sign` with |2θ - 1| ≥ start."""
    m = b + c
    centre = sign * (2 * b / (m + 1) - 1)
    low = max(start, centre - 2 * SPREAD / sqrt(m))
    high = min(1.0, centre + 2 * SPREAD / sqrt(m))
    if low >= high:
        return 0.0
    # Over the logarithm of x both factors are smooth however small `start` is.
    width = log(high / low)

    def at(share: float) -> float:
        x = min(high, low * exp(share * width))
        return x * m * mass(b - 1, m - 1, (1 + sign * x) / 2) / 2 * weight(x)

    return width * sum(w * at(share) for share, w in _nodes(8 + STEPS * isqrt(n)))


@lru_cache(maxsize=16)
def _nodes(steps: int) -> tuple[tuple[float, float], ...]:
    """Places in 0..1 and weights of the double exponential rule (Takahasi and Mori 1974)."""
    reach = int(REACH * steps)

    def node(t: float) -> tuple[float, float]:
        share = 1 / (1 + exp(-pi * sinh(t)))
        return share, pi * cosh(t) * share * (1 - share) / steps

    return tuple(node(i / steps) for i in range(-reach, reach + 1))
