"""From settled rows to what a package amounts to: its lock, its gates, its part of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import UNSET, Struct
from msgspec.structs import replace

from selftune_build.checks.context import Execute
from selftune_build.engine.judging.comparing import with_baseline
from selftune_build.engine.judging.evidence import evidence_digest
from selftune_build.engine.judging.remarks import Remarks, remarks_on
from selftune_build.engine.judging.row import Judgement, judge_row
from selftune_build.engine.locks.waivers import NOTHING, Waived, accepted, emptied, left_to_decide, with_waived
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import RowPlan, answered, larger
from selftune_build.gates.decide import chosen, decide, disabled, overall
from selftune_build.gates.facts import Facts, gather, measures_anything
from selftune_build.gates.metrics import metrics
from selftune_build.graph.targets import Stage, address
from selftune_build.model.case import Arm
from selftune_build.model.lock import AgentEntry, JudgeEntry, Lock, Row
from selftune_build.model.manifest import Manifest
from selftune_build.model.report import Agreement, Failure
from selftune_build.model.verdict import GateResult, Metric, Verdict
from selftune_build.stages.row import RowSpec

Rows = dict[str, dict[str, Row]]
BY_LOCK = "the lock says so; no sample was looked at here"


class Outcome(Struct, frozen=True):
    """What a package amounts to under one agent."""

    rows: Rows
    facts: Facts
    gates: tuple[GateResult, ...]
    metrics: dict[str, Metric]
    failures: tuple[Failure, ...]
    verdict: Verdict
    remarks: Remarks = {}
    """What is known of the samples behind its rows."""
    agreements: tuple[Agreement, ...] = ()
    accepted: Waived = NOTHING
    """Rows that a human accepted as they are."""
    emptied: tuple[GateResult, ...] = ()
    """Gates that have nothing left to decide by that: told, and in no lock."""


def settle(run: PackageRun, execute: Execute | None) -> Outcome:
    """Judge what was sampled, keep what holds, and let the gates decide."""
    rows, judged = judge_plans(run, execute)
    failures = [failure for plan, judgement in judged if _reported(plan) for failure in judgement.failures]
    agreements = tuple(agreement for _, judgement in judged for agreement in judgement.agreements)
    return replace(decided(run, rows, failures), remarks=remarks_on(run, judged), agreements=agreements)


def judge_plans(run: PackageRun, execute: Execute | None) -> tuple[Rows, list[tuple[RowPlan, Judgement]]]:
    """Every row there is evidence for as it stands now; first those without the skill, since others are compared with them."""
    rows: Rows = {}
    judged: dict[int, tuple[RowPlan, Judgement]] = {}
    order = sorted(range(len(run.plans)), key=lambda position: run.plans[position].spec.arm is not Arm.WITHOUT_SKILL)
    for position in order:
        plan = run.plans[position]
        judgement = _judge_plan(plan, run, execute, rows)
        if judgement is not None:
            rows.setdefault(plan.spec.case.id, {})[plan.spec.arm.value] = judgement.row
            judged[position] = (plan, judgement)
    return rows, [judged[position] for position in sorted(judged)]


def settled_spec(spec: RowSpec, rows: Rows) -> RowSpec:
    """The row as it is judged beside these rows: with what lies behind the answers that it is compared with."""
    base = rows.get(spec.case.id, {}).get(Arm.WITHOUT_SKILL.value)
    return with_baseline(spec, base.evidence if base is not None else "")


def decided(run: PackageRun, rows: Rows, failures: Iterable[Failure] = (), manifest: Manifest | None = None) -> Outcome:
    """The gates and metrics over these rows, by the settings of the package's manifest or of the one that is given.

    Samples that are missing count as whatever they would have brought: an error of the machinery can make a verdict
    inconclusive, never another one.
    """
    package, manifest = run.package, manifest or run.package.manifest
    found, risks, still = package.findings, run.security.counted, _missing(run, rows)
    facts = gather(package.evals, package.unit_tests, rows, run.measures_outcome, findings=found, security=risks, left=still)
    taken = accepted(run.specs, rows, manifest.accepted)
    supplied = chosen(manifest.gates, run.registry.gates)
    left = left_to_decide(facts, taken)
    gates = with_waived(decide(left, manifest.gates, manifest.samples.confidence, supplied), facts, left)
    waived = taken.targets(run.specs)
    return Outcome(
        rows=rows,
        facts=facts,
        gates=tuple(gates),
        metrics=metrics(facts, manifest.samples.confidence),
        failures=tuple(failure for failure in failures if failure.target not in waived),
        verdict=overall(gates, measures_anything(facts)),
        accepted=taken,
        emptied=emptied(gates, facts, left, disabled(manifest.gates)),
    )


def _missing(run: PackageRun, rows: Rows) -> dict[str, dict[str, int]]:
    """Case → arm → samples that a row lacks of those that every case gets, however many this invocation asks for."""
    least, missing = run.package.manifest.samples.min, dict[str, dict[str, int]]()
    for spec in run.specs:
        row = rows.get(spec.case.id, {}).get(spec.arm)
        if row is not None and row.n < min(spec.needed, least):
            missing.setdefault(spec.case.id, {})[spec.arm.value] = min(spec.needed, least) - row.n
    return missing


def _judge_plan(plan: RowPlan, run: PackageRun, execute: Execute | None, rows: Rows) -> Judgement | None:
    """The row of a plan as it stands now, None where there is no evidence."""
    counted = plan.counted
    if not plan.settled:
        counted = run.evidence.counted(plan.spec)
    kept = larger(plan.row, counted)
    if kept is not None:
        return Judgement(kept, _failures_of_kept(plan, kept, run, execute))
    if not answered(counted):
        return None
    return judge_row(settled_spec(plan.spec, rows), counted, execute, run.registry.checks, run.bench(plan.spec))


def _reported(plan: RowPlan) -> bool:
    """Without the skill a check is meant to fail."""
    return plan.spec.arm is not Arm.WITHOUT_SKILL


def _failures_of_kept(plan: RowPlan, row: Row, run: PackageRun, execute: Execute | None) -> tuple[Failure, ...]:
    """What failed behind a row of the lock: from the samples, where this store has them."""
    spec = plan.spec
    if not failures_by_lock(plan, row):
        return ()
    counted = run.evidence.counted(spec)
    if evidence_digest(counted.samples) == row.evidence:
        judged = judge_row(spec, counted, execute, run.registry.checks, run.bench(spec))
        if spec.judge is None or judged.row.passed == row.passed:  # else votes are not in this store
            return judged.failures
    return failures_by_lock(plan, row)


def failures_by_lock(plan: RowPlan, row: Row) -> tuple[Failure, ...]:
    """What the counts of a row say did not hold, where its samples are not at hand."""
    spec = plan.spec
    target = address(spec.package.handle, spec.stage, spec.case.id)
    failures = []
    if _reported(plan) and spec.checks and row.passed != row.n:
        failed = row.n - (0 if row.passed is UNSET else row.passed)
        failures.append(Failure(target, "checks", BY_LOCK, failed, row.n))
    wrong = _triggered_wrongly(plan, row)
    if wrong:
        failures.append(Failure(target, "should trigger" if spec.polarity else "should not trigger", BY_LOCK, wrong, row.n))
    return tuple(failures)


def _triggered_wrongly(plan: RowPlan, row: Row) -> int:
    """In how many samples, as far as the agent told."""
    if plan.spec.polarity is None or row.triggered is UNSET:
        return 0
    return row.n - row.triggered if plan.spec.polarity else row.triggered


def fresh_stages(run: PackageRun, outcome: Outcome) -> frozenset[Stage]:
    """The free stages whose result the lock already has."""
    for before in run.lock.locks:
        after = lock_of(run, outcome, {})
        entry, now = before.agents.get(run.agent.name), after.agents[run.agent.name]
        if entry is None:
            return frozenset()
        same = {
            Stage.SPEC: before.tree == after.tree,
            Stage.EVALS: before.tree == after.tree or _keys(entry.cases) == _keys(now.cases),
            Stage.PACKAGE_EVALUATION: entry.cases == now.cases,
            Stage.VERIFY: entry.cases == now.cases and entry.gates == now.gates and before.policy == after.policy,
        }
        return frozenset(stage for stage, is_same in same.items() if is_same)
    return frozenset()


def _keys(cases: Mapping[str, Mapping[str, Row]]) -> dict[str, dict[str, str]]:
    return {case: {arm: row.key for arm, row in arms.items()} for case, arms in cases.items()}


def lock_of(run: PackageRun, outcome: Outcome, others: Mapping[str, AgentEntry]) -> Lock:
    """The lock as it should stand: this agent's rows and verdicts, what the other agents of the manifest have, and what a
    newer release wrote into it that this one does not know."""
    before = next(iter(run.lock.locks), None)
    known = before.agents.get(run.agent.name) if before is not None else None
    entry = AgentEntry(
        identity=run.agent.identity,
        origin=run.agent.traits.origin.value,
        cases=outcome.rows,
        gates={gate.id: gate.verdict.value for gate in outcome.gates},
        judge=_judge_entry(run, outcome.rows, known.judge if known is not None else None),
        extra=known.extra if known is not None else {},
    )
    lock = Lock(
        package=run.package.name,
        tree=run.package.tree_digest,
        policy=run.policy,
        agents={**others, run.agent.name: entry},
        surface=tuple(run.security.surface),
        accepted=(run.package.declared or run.package.manifest).accepted,
    )
    if before is None:
        return lock
    return replace(lock, revision=before.revision, extra=before.extra, package_extra=before.package_extra)


def _judge_entry(run: PackageRun, rows: Rows, known: JudgeEntry | None) -> JudgeEntry | None:
    """Who ruled on rows that are there; None where none of them needs a judge."""
    judged = any(spec.judge is not None and spec.arm.value in rows.get(spec.case.id, {}) for spec in run.specs)
    if run.judge is None or not judged:
        return None
    agent = run.judge.agent
    return JudgeEntry(agent.name, agent.identity, agent.traits.origin.value, known.extra if known is not None else {})


def required_gates(gates: Sequence[GateResult]) -> list[str]:
    """Ids of the gates that decide."""
    return [gate.id for gate in gates if gate.required]
