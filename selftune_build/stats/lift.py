"""The lift gate: do the same cases do better with the skill than without it?"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from msgspec import Struct

from selftune_build.model.verdict import Verdict
from selftune_build.stats.bounds import Bounds, total
from selftune_build.stats.decision import Decision, exact, threshold
from selftune_build.stats.level import shown
from selftune_build.stats.paired import above, below, lower_end, upper_end
from selftune_build.stats.power import lift_cases_needed
from selftune_build.stats.remedy import lift_advice, no_lift_advice
from selftune_build.wording import counted


class Pair(Struct, frozen=True):
    """The means of one case with and without the skill."""

    with_skill: Bounds
    without_skill: Bounds

    @property
    def decided(self) -> bool:
        """Whether both means are known."""
        return self.with_skill.decided and self.without_skill.decided

    @property
    def least(self) -> Fraction:
        """The smallest difference that the bounds allow."""
        return self.with_skill.low - self.without_skill.high

    @property
    def most(self) -> Fraction:
        """The largest difference that the bounds allow."""
        return self.with_skill.high - self.without_skill.low


def cautious_counts(pairs: Sequence[Pair]) -> tuple[int, int]:
    """Better and worse cases for showing a lift: gains rounded down, losses up. Together never more than there are cases."""
    return floor(total(max(p.least, Fraction(0)) for p in pairs)), ceil(total(max(-p.least, Fraction(0)) for p in pairs))


def generous_counts(pairs: Sequence[Pair]) -> tuple[int, int]:
    """Better and worse cases for showing that there is no lift: gains rounded up, losses down."""
    return ceil(total(max(p.most, Fraction(0)) for p in pairs)), floor(total(max(-p.most, Fraction(0)) for p in pairs))


def lift_interval(pairs: Sequence[Pair], confidence: float) -> tuple[float, float]:
    """Every lift that the gate at this confidence would neither pass nor fail: its tests, inverted; one-sided at each end."""
    n = len(pairs)
    return lower_end(*cautious_counts(pairs), n, confidence), upper_end(*generous_counts(pairs), n, confidence)


def measured_lift(pairs: Sequence[Pair]) -> Fraction | None:
    """Mean difference of the decided cases; None where there is none."""
    differences = [pair.least for pair in pairs if pair.decided]
    return total(differences) / len(differences) if differences else None


def lift_verdict(pairs: Sequence[Pair], minimum: float, confidence: float) -> Verdict:
    """Exact paired tests at 1 - confidence: `pass` if the lift is shown to exceed `minimum`, `fail` if to stay below."""
    n = len(pairs)
    if n == 0:
        return Verdict.INCONCLUSIVE
    if shown(above(*cautious_counts(pairs), n, minimum), confidence):
        return Verdict.PASS
    if shown(below(*generous_counts(pairs), n, minimum), confidence):
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE


def lift_decision(pairs: Sequence[Pair], minimum: float, confidence: float) -> Decision:
    """Decides whether the skill lifts these cases by more than `minimum`, and says why."""
    if not pairs:
        return Decision(Verdict.INCONCLUSIVE, "no case measures this")
    verdict = lift_verdict(pairs, minimum, confidence)
    known = _known(pairs)
    if verdict is Verdict.PASS:
        return Decision(verdict, f"{known}, shown to be above {threshold(minimum)}")
    if verdict is Verdict.FAIL:
        return Decision(verdict, f"{known}, shown to be below {threshold(minimum)}")
    return Decision(verdict, f"{known}: {_why_open(pairs, minimum, confidence)}", _advice(pairs, minimum, confidence))


def _advice(pairs: Sequence[Pair], minimum: float, confidence: float) -> str:
    lift, decided = measured_lift(pairs), sum(pair.decided for pair in pairs)
    if decided == len(pairs) and lift is not None and lift < exact(minimum) < 1:
        return no_lift_advice()
    return lift_advice(*cautious_counts(pairs), len(pairs), decided, minimum, confidence)


def _known(pairs: Sequence[Pair]) -> str:
    lift = measured_lift(pairs)
    differences = [pair.least for pair in pairs if pair.decided]
    better, worse = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    undecided = len(pairs) - len(differences)
    shares = f"{better} better, {worse} worse" + (f", {undecided} undecided" if undecided else "")
    return f"lift {'unknown' if lift is None else f'{float(lift):+.2f}'} on {counted(len(pairs), 'case')} ({shares})"


def _why_open(pairs: Sequence[Pair], minimum: float, confidence: float) -> str:
    if minimum >= 1.0:
        return "no number of cases can show a lift above 1.00, choose a lower minimum"
    lift = measured_lift(pairs)
    if lift is not None and lift < exact(minimum):
        return f"measured below the floor of {threshold(minimum)}, not shown to be below it"
    needed = lift_cases_needed(minimum, confidence)
    remedy = f"; it takes {needed} cases that all do better" if needed and needed > len(pairs) else ""
    return f"not enough to show a lift above {threshold(minimum)}{remedy}"
