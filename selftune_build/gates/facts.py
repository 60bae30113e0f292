"""Everything a gate may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from selftune_build.gates.outcomes import NONE_LEFT, CaseOutcome, Left, Rows, outcomes
from selftune_build.model.case import Case, Check
from selftune_build.model.finding import Finding
from selftune_build.model.statistics import Against
from selftune_build.stats.bounds import Bounds
from selftune_build.stats.lift import Pair


class Look(Struct, frozen=True):
    """What a gate saw in the files of a package, and by which program; `trouble` says why it could not look."""

    by: str = ""
    findings: tuple[Finding, ...] = ()
    """Their places are relative to the package."""
    trouble: str = ""
    advice: str = ""
    """What to do about the trouble: a command, where there is one."""


class Facts(Struct, frozen=True):
    """The outcomes and findings of one package under one agent."""

    evals: tuple[CaseOutcome, ...] = ()
    """Agent cases of the eval files."""
    unit_tests: tuple[CaseOutcome, ...] = ()
    """Cases of the unit tests, and script cases wherever they were declared."""
    findings: tuple[Finding, ...] = ()
    security: tuple[Finding, ...] = ()
    """What the gate `security` decides from; nothing that was accepted."""
    against: Against | None = None
    """The same cases in the lock of a revision; only for a gate that names revisions under `Gate.against`."""
    look: Look | None = None
    """What `Gate.look` returned; only for a gate that has one."""


def gather(
    evals: Sequence[Case],
    unit_tests: Sequence[Case],
    rows: Rows,
    is_outcome: Callable[[Check], bool],
    *,
    findings: Iterable[Finding] = (),
    security: Iterable[Finding] = (),
    left: Left = NONE_LEFT,
) -> Facts:
    """Reads the rows of one agent once, for all gates. `is_outcome` and `left` as for `outcomes`."""
    scripts = [case for case in evals if case.is_script]
    agent_cases = [case for case in evals if not case.is_script]
    return Facts(
        outcomes(agent_cases, rows, is_outcome, left),
        outcomes([*unit_tests, *scripts], rows, lambda check: False, left),  # nobody asks a unit test without the skill
        tuple(findings),
        tuple(security),
    )


def measures_anything(facts: Facts) -> bool:
    """Whether some case can be measured at all: a prompt without polarity and checks cannot."""
    return bool(facts.unit_tests) or any(case.behaved or case.passed for case in facts.evals)


def recall_cases(facts: Facts) -> list[CaseOutcome]:
    """Cases that say the skill should trigger."""
    return [case for case in facts.evals if case.should_trigger is True]


def specificity_cases(facts: Facts) -> list[CaseOutcome]:
    """Cases that say the skill should not trigger."""
    return [case for case in facts.evals if case.should_trigger is False]


def task_cases(facts: Facts) -> list[CaseOutcome]:
    """Cases with at least one check."""
    return [case for case in facts.evals if case.passed is not None]


def lift_cases(facts: Facts) -> list[CaseOutcome]:
    """Cases with at least one check on the outcome."""
    return [case for case in facts.evals if case.passed is not None and case.baseline is not None]


def behaviour(cases: Iterable[CaseOutcome]) -> list[Bounds]:
    """The trigger means of cases that have one."""
    return [case.behaved for case in cases if case.behaved is not None]


def passes(cases: Iterable[CaseOutcome]) -> list[Bounds]:
    """The task means of cases that have one."""
    return [case.passed for case in cases if case.passed is not None]


def pairs(cases: Iterable[CaseOutcome]) -> list[Pair]:
    """The means with and without the skill of cases that have both."""
    return [Pair(case.passed, case.baseline) for case in cases if case.passed is not None and case.baseline is not None]
