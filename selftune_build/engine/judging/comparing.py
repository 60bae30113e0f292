"""Rows that are compared with the row without the skill: what lies behind that one is part of how they are judged (ADR 0028)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from selftune_build.engine.judging.evidence import Evidence, evidence_digest
from selftune_build.engine.planning.plan import RowPlan
from selftune_build.model.case import Arm
from selftune_build.stages.row import RowSpec


class PlanOne(Protocol):
    """Decides one row."""

    def __call__(self, spec: RowSpec, *, anew: bool = False) -> RowPlan:
        """`anew`: whatever the lock says of it."""


def with_baseline(spec: RowSpec, evidence: str) -> RowSpec:
    """The row, compared with the samples behind this digest where it compares at all."""
    return replace(spec, baseline=evidence) if spec.compares and spec.baseline != evidence else spec


def plan_rows(specs: Sequence[RowSpec], plan: PlanOne, evidence: Evidence) -> list[RowPlan]:
    """The plan of every row, in their order. Where a comparison is due and the answers without the skill are not in this
    store, their row is not kept: it takes new ones."""
    without = {spec.case.id: plan(spec) for spec in specs if spec.arm is Arm.WITHOUT_SKILL}
    plans: list[RowPlan] = []
    for spec in specs:
        base = without.get(spec.case.id)
        if base is None or not spec.compares:
            plans.append(base if base is not None and spec.arm is Arm.WITHOUT_SKILL else plan(spec))
            continue
        planned = plan(with_baseline(spec, _behind(base)))
        if (planned.row is None or planned.missing) and not _at_hand(base, evidence):
            base = without[spec.case.id] = plan(base.spec, anew=True)
            planned = replace(planned, spec=with_baseline(spec, _behind(base)))
        plans.append(planned)
    return [without[each.spec.case.id] if each.spec.arm is Arm.WITHOUT_SKILL else each for each in plans]


def _behind(plan: RowPlan) -> str:
    """The evidence that the row will have; empty where it is still to be taken."""
    if plan.missing:
        return ""
    return plan.row.evidence if plan.row is not None else evidence_digest(plan.counted.samples)


def _at_hand(plan: RowPlan, evidence: Evidence) -> bool:
    return plan.row is None or evidence_digest(evidence.counted(plan.spec).samples) == plan.row.evidence
