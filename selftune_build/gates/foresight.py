"""What can be said about gates before and between samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from selftune_build.gates.builtin import LIFT_MINIMUM, RATE_MINIMUM, minimum_of
from selftune_build.gates.facts import (
    Facts,
    behaviour,
    gather,
    lift_cases,
    pairs,
    passes,
    recall_cases,
    specificity_cases,
    task_cases,
)
from selftune_build.gates.outcomes import Left, Rows
from selftune_build.gates.unit_tests import unit_test_verdict
from selftune_build.model.case import Case, Check
from selftune_build.model.manifest import GateSetting
from selftune_build.model.verdict import Verdict
from selftune_build.stats.bounds import Bounds, exactly
from selftune_build.stats.decision import threshold
from selftune_build.stats.lift import Pair, lift_verdict
from selftune_build.stats.power import can_settle, can_settle_lift, cases_needed, lift_cases_needed
from selftune_build.stats.rate import rate_decision
from selftune_build.wording import counted

RATES: dict[str, Callable[[Facts], list[Bounds]]] = {
    "trigger-recall": lambda facts: behaviour(recall_cases(facts)),
    "trigger-specificity": lambda facts: behaviour(specificity_cases(facts)),
    "task-pass-rate": lambda facts: passes(task_cases(facts)),
}


class Suite(Struct, frozen=True):
    """The cases of a package, and which of their checks judge the outcome."""

    evals: tuple[Case, ...]
    unit_tests: tuple[Case, ...]
    is_outcome: Callable[[Check], bool]


def unsettleable(suite: Suite, settings: Mapping[str, GateSetting], confidence: float) -> list[str]:
    """One sentence for each gate that this suite cannot pass whatever it measures, with the number of cases that would do."""
    return unsettleable_of(gather(suite.evals, suite.unit_tests, {}, suite.is_outcome), settings, confidence)


def unsettleable_of(facts: Facts, settings: Mapping[str, GateSetting], confidence: float) -> list[str]:
    """As `unsettleable`, of a suite whose facts are known: how many cases measure a thing does not depend on their rows."""
    sentences = [_rate_limit(name, len(select(facts)), settings.get(name), confidence) for name, select in RATES.items()]
    sentences.append(_lift_limit(len(lift_cases(facts)), settings.get("lift"), confidence))
    return [sentence for sentence in sentences if sentence]


def still_open(
    suite: Suite, settings: Mapping[str, GateSetting], confidence: float, rows: Rows, left: Left, required: Sequence[str]
) -> bool:
    """Whether the samples left could still make each of the `required` gates pass, as far as this can be told.

    Gates that the suite could not pass even if all of it held do not count, nor do gates that samples do not decide:
    both were known before the first sample, and stopping for them would measure nothing at all.
    """
    facts = gather(suite.evals, suite.unit_tests, rows, suite.is_outcome, left=left)
    return all(_open(name, facts, settings.get(name) or GateSetting(), confidence) for name in required)


def _open(name: str, facts: Facts, setting: GateSetting, confidence: float) -> bool:
    if name == "unit-tests":
        return all(unit_test_verdict(case) is not Verdict.FAIL for case in facts.unit_tests)
    if name in RATES:
        return _rate_open(RATES[name](facts), minimum_of(setting, RATE_MINIMUM), confidence)
    if name == "lift":
        return _lift_open(pairs(lift_cases(facts)), minimum_of(setting, LIFT_MINIMUM), confidence)
    return True


def _rate_open(cases: list[Bounds], minimum: float, confidence: float) -> bool:
    if not can_settle(len(cases), minimum, confidence):
        return True
    best = [exactly(case.high) for case in cases]
    return rate_decision(best, minimum, confidence, "").verdict is Verdict.PASS


def _lift_open(cases: list[Pair], minimum: float, confidence: float) -> bool:
    if not can_settle_lift(len(cases), minimum, confidence):
        return True
    best = [Pair(exactly(case.with_skill.high), exactly(case.without_skill.low)) for case in cases]
    return lift_verdict(best, minimum, confidence) is Verdict.PASS


def _rate_limit(name: str, n: int, setting: GateSetting | None, confidence: float) -> str | None:
    minimum = minimum_of(setting or GateSetting(), RATE_MINIMUM)
    if not _concerned(n, setting) or can_settle(n, minimum, confidence):
        return None
    return _limit(name, n, f"a rate of at least {threshold(minimum)}", cases_needed(minimum, confidence))


def _lift_limit(n: int, setting: GateSetting | None, confidence: float) -> str | None:
    minimum = minimum_of(setting or GateSetting(), LIFT_MINIMUM)
    if not _concerned(n, setting) or can_settle_lift(n, minimum, confidence):
        return None
    return _limit("lift", n, f"a lift above {threshold(minimum)}", lift_cases_needed(minimum, confidence))


def _concerned(n: int, setting: GateSetting | None) -> bool:
    return n > 0 if setting is None else setting.enabled


def _limit(name: str, n: int, claim: str, needed: int | None) -> str:
    remedy = f"{needed} would do" if needed else "no number of cases can, choose a lower minimum"
    return f"{name} cannot be settled: {counted(n, 'case')} cannot show {claim}; {remedy}"
