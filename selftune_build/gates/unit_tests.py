"""The unit-tests gate: no statistics, every single one has to hold."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.gates.wording import named
from selftune_build.model.verdict import Verdict
from selftune_build.stats.bounds import UNDECIDED, Bounds
from selftune_build.stats.decision import Decision
from selftune_build.wording import counted

MAJORITY = Fraction(1, 2)


def unit_test_verdict(case: CaseOutcome) -> Verdict:
    """Whether one unit test holds: a script in all of its samples, an agent case in more than half of them.

    An agent case that also says whether the skill should trigger has to do both.
    """
    stated = [bounds for bounds in (case.passed, case.behaved) if bounds is not None] or [UNDECIDED]
    if any(_failed(bounds, case.is_script) for bounds in stated):
        return Verdict.FAIL
    return Verdict.PASS if all(_held(bounds, case.is_script) for bounds in stated) else Verdict.INCONCLUSIVE


def unit_tests_decision(cases: Sequence[CaseOutcome]) -> Decision:
    """`fail` names the unit tests that do not hold, `inconclusive` those that nobody knows about."""
    verdicts = {case.id: unit_test_verdict(case) for case in cases}
    failed = [name for name, verdict in verdicts.items() if verdict is Verdict.FAIL]
    if failed:
        return Decision(Verdict.FAIL, f"{len(failed)} of {counted(len(cases), 'unit test')} failed: {named(failed)}")
    missing = [case.id for case in cases if case.missing]
    unknown = [name for name, verdict in verdicts.items() if verdict is Verdict.INCONCLUSIVE and name not in missing]
    gaps = [f"no evidence for {named(missing)}"] if missing else []
    gaps += [f"not decided: {named(unknown)}"] if unknown else []
    if gaps or not cases:
        return Decision(Verdict.INCONCLUSIVE, "; ".join(gaps) or "no case measures this")
    return Decision(Verdict.PASS, f"{len(cases)} of {counted(len(cases), 'unit test')} held")


def _held(bounds: Bounds, is_script: bool) -> bool:
    return bounds.low == 1 if is_script else bounds.low > MAJORITY


def _failed(bounds: Bounds, is_script: bool) -> bool:
    return bounds.high < 1 if is_script else bounds.high <= MAJORITY
