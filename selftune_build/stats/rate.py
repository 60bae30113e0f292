"""The rate gate: is the rate over prompts like these at least the minimum?

One observation per case, its mean over samples; only more cases make the answer surer.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

from selftune_build.model.verdict import Verdict
from selftune_build.stats.binomial import lower_tail, upper_tail
from selftune_build.stats.bounds import Bounds, decided, total
from selftune_build.stats.decision import Decision, count, exact, threshold
from selftune_build.stats.level import shown
from selftune_build.stats.power import cases_with_misses
from selftune_build.stats.remedy import rate_advice
from selftune_build.wording import counted


@lru_cache(maxsize=4096)
def rate_verdict(at_least: int, at_most: int, n: int, minimum: float, confidence: float) -> Verdict:
    """Exact one-sided binomial tests at 1 - confidence: `pass` by the fewest successes there can be, `fail` by the most."""
    if n == 0:
        return Verdict.INCONCLUSIVE
    if minimum <= 0.0 or shown(upper_tail(at_least, n, minimum), confidence):
        return Verdict.PASS
    if shown(lower_tail(at_most, n, minimum), confidence):
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE


def rate_decision(cases: Sequence[Bounds], minimum: float, confidence: float, did: str) -> Decision:
    """Decides whether the cases `did` what they should at a rate of at least `minimum`, and says why.

    An undecided case counts as not held for a pass and as held for a fail.
    """
    if not cases:
        return Decision(Verdict.INCONCLUSIVE, "no case measures this")
    n, held = len(cases), total(case.low for case in cases)
    verdict = rate_verdict(floor(held), ceil(total(case.high for case in cases)), n, minimum, confidence)
    undecided = n - len(decided(cases))
    known = f"{count(held)} of {counted(n, 'case')} {did}" + (f", {undecided} undecided" if undecided else "")
    if verdict is Verdict.PASS:
        return Decision(verdict, f"{known}, shown to be at least {threshold(minimum)}")
    if verdict is Verdict.FAIL:
        return Decision(verdict, f"{known}, shown to be below {threshold(minimum)}")
    measured = decided(cases)
    advice = rate_advice(total(measured), len(measured), n, minimum, confidence)
    return Decision(verdict, _why_open(cases, known, minimum, confidence), advice)


def _why_open(cases: Sequence[Bounds], known: str, minimum: float, confidence: float) -> str:
    means, n = decided(cases), len(cases)
    held = total(means)
    if minimum >= 1.0:
        return f"{known}: no number of cases can show a rate of 1.00, choose a lower minimum"
    if means and held < exact(minimum) * len(means):
        doubt = f", {n - len(means)} undecided" if len(means) < n else ""
        return f"measured below the floor ({count(held)} of {len(means)}){doubt}, not shown to be below {threshold(minimum)}"
    remedy = _remedy(held, n, minimum, confidence) if len(means) == n else ""
    return f"{known}: not enough to show at least {threshold(minimum)}{remedy}"


def _remedy(held: Fraction, n: int, minimum: float, confidence: float) -> str:
    """How large a suite with as many misses would do."""
    misses = n - floor(held)
    enough = cases_with_misses(misses, minimum, confidence)
    return f"; {enough - misses} of {enough} would" if enough else ""
