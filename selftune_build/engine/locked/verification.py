"""`--locked`: whether tree and lock belong together and what follows from them. Asks nobody, executes nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from selftune_build.advice import command
from selftune_build.agents.builtin import declared
from selftune_build.agents.locked import LockedAgent
from selftune_build.agents.protocol import Agent
from selftune_build.engine.beside import gates_beside, with_gates_beside
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.load import Universe, spec_profile
from selftune_build.engine.locked.identity import other_identity, unknown_agent
from selftune_build.engine.locked.judge import locked_judges, other_judge
from selftune_build.engine.locked.policy import policy_digest
from selftune_build.engine.locks.files import lock_path
from selftune_build.engine.locks.healing import NOBODY
from selftune_build.engine.locks.signature import Demand
from selftune_build.engine.locks.waivers import Waived, place_of
from selftune_build.engine.outcome import decided, failures_by_lock, fresh_stages
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.past.against import revision_of, with_comparison
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.planning.plan import RowPlan, kept_row
from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.engine.report import REFUSING, broken_reports, overall_report
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.runs import AgentOf, package_runs
from selftune_build.engine.telling.advice import failed_unit_tests
from selftune_build.engine.telling.summary import Settled, package_report
from selftune_build.engine.wanted import wanted_packages
from selftune_build.errors import PLUGIN_MISSING
from selftune_build.graph.targets import Stage, address
from selftune_build.limits import SHOWN_NAMES
from selftune_build.lock.parsing import LockReading
from selftune_build.model.case import Arm
from selftune_build.model.lock import AgentEntry, Row
from selftune_build.model.manifest import Manifest
from selftune_build.model.package import Package
from selftune_build.model.repeated import Repeated
from selftune_build.model.report import PackageReport, Problem, Reason, Report, Spend
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.revision.revision import Revision
from selftune_build.stages.row import RowSpec
from selftune_build.store.location import find_store
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from selftune_build.wording import listed

if TYPE_CHECKING:
    from selftune_build.engine.locked.standard import Standard

_STAGES = {Arm.WITHOUT_SKILL.value: Stage.BASELINE, Arm.SCRIPT.value: Stage.UNIT_TESTS}
"""Where a row of a case stands that is there no more; else under `replay`."""
_BUILD = ""
"""The fix of what another build of the package mends: becomes its command."""


def check(universe: Universe, request: BuildRequest, registry: Registry = BUILTIN, standard: Standard | None = None) -> Report:
    """Judge every package that is asked for by its lock. What is said follows from tree and lock, whatever a store knows.

    `standard`: the policy of another place, under which `universe` was loaded.
    """
    runs, revision = locked_runs(universe, request, registry), revision_of(universe.root, request)
    demand = Demand(request)
    judged = ((run, _report(run, universe, request, revision)) for run in runs)
    signed = ((run, demand.on(report, run.package, run.lock, policy=standard is not None)) for run, report in judged)
    reports = [_with_policy(report, run, standard) for run, report in signed]
    if standard is not None and not request.targets:
        from selftune_build.engine.locked.policy_changes import dropped

        reports += dropped([*universe.names, *(broken.path for broken in universe.broken)], standard)
    if request.transcripts:
        from selftune_build.engine.telling.detail import without_transcripts

        reports = without_transcripts(reports, runs, request.base)
    spend = Spend(reused=sum(stage.reused for each in reports for stage in each.stages))
    return overall_report([*reports, *broken_reports(universe, request)], spend, request)


def locked_runs(universe: Universe, request: BuildRequest, registry: Registry = BUILTIN) -> list[PackageRun]:
    """Every package that is asked for under each of its agents, planned by its lock alone."""
    root = find_store(universe.root)
    samples, records = SampleStore(root), RecordStore(root)
    agents, judge_of = _agents(samples, records), locked_judges(universe.root, samples, records)
    runs = list(package_runs(universe, wanted_packages(universe, request), request, agents, judge_of, registry))
    for run in runs:
        run.plans = [_plan(run, run.compared_by_lock(spec)) for spec in run.specs]
    return runs


def _agents(samples: SampleStore, records: RecordStore) -> AgentOf:
    def agent_of(name: str, _package: Package, lock: LockReading) -> tuple[Agent, Evidence]:
        agent = LockedAgent(name, _entry(lock, name) or NOBODY)
        return agent, Evidence(samples, records, agent)

    return agent_of


def _entry(lock: LockReading, agent: str) -> AgentEntry | None:
    return next((side.agents[agent] for side in lock.locks if agent in side.agents), None)


def _report(run: PackageRun, universe: Universe, request: BuildRequest, revision: Revision | None) -> PackageReport:
    rows: dict[str, dict[str, Row]] = {}
    for plan in run.plans:
        if plan.row is not None:
            rows.setdefault(plan.spec.case.id, {})[plan.spec.arm.value] = plan.row
    failures = (failure for plan in run.plans if plan.row is not None for failure in failures_by_lock(plan, plan.row))
    outcome = decided(run, rows, failures)
    run.plans = [_unless_accepted(plan, outcome.accepted) for plan in run.plans]
    several = request.compares(run.package.manifest.agent)
    fresh = fresh_stages(run, outcome)
    settled = Settled(run, Ran(), outcome, fresh, True, request.repeated, request.detailed, several, request.verbose)
    known = with_comparison(_without_entry(package_report(settled), run), run, rows, revision, request.against or "")
    report = with_gates_beside(known, run, outcome, universe.root, "nobody looked: --locked executes nothing")
    found = [_with_fix(problem, run, request.repeated) for problem in _problems(settled, report.gates, universe, request)]
    problems = (*report.problems, *found)
    verdict = Verdict.FAIL if any(problem.code in REFUSING for problem in problems) else report.verdict
    return msgspec.structs.replace(report, problems=problems, verdict=verdict, next_command=_next(problems, report, request))


def _unless_accepted(plan: RowPlan, taken: Waived) -> RowPlan:
    """A row that a human accepted as it is lacks nothing."""
    return msgspec.structs.replace(plan, missing=0, reasons=()) if place_of(plan.spec) in taken.rows else plan


def _with_policy(report: PackageReport, run: PackageRun, standard: Standard | None) -> PackageReport:
    if standard is None or Stage.VERIFY not in run.stages:
        return report
    from selftune_build.engine.locked.policy_changes import policy_changes

    found = policy_changes(run.package, standard, run.registry)
    verdict = Verdict.FAIL if found.problems else report.verdict
    problems, findings = (*report.problems, *found.problems), (*report.findings, *found.findings)
    return msgspec.structs.replace(report, problems=problems, findings=findings, verdict=verdict)


def _without_entry(report: PackageReport, run: PackageRun) -> PackageReport:
    """Where the lock knows nothing of the agent there is no evidence whose origin could be told."""
    if _entry(run.lock, run.agent.name) is not None:
        return report
    left = tuple(problem for problem in report.problems if problem.code == PLUGIN_MISSING)
    return msgspec.structs.replace(report, origin="", problems=left)


def _next(problems: Iterable[Problem], report: PackageReport, request: BuildRequest) -> str | None:
    failed = next((target for _, target in failed_unit_tests(report)), None)
    if failed is not None:
        return command("show", failed, place=request.repeated)
    fixes = (problem.fix for problem in problems if problem.fix)
    return next((fix for fix in fixes if fix.startswith("selftune ")), report.next_command)


def _plan(run: PackageRun, spec: RowSpec) -> RowPlan:
    kept = kept_row(spec, run.lock.locks, run.agent.name)
    if kept is not None and kept.n >= spec.needed:
        return RowPlan(spec, row=kept)
    short = spec.needed - (kept.n if kept is not None else 0)
    return RowPlan(spec, row=kept, missing=short, reasons=(_reason(run, spec, kept),))


def _reason(run: PackageRun, spec: RowSpec, kept: Row | None) -> Reason:
    if kept is not None:
        return Reason("n-too-small", "samples", f"the lock has {kept.n} of {spec.needed} samples")
    sides = (side.agents[run.agent.name] for side in run.lock.locks if run.agent.name in side.agents)
    row = next((row for side in sides if (row := side.cases.get(spec.case.id, {}).get(spec.arm)) is not None), None)
    if row is None:
        return Reason("case-missing", "evidence", "the lock has no evidence for this case")
    seen = f", what it observed ({listed(row.observed, SHOWN_NAMES)})" if row.observed else ""
    return Reason("key-changed", "key", f"the case{seen} or how it is judged is not what was measured")


def _problems(settled: Settled, gates: Iterable[GateResult], universe: Universe, request: BuildRequest) -> Iterator[Problem]:
    run = settled.run
    whole = Stage.VERIFY in run.stages
    yield from _unbelievable(run, request)
    if run.lock.locks and whole:
        yield from _changed(run)
    if run.lock.locks and _entry(run.lock, run.agent.name) is None:
        if not any(problem.agent == run.agent.name for problem in run.lock.problems):
            unknown = unknown_agent(run, universe.root)
            yield unknown or _problem(run, "agent-changed", f"the lock has no evidence of the agent {run.agent.name!r}")
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
    if all(side.policy != policy_digest(_declared(run)) for side in run.lock.locks):
        yield _problem(run, "policy-changed", "gates, samples or policy are not those that the lock was written under")


def _declared(run: PackageRun) -> Manifest:
    """What a lock is written under: the package's own settings, whoever's it is judged by."""
    return run.package.declared or run.package.manifest


def _row_problems(run: PackageRun) -> Iterator[Problem]:
    tampered = {(found.case, found.arm) for found in run.lock.problems if found.agent == run.agent.name}
    for plan in run.plans:
        spec = plan.spec
        if not plan.missing or not run.wants(spec) or (spec.case.id, spec.arm) in tampered:
            continue
        (reason,) = plan.reasons
        origin = spec.case.origin
        path, line = (origin.at.path, origin.at.line) if origin is not None else (_lock_file(run), None)
        yield Problem(reason.code, plan.address, f"{spec.arm.value}: {reason.message}", path, line, _BUILD)


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
    waived = settled.outcome.accepted.rows
    open_rows = any(plan.row is None and place_of(plan.spec) not in waived for plan in run.plans)
    if len(run.lock.locks) != 1 or open_rows or [*_changed(run)]:
        return
    entry, declared = _entry(run.lock, run.agent.name) or NOBODY, _declared(run)
    same = declared is run.package.manifest
    outcome = settled.outcome if same else decided(run, settled.outcome.rows, manifest=declared)
    gates = [gate for gate in outcome.gates if gate.id != "spec" or spec_profile(declared) == spec_profile(run.package.manifest)]
    supplied = [gate for gate in gates if not gate.code]
    unknown = {gate.id for gate in outcome.gates} - {gate.id for gate in supplied} | {gate.id for gate in gates_beside(run)}
    noted = {name: verdict for name, verdict in entry.gates.items() if name not in unknown}
    if noted != {gate.id: gate.verdict.value for gate in supplied}:
        yield _problem(run, "lock-tampered", "the verdicts in the lock do not follow from its rows")


def _other_waivers(run: PackageRun) -> Iterator[Problem]:
    """What a lock of today's tree says was accepted has to be what its manifest accepts, whoever's policy it is judged by."""
    accepted = set(_declared(run).accepted)
    for side in run.lock.locks:
        if side.tree == run.package.tree_digest and set(side.accepted) != accepted:
            yield _problem(run, "lock-tampered", "what the lock calls accepted is not what the manifest accepts")


def _gate_problems(run: PackageRun, gates: Iterable[GateResult]) -> Iterator[Problem]:
    for gate in gates:
        if gate.required and gate.verdict is Verdict.FAIL:
            yield _problem(run, "gate-failed", f"{gate.id}: {gate.message}", fix=None)


def _problem(
    run: PackageRun, code: str, message: str, case: str | None = None, arm: str | None = None, fix: str | None = _BUILD
) -> Problem:
    """About the lock as a whole, or about one of its rows."""
    target = run.package.handle if case is None else address(run.package.handle, _stage(run, case, arm or ""), case)
    return Problem(code, target, message, _lock_file(run), fix=fix)


def _stage(run: PackageRun, case: str, arm: str) -> Stage:
    return run.stage_of.get((case, arm)) or _STAGES.get(arm, Stage.REPLAY)


def _lock_file(run: PackageRun) -> str:
    path = lock_path(run.package)
    return path.name if run.package.path == "." else f"{run.package.path}/{path.name}"


def _with_fix(problem: Problem, run: PackageRun, place: Repeated) -> Problem:
    if problem.fix != _BUILD:
        return problem
    return msgspec.structs.replace(problem, fix=command("build", run.package.handle, place=place))
