"""What repeated samples of one case say about using it several times, without bias and from the counts alone."""

from __future__ import annotations

from math import comb


def holds_once(held: int, n: int, k: int) -> float:
    """pass@k: the chance that at least one of k samples holds, estimated without bias from `held` of n.

    1 - C(n - held, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374). Raises ValueError unless 1 ≤ k ≤ n and 0 ≤ held ≤ n.
    """
    _check(held, n, k)
    return 1.0 - comb(n - held, k) / comb(n, k)


def holds_always(held: int, n: int, k: int) -> float:
    """pass^k: the chance that all of k samples hold, estimated without bias: C(held, k) / C(n, k) (Yao et al. 2024, arXiv
    2406.12045). Raises ValueError as above."""
    _check(held, n, k)
    return comb(held, k) / comb(n, k)


def _check(held: int, n: int, k: int) -> None:
    if not 1 <= k <= n or not 0 <= held <= n:
        raise ValueError(f"{held} of {n} samples say nothing about {k}")
