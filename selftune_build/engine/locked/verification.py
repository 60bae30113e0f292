"""`--locked`: whether tree and lock belong together and what follows from them. Asks nobody, executes nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from selftune_build.advice import command
from selftune_build.agents.locked import LockedAgent
from selftune_build.agents.protocol import Agent
from selftune_build.engine.beside import LOCKED, with_gates_beside
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.load import Universe
from selftune_build.engine.locked.judge import locked_judges
from selftune_build.engine.locked.problems import entry_of, locked_problems
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
from selftune_build.engine.wanted import told_packages, wanted_packages
from selftune_build.errors import PLUGIN_MISSING
from selftune_build.graph.targets import Stage
from selftune_build.limits import SHOWN_NAMES
from selftune_build.lock.parsing import LockReading
from selftune_build.model.lock import Row
from selftune_build.model.package import Package
from selftune_build.model.report import PackageReport, Problem, Reason, Report, Spend
from selftune_build.model.verdict import Verdict
from selftune_build.stages.row import RowSpec
from selftune_build.store.location import find_store
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from selftune_build.wording import listed

if TYPE_CHECKING:
    from selftune_build.engine.locked.standard import Standard
    from selftune_build.revision.revision import Revision


def check(universe: Universe, request: BuildRequest, registry: Registry = BUILTIN, standard: Standard | None = None) -> Report:
    """Judge every package that is asked for by its lock. What is said follows from tree and lock, whatever a store knows.

    `standard`: the policy of another place, under which `universe` was loaded.
    """
    reports = judged(universe, request, registry, standard)
    reports += [report for package in told_packages(universe, request) for _, report in universe.told[package.path]]
    if standard is not None and not request.targets:
        from selftune_build.engine.locked.policy_changes import dropped

        reports += dropped([*universe.names, *(broken.path for broken in universe.broken)], standard)
    spend = Spend(reused=sum(stage.reused for each in reports for stage in each.stages))
    return overall_report([*reports, *broken_reports(universe, request)], spend, request)


def judged(
    universe: Universe, request: BuildRequest, registry: Registry = BUILTIN, standard: Standard | None = None
) -> list[PackageReport]:
    """The reports of those packages that are asked for and of which nothing is told yet, in the order of the packages."""
    revision, demand = revision_of(universe.root, request), Demand(request)
    return [
        _signed_report(run, universe, request, revision, demand, standard) for run in locked_runs(universe, request, registry)
    ]


def locked_runs(universe: Universe, request: BuildRequest, registry: Registry = BUILTIN) -> Iterator[PackageRun]:
    """Every package that is asked for under each of its agents, planned by its lock alone."""
    root = find_store(universe.root)
    samples, records = SampleStore(root), RecordStore(root)
    agents, judge_of = _agents(samples, records), locked_judges(universe.root, samples, records)
    for run in package_runs(universe, wanted_packages(universe, request), request, agents, judge_of, registry):
        run.plans = [_plan(run, run.compared_by_lock(spec)) for spec in run.specs]
        yield run


def _signed_report(
    run: PackageRun,
    universe: Universe,
    request: BuildRequest,
    revision: Revision | None,
    demand: Demand,
    standard: Standard | None,
) -> PackageReport:
    report = demand.on(_report(run, universe, request, revision), run.package, run.lock, policy=standard is not None)
    report = _with_policy(report, run, standard)
    if not request.transcripts:
        return report
    from selftune_build.engine.telling.detail import without_transcripts

    return without_transcripts([report], [run], request.base)[0]


def _agents(samples: SampleStore, records: RecordStore) -> AgentOf:
    def agent_of(name: str, _package: Package, lock: LockReading) -> tuple[Agent, Evidence]:
        agent = LockedAgent(name, entry_of(lock, name) or NOBODY)
        return agent, Evidence(samples, records, agent)

    return agent_of


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
    report = with_gates_beside(known, run, outcome, universe.root, "" if request.looks else LOCKED)
    problems = (*report.problems, *locked_problems(settled, report.gates, universe, request))
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
    if entry_of(run.lock, run.agent.name) is not None:
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
