"""The gates that decide from rows and findings alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from selftune_build.gates.facts import (
    Facts,
    Look,
    behaviour,
    lift_cases,
    pairs,
    passes,
    recall_cases,
    specificity_cases,
    task_cases,
)
from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.gates.unit_tests import unit_tests_decision
from selftune_build.gates.wording import plain, without_evidence
from selftune_build.model.case import Arm
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.manifest import GateSetting
from selftune_build.model.verdict import Verdict
from selftune_build.stats.bounds import Bounds
from selftune_build.stats.decision import Decision
from selftune_build.stats.lift import lift_decision
from selftune_build.stats.rate import rate_decision
from selftune_build.wording import counted

RATE_MINIMUM = 0.5
LIFT_MINIMUM = 0.0

Judge = Callable[[Facts, GateSetting, float], Decision | None]
"""Facts, setting and confidence to a decision; None where the package has nothing that this gate measures."""


class Gate(Struct, frozen=True):
    """A gate: its id, how it decides, and what holds while no manifest names it."""

    id: str
    judge: Judge
    required: bool = True
    """Whether it decides about the package although no manifest names it."""
    asked: bool = False
    """Whether it runs only where a manifest names it."""
    summary: str = ""
    quiet: bool = False
    """Whether a pass of it is told only where a manifest names it."""
    options: tuple[str, ...] = ()
    """What may stand under `options:` of its entry in a manifest."""
    against: tuple[str, ...] = ()
    """Revisions: `Facts.against` compares with the first that is there. `REV...` is where REV and HEAD parted, as git has it; the
    option `revision` names another one. Such a gate is asked once, at the end, and its verdict stands in no lock."""
    look: Callable[[str, GateSetting], Look] | None = None
    """Looks at the folder of the package, which it must not change, and may start programs; what it returns is `Facts.look`. Its
    gate is asked once, at the end, the verdict stands in no lock, and under `--locked`, `--dry-run`, `--overlay` nobody looks."""

    @property
    def beside(self) -> bool:
        """Whether it decides from more than tree and evidence, so that no lock may hold its verdict."""
        return bool(self.against) or self.look is not None


def minimum_of(setting: GateSetting, default: float) -> float:
    """The minimum that a manifest sets, else the default."""
    return default if setting.min is None else float(setting.min)


def spec(facts: Facts, setting: GateSetting, confidence: float) -> Decision:
    """`fail` if a rule of the specification found an error, else `pass`."""
    return _without_errors(facts.findings)


def security(facts: Facts, setting: GateSetting, confidence: float) -> Decision:
    """`fail` if something in the files is dangerous and nobody accepted it, else `pass`."""
    return _without_errors(facts.security)


def unit_tests(facts: Facts, setting: GateSetting, confidence: float) -> Decision | None:
    """All unit tests hold; `min` and confidence play no part."""
    return unit_tests_decision(facts.unit_tests) if facts.unit_tests else None


def trigger_recall(facts: Facts, setting: GateSetting, confidence: float) -> Decision | None:
    """The skill triggers where cases say that it should."""
    cases = recall_cases(facts)
    return _rate(cases, behaviour(cases), setting, confidence, "triggered")


def trigger_specificity(facts: Facts, setting: GateSetting, confidence: float) -> Decision | None:
    """The skill stays away where cases say that it should."""
    cases = specificity_cases(facts)
    return _rate(cases, behaviour(cases), setting, confidence, "did not trigger")


def task_pass_rate(facts: Facts, setting: GateSetting, confidence: float) -> Decision | None:
    """All checks of a case hold with the skill staged."""
    cases = task_cases(facts)
    return _rate(cases, passes(cases), setting, confidence, "passed")


def lift(facts: Facts, setting: GateSetting, confidence: float) -> Decision | None:
    """The same cases do better with the skill than without."""
    cases = lift_cases(facts)
    if not cases:
        return None
    decision = lift_decision(pairs(cases), minimum_of(setting, LIFT_MINIMUM), confidence)
    return _with_gaps(decision, without_evidence(cases, Arm.WITH_SKILL, Arm.WITHOUT_SKILL))


BUILTIN: tuple[Gate, ...] = (
    Gate("spec", spec),
    Gate("security", security, quiet=True),
    Gate("unit-tests", unit_tests),
    Gate("trigger-recall", trigger_recall),
    Gate("trigger-specificity", trigger_specificity),
    Gate("task-pass-rate", task_pass_rate),
    Gate("lift", lift, required=False),
)
GATES: Mapping[str, Gate] = {gate.id: gate for gate in BUILTIN}
REGRESSION = "regression"
"""Decided only against a revision (`--against`), so never in a lock, and nothing is missing where it is not asked for."""
REVISION = "revision"
"""The option that names what a gate compares with."""
RESERVED = frozenset({*GATES, REGRESSION})
"""Ids that no plugin may supply."""


def _without_errors(findings: Sequence[Finding]) -> Decision:
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        return Decision(Verdict.FAIL, plain(f"{counted(len(errors), 'error')}, first: {_place(errors[0])}{errors[0].message}"))
    return Decision(Verdict.PASS, "no errors" + (f", {counted(len(findings), 'finding')}" if findings else ""))


def _rate(cases: list[CaseOutcome], means: list[Bounds], setting: GateSetting, confidence: float, did: str) -> Decision | None:
    if not cases:
        return None
    decision = rate_decision(means, minimum_of(setting, RATE_MINIMUM), confidence, did)
    return _with_gaps(decision, without_evidence(cases, Arm.WITH_SKILL))


def _with_gaps(decision: Decision, gaps: str) -> Decision:
    return Decision(decision.verdict, decision.message + gaps, decision.advice)


def _place(finding: Finding) -> str:
    if finding.at is None:
        return ""
    return f"{finding.at.path}:{finding.at.line}: " if finding.at.line else f"{finding.at.path}: "
