"""The outcome of one invocation, as every renderer gets it (DESIGN 8.4)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from selftune_build.model.detail import PackageDetail
from selftune_build.model.finding import Finding
from selftune_build.model.reason import Reason as Reason
from selftune_build.model.remote import RemoteReport
from selftune_build.model.repeated import Repeated
from selftune_build.model.statistics import NOTHING, Statistics
from selftune_build.model.verdict import GateResult, Metric, Verdict


class TargetState(StrEnum):
    """Where a target stands when the invocation ends."""

    UP_TO_DATE = "up-to-date"
    BUILT = "built"
    STALE = "stale"
    FAILED = "failed"
    BLOCKED = "blocked"
    SKIPPED = "skipped"


class StageReport(Struct, frozen=True):
    """One target: what was run, what was reused and why."""

    target: str
    state: TargetState
    run: int = 0
    reused: int = 0
    reasons: tuple[Reason, ...] = ()
    cases: tuple[str, ...] = ()
    """Ids of the cases that were, or in a plan would be, run."""


class Problem(Struct, frozen=True):
    """Something that stands in the way of a pass; `fix` is the command or edit to make."""

    code: str
    target: str
    message: str
    path: str | None = None
    line: int | None = None
    fix: str | None = None
    pointer: str | None = None
    """JSON pointer (RFC 6901) into the file, where it has one."""


class Failure(Struct, frozen=True):
    """One check that did not hold: in how many of the samples, and the evidence line of the first."""

    target: str
    check: str
    evidence: str
    failed: int
    n: int
    measured: bool = True
    """False where not one sample is known to fail it: nobody could tell."""


class Agreement(Struct, frozen=True):
    """How far the votes of a judge agreed on one check of one row: of all its votes those on the side of the majority."""

    target: str
    arm: str
    check: str
    rulings: int
    """Samples on which the check was decided."""
    votes: int
    agreeing: int


class RowState(StrEnum):
    """What the samples of one row amount to; without the skill nothing has to hold, so such a row is never `failed`."""

    HELD = "held"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """A check was not measured, or the agent does not tell which skills it used."""
    MISSING = "missing"
    """There is no evidence of today."""


class RowReport(Struct, frozen=True):
    """One case under one arm, in counts of samples; None where a count is not known."""

    target: str
    case: str
    arm: str
    state: RowState
    n: int
    triggered: int | None
    passed: int | None
    should_trigger: bool | None
    path: str | None = None
    line: int | None = None
    accepted: str = ""
    """The reason for which a human has accepted it as it is; the state is that which was measured all the same."""


class Accepted(Struct, frozen=True):
    """What a human has accepted in the manifest, with the reason given there: a finding, or a row as it is."""

    target: str
    key: str
    reason: str
    finding: Finding | None = None
    """None where it is a row."""


class Spend(Struct, frozen=True):
    """Calls made in this invocation, every attempt counted; `cost_usd` is a decimal string."""

    agent_calls: int = 0
    judge_calls: int = 0
    cost_usd: str = "0"
    reused: int = 0
    left_calls: int = 0
    """Calls that the plan still has and the budget did not allow."""
    left_usd: str | None = None
    """About what they cost, a decimal string; None where that is not known."""


class Overlay(Struct, frozen=True):
    """A patch that was laid over the tree: nothing but the store was written."""

    name: str
    """As it was typed, `-` for stdin."""
    digest: str
    """Of what the files become, however the patch is written."""
    files: tuple[tuple[str, str], ...]
    """Workspace-relative path, and `changed`, `added` or `removed`; in the order of the patch."""
    candidate: str = ""
    """Digest of the candidate that it is; empty for a plain patch."""


class PackageReport(Struct, frozen=True):
    """One package under one agent."""

    name: str
    path: str
    agent: str
    origin: str
    verdict: Verdict
    stages: tuple[StageReport, ...] = ()
    metrics: dict[str, Metric] = {}
    gates: tuple[GateResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()
    failures: tuple[Failure, ...] = ()
    rows: tuple[RowReport, ...] = ()
    """Every row of the stages that were asked for; only in a detailed report and where several agents are compared."""
    next_command: str | None = None
    remark: str = ""
    """What the agent says of all its evidence, `Traits.remark`."""
    judge: str = ""
    """Name of the judge, empty without one."""
    agreements: tuple[Agreement, ...] = ()
    """Of the rows that were judged in this invocation."""
    statistics: Statistics = NOTHING
    accepted: tuple[Accepted, ...] = ()
    switched_off: dict[str, str] = {}
    """Gates that the manifest turns off, each with the reason it gives."""
    detail: PackageDetail | None = None
    """Only for a format that shows transcripts."""


class Report(Struct, frozen=True):
    """One invocation: the verdict over all packages, the money spent, the exit status."""

    verdict: Verdict
    exit_code: int
    spend: Spend
    packages: tuple[PackageReport, ...] = ()
    mode: str = "build"
    """`build`, `locked` or `dry-run`."""
    place: Repeated = Repeated()
    """For the commands to type next."""
    prefix: str = ""
    """What leads from the root of the repository to the workspace, with a slash at its end; empty where they are one."""
    remote: RemoteReport | None = None
    """None where no remote is named, or there was nothing to ask it for."""
    overlay: Overlay | None = None
