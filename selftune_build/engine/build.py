"""One invocation from targets to report: load, select, plan, sample, settle, write the locks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct

from selftune_build.agents.builtin import make_agent
from selftune_build.agents.protocol import Agent
from selftune_build.checks.execute import command_executor
from selftune_build.engine.budget import Purse
from selftune_build.engine.evidence import Evidence
from selftune_build.engine.healing import healed_entry, is_conflicted
from selftune_build.engine.left_behind import left_behind
from selftune_build.engine.load import Universe
from selftune_build.engine.locks import refuse_newer, write_lock
from selftune_build.engine.outcome import fresh_stages, lock_of, settle
from selftune_build.engine.package_run import PackageRun, failing_cases
from selftune_build.engine.plan import RowPlan, by_key, settled_inputs
from selftune_build.engine.price import price_of, refuse_or_confirm, smallest
from selftune_build.engine.ran import Ran
from selftune_build.engine.registry import Registry
from selftune_build.engine.report import broken_reports, overall_report
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.engine.runs import AgentOf, package_runs
from selftune_build.engine.summary import Settled, package_report
from selftune_build.engine.tracing import trace_address, tracer
from selftune_build.engine.wanted import wanted_packages
from selftune_build.fingerprint.keys import Inputs
from selftune_build.gates.foresight import Suite, unsettleable
from selftune_build.lock.parsing import LockReading
from selftune_build.model.lock import AgentEntry, Lock
from selftune_build.model.package import Package
from selftune_build.model.report import PackageReport, Report, Spend
from selftune_build.stages.baseline import measures_outcome
from selftune_build.store.location import find_store, open_store
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from selftune_build.store.traces import Traces


class Stores(Struct, frozen=True):
    """The parts of the store that an invocation works with."""

    samples: SampleStore
    records: RecordStore
    traces: Traces


def build(universe: Universe, request: BuildRequest, around: Surroundings) -> Report:
    """Bring the targets up to date and say what they amount to. Raises SelftuneError where nothing could be decided at all."""
    wanted = wanted_packages(universe, request)
    stores = _stores(universe, request, around)
    agents = _agents(universe, request, stores, around.registry)
    every = list(package_runs(universe, wanted, request, agents, around.registry))
    for run in every:
        refuse_newer(run.package, run.lock)
    groups = _group_by_agent(every)
    for runs in groups:
        _plan(runs, request, stores.traces)
    purse = _purse(groups, request)
    if not request.dry_run:
        _agree(groups, request, around)
    settled = [each for runs in groups for each in _build_group(runs, request, purse, around)]
    written = _write(settled, request, stores.traces) if not request.dry_run else frozenset()
    reports = [_reported(each, written) for each in settled]
    spend = Spend(
        agent_calls=purse.calls, cost_usd=str(purse.cost), reused=sum(stage.reused for each in reports for stage in each.stages)
    )
    interrupted = around.stop.is_set() and not any(each.ran.halted for each in settled)
    errors = [each.ran.store_error for each in settled if each.ran.store_error is not None]
    return overall_report([*reports, *broken_reports(universe, request)], spend, request, interrupted=interrupted, store=errors)


def _stores(universe: Universe, request: BuildRequest, around: Surroundings) -> Stores:
    """A dry run reads a store that is there and makes none."""
    root = find_store(universe.root) if request.dry_run else open_store(universe.root)
    return Stores(SampleStore(root, around.progress.waiting), RecordStore(root), Traces(root, universe.root))


def _agents(universe: Universe, request: BuildRequest, stores: Stores, registry: Registry) -> AgentOf:
    """Packages that name the same agent share it, and what was read of its samples."""
    made: dict[tuple[str, str], tuple[Agent, Evidence]] = {}

    def agent_of(name: str, package: Package, _lock: LockReading) -> tuple[Agent, Evidence]:
        model = request.model or package.manifest.model
        agent = make_agent(name, package.manifest, universe.root, model, registry.agents)
        identity = (agent.name, repr((sorted(agent.identity.items()), agent.traits, model)))
        return made.setdefault(identity, (agent, Evidence(stores.samples, stores.records, agent)))

    return agent_of


def _group_by_agent(runs: Sequence[PackageRun]) -> list[list[PackageRun]]:
    groups: dict[int, list[PackageRun]] = {}
    for run in runs:
        groups.setdefault(id(run.agent), []).append(run)
    return list(groups.values())


def _plan(runs: Sequence[PackageRun], request: BuildRequest, traces: Traces) -> None:
    for run in runs:
        run.plan(tracer(run, traces), request.resample, failing_cases(run) if request.failed else None)


def _purse(groups: Sequence[Sequence[PackageRun]], request: BuildRequest) -> Purse:
    """The tightest of the limits given on the command line and in the manifests of this invocation."""
    budgets = [run.package.manifest.budget for runs in groups for run in runs]
    costs = [Decimal(budget.max_cost_usd) for budget in budgets if budget.max_cost_usd is not None]
    cost = min([*costs, *([request.max_cost] if request.max_cost is not None else [])], default=None)
    return Purse(smallest([request.max_calls, *(budget.max_calls for budget in budgets)]), cost)


def _agree(groups: Sequence[Sequence[PackageRun]], request: BuildRequest, around: Surroundings) -> None:
    """Say what it will cost, and what no amount of money can settle, before anything is spent."""
    paid = [plan for runs in groups for run in runs if not run.agent.traits.free for plan in run.plans if plan.missing]
    calls = _samples(plan for plan in paid if not plan.spec.case.is_script)
    price = price_of(calls, [cost for runs in groups for cost in runs[0].evidence.costs])
    budgeted = any(
        run.package.manifest.budget.max_calls or run.package.manifest.budget.max_cost_usd for runs in groups for run in runs
    )
    for runs in groups:
        for run in runs:
            for sentence in _unsettled(run) if any(plan.missing for plan in run.plans) else ():
                around.progress.waiting(f"{run.package.name}: {sentence}")
    refuse_or_confirm(price, request, budgeted, around.confirm)
    total = _samples(plan for runs in groups for run in runs for plan in run.plans)
    around.progress.started(total, str(price) if price else None)


def _samples(plans: Iterable[RowPlan]) -> int:
    """How many will be taken: rows that ask the same and are staged alike share them."""
    return sum(max(plan.missing for plan in group) for group in by_key(plans).values())


def _unsettled(run: PackageRun) -> list[str]:
    suite = Suite(run.package.evals, run.package.unit_tests, measures_outcome)
    return unsettleable(suite, run.package.manifest.gates, run.package.manifest.samples.confidence)


def _build_group(runs: Sequence[PackageRun], request: BuildRequest, purse: Purse, around: Surroundings) -> list[Settled]:
    ran = Ran()
    if not request.dry_run and any(plan.missing for run in runs for plan in run.plans):
        from selftune_build.engine.running import Runner  # brings networkx, which nothing needs where nothing is stale

        try:
            ran = Runner(runs, request, purse, around, runs[0].agent.unavailable()).run()
        finally:
            around.progress.done()
    return [_settle(run, ran, request, around) for run in runs]


def _settle(run: PackageRun, ran: Ran, request: BuildRequest, around: Surroundings) -> Settled:
    execute = None if request.no_exec or request.dry_run else command_executor(run.package, cancel=around.cancel)
    outcome = settle(run, execute)
    return Settled(run, ran, outcome, fresh_stages(run, outcome), dry=request.dry_run, place=request.place)


def _reported(settled: Settled, written: Collection[str]) -> PackageReport:
    """The report of a package; of one whose lock was written also what git will not take along."""
    report = package_report(settled)
    if report.path not in written:
        return report
    return msgspec.structs.replace(report, findings=(*report.findings, *left_behind(settled.run.package)))


def _write(settled: Sequence[Settled], request: BuildRequest, traces: Traces) -> frozenset[str]:
    """Evidence is durable by now; the lock comes last. Returns the folders whose lock is another now. Raises SelftuneError."""
    written = set()
    noted: dict[str, Inputs] = {}
    by_package: dict[str, list[Settled]] = {}
    for each in settled:
        noted.update(_traces(each))
        by_package.setdefault(each.run.package.path, []).append(each)
    for group in by_package.values():
        if _may_write(group[0].run.package, request) and write_lock(group[0].run.package, _merged_lock(group)):
            written.add(group[0].run.package.path)
    traces.write(noted)
    return frozenset(written)


def _may_write(package: Package, request: BuildRequest) -> bool:
    """Only evidence of agents and models that the manifest names belongs in the lock."""
    named = set(request.agents) <= set(package.manifest.agent)
    return named and request.model in (None, package.manifest.model)


def _merged_lock(group: Sequence[Settled]) -> Lock:
    first = group[0]
    entries = _other_entries(first.run, {each.run.agent.name for each in group})
    for each in group:
        lock = lock_of(each.run, each.outcome, entries)
        entries = lock.agents
    return lock


def _other_entries(run: PackageRun, built: Collection[str]) -> dict[str, AgentEntry]:
    """The entries of the other agents that the manifest names: as they stand, of a merge row by row."""
    others = [name for name in run.package.manifest.agent if name not in built]
    if not is_conflicted(run.lock):
        found = {name: entry for lock in run.lock.locks for name, entry in lock.agents.items()}
        return {name: found[name] for name in others if name in found}
    return {name: entry for name in others if (entry := healed_entry(run, name)) is not None}


def _traces(settled: Settled) -> dict[str, Inputs]:
    rows = settled.outcome.rows
    noted: dict[str, Inputs] = {}
    for plan in settled.run.plans:
        row = rows.get(plan.spec.case.id, {}).get(plan.spec.arm.value)
        if row is not None:
            noted[trace_address(settled.run, plan.spec)] = settled_inputs(plan.spec, row.observed)
    return noted
