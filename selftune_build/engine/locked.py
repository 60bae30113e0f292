"""`--locked`: whether tree and lock belong together and what follows from them. Asks nobody, executes nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from selftune_build.agents.builtin import declared
from selftune_build.agents.locked import LockedAgent
from selftune_build.agents.protocol import Agent
from selftune_build.engine.advice import command
from selftune_build.engine.evidence import Evidence
from selftune_build.engine.load import Universe
from selftune_build.engine.lock_signature import required_keys, vouched_for
from selftune_build.engine.locked_identity import other_identity
from selftune_build.engine.locked_judge import locked_judges, other_judge
from selftune_build.engine.locks import lock_path
from selftune_build.engine.outcome import decided, failures_by_lock, fresh_stages
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.plan import RowPlan, Trace, changes_since, kept_row
from selftune_build.engine.policy import policy_digest
from selftune_build.engine.ran import Ran
from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.engine.report import REFUSING, broken_reports, overall_report
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.runs import AgentOf, package_runs
from selftune_build.engine.summary import Settled, package_report
from selftune_build.engine.tracing import tracer
from selftune_build.engine.wanted import wanted_packages
from selftune_build.errors import PLUGIN_FAILED, PLUGIN_MISSING
from selftune_build.graph.targets import Stage, address
from selftune_build.lock.parsing import LockReading
from selftune_build.model.case import Arm
from selftune_build.model.lock import AgentEntry, Row
from selftune_build.model.package import Package
from selftune_build.model.report import PackageReport, Problem, Reason, Report, Spend
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.stages.row import RowSpec
from selftune_build.store.location import find_store
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from selftune_build.store.traces import Traces

NOBODY = AgentEntry(identity={}, origin="live")
"""Stands for an entry that the lock does not have."""
_STAGES = {Arm.WITHOUT_SKILL.value: Stage.BASELINE, Arm.SCRIPT.value: Stage.UNIT_TESTS}
"""Where a row of a case stands that is there no more; else under `replay`."""


def check(universe: Universe, request: BuildRequest, registry: Registry = BUILTIN) -> Report:
    """Judge every package that is asked for by its lock. What the store knows is used for explanations only."""
    root = find_store(universe.root)
    traces, records = Traces(root, universe.root), RecordStore(root)
    samples = SampleStore(root)
    agents, judge_of = _agents(samples, records), locked_judges(universe.root, samples, records)
    runs = list(package_runs(universe, wanted_packages(universe, request), request, agents, judge_of, registry))
    keys = required_keys(request)
    reports = [vouched_for(_report(run, tracer(run, traces), universe, request), run, keys) for run in runs]
    spend = Spend(reused=sum(stage.reused for each in reports for stage in each.stages))
    return overall_report([*reports, *broken_reports(universe, request)], spend, request)


def _agents(samples: SampleStore, records: RecordStore) -> AgentOf:
    def agent_of(name: str, _package: Package, lock: LockReading) -> tuple[Agent, Evidence]:
        agent = LockedAgent(name, _entry(lock, name) or NOBODY)
        return agent, Evidence(samples, records, agent)

    return agent_of


def _entry(lock: LockReading, agent: str) -> AgentEntry | None:
    return next((side.agents[agent] for side in lock.locks if agent in side.agents), None)


def _report(run: PackageRun, trace: Trace, universe: Universe, request: BuildRequest) -> PackageReport:
    run.plans = [_plan(run, run.compared_by_lock(spec), trace) for spec in run.specs]
    rows: dict[str, dict[str, Row]] = {}
    for plan in run.plans:
        if plan.row is not None:
            rows.setdefault(plan.spec.case.id, {})[plan.spec.arm.value] = plan.row
    failures = (failure for plan in run.plans if plan.row is not None for failure in failures_by_lock(plan, plan.row))
    outcome = decided(run, rows, failures)
    settled = Settled(run, Ran(), outcome, fresh_stages(run, outcome), True, request.place, request.detailed)
    report = _without_entry(package_report(settled), run)
    problems = (*report.problems, *_problems(settled, report.gates, universe, request))
    refused = any(problem.code in REFUSING for problem in problems)
    verdict = Verdict.FAIL if refused else report.verdict
    return msgspec.structs.replace(report, problems=problems, verdict=verdict, next_command=_next(problems, report))


def _without_entry(report: PackageReport, run: PackageRun) -> PackageReport:
    """Where the lock knows nothing of the agent there is no evidence whose origin could be told."""
    if _entry(run.lock, run.agent.name) is not None:
        return report
    return msgspec.structs.replace(report, origin="", problems=())


def _next(problems: Iterable[Problem], report: PackageReport) -> str | None:
    fixes = (problem.fix for problem in problems if problem.fix)
    return next((fix for fix in fixes if fix.startswith("selftune ")), report.next_command)


def _plan(run: PackageRun, spec: RowSpec, trace: Trace) -> RowPlan:
    kept = kept_row(spec, run.lock.locks, run.agent.name)
    if kept is not None and kept.n >= spec.needed:
        return RowPlan(spec, row=kept)
    short = spec.needed - (kept.n if kept is not None else 0)
    return RowPlan(spec, row=kept, missing=short, reasons=_reasons(run, spec, kept, trace))


def _reasons(run: PackageRun, spec: RowSpec, kept: Row | None, trace: Trace) -> tuple[Reason, ...]:
    if kept is not None:
        return (Reason("n-too-small", "samples", f"the lock has {kept.n} of {spec.needed} samples"),)
    if not _has_row(run, spec.case.id, spec.arm.value):
        return (Reason("case-missing", "evidence", "the lock has no evidence for this case"),)
    known = changes_since(spec, trace, run.evidence)
    return known or (Reason("key-changed", "key", "the case, what it observed or how it is judged is not what was measured"),)


def _has_row(run: PackageRun, case: str, arm: str) -> bool:
    sides = (side.agents[run.agent.name] for side in run.lock.locks if run.agent.name in side.agents)
    return any(arm in side.cases.get(case, {}) for side in sides)


def _problems(settled: Settled, gates: Iterable[GateResult], universe: Universe, request: BuildRequest) -> Iterator[Problem]:
    run = settled.run
    whole = Stage.VERIFY in run.stages
    yield from _unbelievable(run, request)
    if run.lock.locks and whole:
        yield from _changed(run)
    if run.lock.locks and _entry(run.lock, run.agent.name) is None:
        if not any(problem.agent == run.agent.name for problem in run.lock.problems):
            yield _problem(run, "agent-changed", f"the lock has no evidence of the agent {run.agent.name!r}")
    elif run.lock.locks:
        known = declared(run.agent.name, run.package.manifest, universe.root, run.asking.model)
        origin = run.agent.traits.origin.value
        other = other_identity(f"the agent {run.agent.name!r}", run.agent.identity, origin, known)
        yield from (_problem(run, "agent-changed", message) for message in other)
        judged = (_entry(run.lock, run.agent.name) or NOBODY).judge
        yield from (_problem(run, "agent-changed", message) for message in other_judge(run, judged, universe.root))
        yield from _row_problems(run)
        if whole:
            yield from _extra(run)
            yield from _other_verdicts(settled)
            yield from _other_waivers(run)
    yield from _gate_problems(run, gates)


def _unbelievable(run: PackageRun, request: BuildRequest) -> Iterator[Problem]:
    """What the reader of the lock found, without what is said of another agent that is judged here as well."""
    judged = {*(request.agents or run.package.manifest.agent)} - {run.agent.name}
    told = [problem for problem in run.lock.problems if problem.agent not in judged]
    for found in told:
        fix = "use the release of selftune-build that wrote it" if found.code == "lock-from-the-future" else ""
        yield _problem(run, found.code, found.message, found.case, found.arm, fix)


def _changed(run: PackageRun) -> Iterator[Problem]:
    """A lock of today's tree and policy, on any side of a merge."""
    if all(side.tree != run.package.tree_digest for side in run.lock.locks):
        yield _problem(run, "tree-changed", "the files of the package are not those that the lock was written for")
    if all(side.policy != policy_digest(run.package.manifest) for side in run.lock.locks):
        yield _problem(run, "policy-changed", "gates, samples or policy are not those that the lock was written under")


def _row_problems(run: PackageRun) -> Iterator[Problem]:
    tampered = {(found.case, found.arm) for found in run.lock.problems if found.agent == run.agent.name}
    for plan in run.plans:
        spec = plan.spec
        if not plan.missing or not run.wants(spec) or (spec.case.id, spec.arm) in tampered:
            continue
        first = plan.reasons[0]
        code = first.code if first.code in ("n-too-small", "case-missing") else "key-changed"
        origin = spec.case.origin
        path, line = (origin.at.path, origin.at.line) if origin is not None else (_lock_file(run), None)
        message = "; ".join(reason.message for reason in plan.reasons)
        yield Problem(code, plan.address, f"{spec.arm.value}: {message}", path, line, _fix(run))


def _extra(run: PackageRun) -> Iterator[Problem]:
    wanted = {(spec.case.id, spec.arm.value) for spec in run.specs}
    for side in run.lock.locks:
        for case, arms in side.agents.get(run.agent.name, NOBODY).cases.items():
            extra = [arm for arm in arms if (case, arm) not in wanted]
            if extra:
                yield _problem(run, "case-extra", "the lock has evidence for a case that is not there", case, extra[0])


def _other_verdicts(settled: Settled) -> Iterator[Problem]:
    """Of a lock of today's rows, tree and policy the verdicts have to be today's, too."""
    run = settled.run
    if len(run.lock.locks) != 1 or any(plan.row is None for plan in run.plans) or [*_changed(run)]:
        return
    entry = _entry(run.lock, run.agent.name) or NOBODY
    supplied = [gate for gate in settled.outcome.gates if not gate.message.startswith((PLUGIN_MISSING, PLUGIN_FAILED))]
    unknown = {gate.id for gate in settled.outcome.gates} - {gate.id for gate in supplied}
    noted = {name: verdict for name, verdict in entry.gates.items() if name not in unknown}
    if noted != {gate.id: gate.verdict.value for gate in supplied}:
        yield _problem(run, "lock-tampered", "the verdicts in the lock do not follow from its rows")


def _other_waivers(run: PackageRun) -> Iterator[Problem]:
    """What a lock of today's tree says was accepted has to be what the manifest accepts; revision 1 did not say."""
    accepted = set(run.package.manifest.accepted)
    for side in run.lock.locks:
        if side.tree == run.package.tree_digest and side.revision > 1 and set(side.accepted) != accepted:
            yield _problem(run, "lock-tampered", "what the lock calls accepted is not what the manifest accepts")


def _gate_problems(run: PackageRun, gates: Iterable[GateResult]) -> Iterator[Problem]:
    for gate in gates:
        if gate.required and gate.verdict is Verdict.FAIL:
            yield _problem(run, "gate-failed", f"{gate.id}: {gate.message}", fix=None)
        if gate.required and gate.message.startswith(PLUGIN_MISSING):
            yield _problem(run, PLUGIN_MISSING, f"no installed plugin supplies the gate {gate.id!r}", fix=None)


def _problem(
    run: PackageRun, code: str, message: str, case: str | None = None, arm: str | None = None, fix: str | None = ""
) -> Problem:
    """About the lock as a whole, or about one of its rows."""
    stages = {(spec.case.id, spec.arm.value): spec.stage for spec in run.specs}
    stage = stages.get((case or "", arm or "")) or _STAGES.get(arm or "", Stage.REPLAY)
    target = run.package.handle if case is None else address(run.package.handle, stage, case)
    return Problem(code, target, message, _lock_file(run), fix=_fix(run) if fix == "" else fix)


def _lock_file(run: PackageRun) -> str:
    path = lock_path(run.package)
    return path.name if run.package.path == "." else f"{run.package.path}/{path.name}"


def _fix(run: PackageRun) -> str:
    return command("build", run.package.handle)
