"""Intervals that are shown beside a rate; no gate decides by them."""

from __future__ import annotations

from math import sqrt

from selftune_build.stats.level import level


def wilson(successes: float, n: int, confidence: float) -> tuple[float, float]:
    """Two-sided score interval of a rate (Wilson 1927); `successes` may have a fraction. Without trials it is 0 to 1.

    Raises ValueError where successes do not lie between 0 and n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no rate")
    if n == 0:
        return 0.0, 1.0
    from statistics import NormalDist

    z = NormalDist().inv_cdf(1.0 - level(confidence) / 2.0)
    rate = successes / n
    scale = 1.0 + z * z / n
    centre = (rate + z * z / (2 * n)) / scale
    half = z / scale * sqrt(rate * (1.0 - rate) / n + z * z / (4 * n * n))
    # Rounding must not move an end that is exactly 0 or 1.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high
