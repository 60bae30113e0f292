"""Whether what is locked looks better beside fresh samples than chance explains, and how sure a draw finds what was invented.

An honest lock counts samples like any others, so locked and fresh ones are exchangeable row by row. For each kind of count it is
tested whether the locked total is too good, over the kinds by Bonferroni's correction. What repeats exactly is just compared.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil

from msgspec.structs import replace

from selftune_build.limits import AUDIT_ORDERS, AUDIT_ROWS_IN_ORDERS
from selftune_build.model.audit import Caught, Claim, Kind, KindResult
from selftune_build.stats.exchange import NOTHING, Spread, added, of_blocks, of_samples, summed, tail, tail_of_sum

Claims = Sequence[Claim]
"""What one row counts, at most one claim of each kind."""


def by_kind(rows: Iterable[Claims]) -> tuple[KindResult, ...]:
    """The test of each kind that some row counts by samples."""
    sampled = [claim for claims in rows for claim in claims if not claim.exact]
    return tuple(_result(kind, [claim for claim in sampled if claim.kind is kind]) for kind in _kinds(sampled))


def corrected(results: Sequence[KindResult]) -> float | None:
    """The smallest p over the kinds, corrected for their number; None where there is none."""
    return min(1.0, len(results) * min(result.p for result in results)) if results else None


def contradicted(rows: Iterable[Claims]) -> bool:
    """Whether something that repeats exactly came out otherwise."""
    return any(claim.exact and claim.differs for claims in rows for claim in claims)


def refuted(rows: Sequence[Claims], alpha: float) -> bool:
    """Whether the rows together speak against the lock."""
    p = corrected(by_kind(rows))
    return contradicted(rows) or (p is not None and p < alpha)


def caught(rows: Sequence[Claims], population: int, share: Fraction, alpha: float) -> Caught:
    """The chance that this draw refutes a lock of `population` rows of which `share` are invented (at least one).

    An invented row says that all its samples came out well, where in truth none does; the others stay as they came out. Which of
    the drawn rows are invented is chance: the mean over many orders of the draw, the same ones whenever it is asked for.
    """
    invented = max(1, ceil(share * population))
    orders = max(1, min(AUDIT_ORDERS, AUDIT_ROWS_IN_ORDERS // max(1, len(rows))))
    among = of_samples(len(rows), population - len(rows), min(invented, population))
    chance = random.Random(0)
    needed = [_needed(chance.sample(rows, len(rows)), alpha) for _ in range(orders)]
    return Caught(float(share), sum(tail(among, each) for each in needed) / orders)


def _needed(rows: Sequence[Claims], alpha: float) -> int:
    """How many of the first rows have to be invented before the draw refutes the lock; one more than there are: never enough."""
    kinds = _kinds(claim for claims in rows for claim in claims if not claim.exact)
    rest = {kind: _rests(rows, kind) for kind in kinds}
    honest = {kind: sum(claim.locked for claims in rows for claim in claims if _is_of(claim, kind)) for kind in kinds}
    made = dict.fromkeys(kinds, NOTHING)
    for number in range(len(rows) + 1):
        p = min((tail_of_sum(made[kind], rest[kind][number], honest[kind]) for kind in kinds), default=1.0)
        if kinds and len(kinds) * p < alpha:
            return number
        for claim in rows[number] if number < len(rows) else ():
            if claim.exact:
                return number + 1
            made[claim.kind] = added(made[claim.kind], _spread(_invented(claim)))
            honest[claim.kind] += claim.n - claim.locked
    return len(rows) + 1


def _rests(rows: Sequence[Claims], kind: Kind) -> list[Spread]:
    """For each number of rows the distribution of the total of those behind them."""
    rests = [NOTHING]
    for claims in reversed(rows):
        rests.append(summed([rests[-1], *(_spread(claim) for claim in claims if _is_of(claim, kind))]))
    return rests[::-1]


def _result(kind: Kind, claims: Sequence[Claim]) -> KindResult:
    locked = sum(claim.locked for claim in claims)
    return KindResult(
        kind=kind,
        rows=len(claims),
        n=sum(claim.n for claim in claims),
        locked=locked,
        fresh_n=sum(claim.fresh_n for claim in claims),
        fresh=sum(claim.fresh for claim in claims),
        p=tail(summed(map(_spread, claims)), locked),
    )


def _spread(claim: Claim) -> Spread:
    """What the locked count could have been as well."""
    if claim.block and claim.n == claim.fresh_n:
        return of_blocks(claim.locked, claim.fresh)
    return of_samples(claim.n, claim.fresh_n, claim.locked + claim.fresh)


def _invented(claim: Claim) -> Claim:
    return replace(claim, locked=claim.n, fresh=0)


def _is_of(claim: Claim, kind: Kind) -> bool:
    return claim.kind is kind and not claim.exact


def _kinds(claims: Iterable[Claim]) -> list[Kind]:
    there = {claim.kind for claim in claims}
    return [kind for kind in Kind if kind in there]
