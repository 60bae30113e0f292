"""Exact binomial probabilities, the one building block of every test here."""

from __future__ import annotations

from functools import lru_cache
from math import comb, exp, log, log1p

NEGLIGIBLE = 1e-17
"""A term this small beside the sum cannot change a double."""


def mass(k: int, n: int, p: float) -> float:
    """P(X = k) for X ~ Binomial(n, p), to about twelve digits for n up to 5,000."""
    return _mass(k, n, p, 1.0 - p)


def upper_tail(k: int, n: int, p: float) -> float:
    """P(X ≥ k) for X ~ Binomial(n, p); also P(Beta(k, n - k + 1) ≤ p)."""
    return _upper(k, n, p, 1.0 - p)


def lower_tail(k: int, n: int, p: float) -> float:
    """P(X ≤ k) for X ~ Binomial(n, p)."""
    return _upper(n - k, n, 1.0 - p, p)


@lru_cache(maxsize=4096)
def _log_choose(n: int, k: int) -> float:
    return log(comb(n, k))


def _mass(k: int, n: int, p: float, q: float) -> float:
    if not 0 <= k <= n:
        return 0.0
    if p <= 0.0 or q <= 0.0:
        return float(k == (0 if p <= 0.0 else n))
    # The smaller of the two is exact, so each logarithm is taken from it.
    log_p, log_q = (log(p), log1p(-p)) if p < q else (log1p(-q), log(q))
    return exp(_log_choose(n, k) + k * log_p + (n - k) * log_q)


def _upper(k: int, n: int, p: float, q: float) -> float:
    if k <= 0:
        return 1.0
    if k <= n * p:
        return max(0.0, 1.0 - _falling(n - k + 1, n, q, p))
    return _falling(k, n, p, q)


def _falling(k: int, n: int, p: float, q: float) -> float:
    """Sum of the masses from k upwards, where they only get smaller."""
    term = total = _mass(k, n, p, q)
    for i in range(k, n):
        term *= (n - i) * p / ((i + 1) * q)
        total += term
        if term <= total * NEGLIGIBLE:
            break
    return min(1.0, total)
