"""One row of an audit: what is locked beside what came out anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from selftune_build.checks.registry import FAMILIES
from selftune_build.engine.judging.evidence import evidence_digest
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.planning.plan import RowPlan
from selftune_build.model.audit import AuditedRow, Claim, Kind
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.stages.row import RowSpec

if TYPE_CHECKING:
    from selftune_build.engine.auditing.draw import Pair

_BY_THE_CLOCK = frozenset({"max-seconds"})
"""Kinds of checks that hold or not by how fast the machine is."""


def counts(row: Row, spec: RowSpec) -> dict[Kind, int]:
    """What a row says of how its samples came out, each count turned so that more of it speaks for the package."""
    found: dict[Kind, int] = {}
    if spec.polarity is not None and row.triggered is not UNSET:
        found[Kind.TRIGGERED] = row.triggered if spec.polarity else row.n - row.triggered
    if spec.checks and row.passed is not UNSET:
        without = spec.arm is Arm.WITHOUT_SKILL
        found[Kind.WITHOUT if without else Kind.PASSED] = row.n - row.passed if without else row.passed
    return found


def planned_row(pair: Pair) -> AuditedRow:
    """The row with every count as if it came out anew as it is locked."""
    locked, spec = pair.candidate.row, pair.plan.spec
    return replace(_about(pair), fresh_n=locked.n, claims=tuple(_claims(locked, locked, spec, pair.fresh)))


def audited_row(pair: Pair, fresh: Row | None, ran: Ran) -> AuditedRow:
    """The row with every count of the lock beside that of the fresh side, or with the reason why that is not whole."""
    locked, plan, run = pair.candidate.row, pair.plan, pair.fresh
    about = replace(_about(pair), fresh_n=fresh.n if fresh is not None else 0)
    if fresh is None or fresh.n < locked.n:
        return replace(about, missing=_trouble(ran, plan) or f"{about.fresh_n} of {locked.n} fresh samples are there")
    if counts(locked, plan.spec).keys() - counts(fresh, plan.spec).keys():
        return replace(about, missing=_trouble(ran, plan) or "what it counts could not be measured here")
    repeats = _repeats(plan.spec, run)
    if repeats and any(sample.transcript.limit for sample in run.evidence.counted(plan.spec).samples):
        return replace(about, missing="a sample reached its time limit here, which says more of this machine than of the lock")
    claims = tuple(_claims(locked, fresh, plan.spec, run))
    if fresh.n != locked.n and any(claim.block for claim in claims):
        return replace(about, missing=f"there are {fresh.n} fresh samples beside {locked.n}, and they count together only")
    note = "the answer is another than the one behind the lock" if repeats and fresh.evidence != locked.evidence else ""
    return replace(about, claims=claims, note=note)


def served_otherwise(pairs: Iterable[Pair]) -> tuple[str, ...]:
    """Where the samples behind the lock are in the ordinary store: models that served them, where others serve now."""
    found: dict[str, None] = {}
    for pair in pairs:
        behind = pair.candidate.run.evidence.counted(pair.plan.spec).samples
        if evidence_digest(behind) != pair.candidate.row.evidence:
            continue
        samples = pair.fresh.evidence.counted(pair.plan.spec).samples
        then, now = ({sample.transcript.reply.model for sample in side} - {None} for side in (behind, samples))
        if then and now - then:
            names = ", ".join(sorted(map(str, now))), ", ".join(sorted(map(str, then)))
            found[f"{pair.fresh.agent.name} is served by {names[0]} now, and was by {names[1]} when the lock was made"] = None
    return tuple(found)


def _about(pair: Pair) -> AuditedRow:
    spec = pair.plan.spec
    return AuditedRow(pair.plan.address, pair.fresh.agent.name, spec.arm.value, pair.candidate.row.n)


def _claims(locked: Row, fresh: Row, spec: RowSpec, run: PackageRun) -> Iterator[Claim]:
    anew = counts(fresh, spec)
    for kind, count in counts(locked, spec).items():
        exact = _repeats(spec, run) and (kind is Kind.TRIGGERED or _judged_alike(spec, run))
        block = kind is not Kind.TRIGGERED and not exact and _hangs_together(spec, run)
        yield Claim(kind, locked.n, count, fresh.n, anew[kind], exact, block)


def _repeats(spec: RowSpec, run: PackageRun) -> bool:
    """Whether who answers gives the same answer each time."""
    return spec.arm is Arm.SCRIPT or run.agent.traits.deterministic


def _judged_alike(spec: RowSpec, run: PackageRun) -> bool:
    """Whether the same answer is judged the same each time; of what a plugin does nobody knows."""
    known = all(check.kind in FAMILIES and check.kind not in _BY_THE_CLOCK for check in spec.checks)
    return known and (spec.judge is None or _judge_repeats(run))


def _hangs_together(spec: RowSpec, run: PackageRun) -> bool:
    """Whether the samples of a side share a chance: equal answers, equal votes on them, answers that they are compared with."""
    return _repeats(spec, run) or spec.compares or (spec.judge is not None and not _judge_repeats(run))


def _judge_repeats(run: PackageRun) -> bool:
    return run.judge is not None and run.judge.agent.traits.deterministic


def _trouble(ran: Ran, plan: RowPlan) -> str:
    asked = [ran.question_of(plan), *ran.rulings.get(plan.spec.place, ())]
    troubles = (question.trouble for question in asked if question is not None and question.trouble is not None)
    return next((trouble.message for trouble in troubles if trouble.message), "")
