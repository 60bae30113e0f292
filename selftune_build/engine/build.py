"""One invocation from targets to report: load, select, plan, sample, settle, write the locks."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from selftune_build.checks.context import Execute
from selftune_build.checks.execute import command_executor
from selftune_build.engine.budget import Purse
from selftune_build.engine.load import Universe
from selftune_build.engine.locks import other_entries, write_lock
from selftune_build.engine.outcome import fresh_stages, lock_of, settle
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.plan import missing_samples, settled_inputs
from selftune_build.engine.planning import Stores, plan_rows, stores_at
from selftune_build.engine.price import price_of, refuse_or_confirm, smallest
from selftune_build.engine.ran import Ran
from selftune_build.engine.report import broken_reports, overall_report
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.engine.summary import Settled, package_report
from selftune_build.engine.tracing import trace_address
from selftune_build.fingerprint.keys import Inputs
from selftune_build.gates.foresight import Suite, unsettleable
from selftune_build.model.lock import Lock
from selftune_build.model.package import Package
from selftune_build.model.report import PackageReport, Report, Spend
from selftune_build.stages.baseline import measures_outcome
from selftune_build.store.location import find_store, open_store
from selftune_build.store.traces import Traces


def build(universe: Universe, request: BuildRequest, around: Surroundings) -> Report:
    """Bring the targets up to date and say what they amount to. Raises SelftuneError where nothing could be decided at all."""
    stores = _stores(universe, request, around)
    groups = plan_rows(universe, request, stores, around.registry)
    purse = _purse(groups, request)
    if not request.dry_run:
        _agree(groups, request, around)
    settled = [each for runs in groups for each in _build_group(runs, request, purse, around)]
    if not request.dry_run:
        _write(settled, request, stores.traces)
    reports: list[PackageReport] = [package_report(each) for each in settled]
    if request.transcripts:
        from selftune_build.engine.detail import with_details

        reports = with_details(reports, [each.run for each in settled], lambda run: _executor(run, request, around))
    spend = Spend(
        agent_calls=purse.calls, cost_usd=str(purse.cost), reused=sum(stage.reused for each in reports for stage in each.stages)
    )
    interrupted = around.stop.is_set() and not any(each.ran.halted for each in settled)
    errors = [each.ran.store_error for each in settled if each.ran.store_error is not None]
    return overall_report([*reports, *broken_reports(universe, request)], spend, request, interrupted=interrupted, store=errors)


def _stores(universe: Universe, request: BuildRequest, around: Surroundings) -> Stores:
    """A dry run reads a store that is there and makes none."""
    root = find_store(universe.root) if request.dry_run else open_store(universe.root)
    return stores_at(root, universe, around.progress.waiting)


def _purse(groups: Sequence[Sequence[PackageRun]], request: BuildRequest) -> Purse:
    """The tightest of the limits given on the command line and in the manifests of this invocation."""
    budgets = [run.package.manifest.budget for runs in groups for run in runs]
    costs = [Decimal(budget.max_cost_usd) for budget in budgets if budget.max_cost_usd is not None]
    cost = min([*costs, *([request.max_cost] if request.max_cost is not None else [])], default=None)
    return Purse(smallest([request.max_calls, *(budget.max_calls for budget in budgets)]), cost)


def _agree(groups: Sequence[Sequence[PackageRun]], request: BuildRequest, around: Surroundings) -> None:
    """Say what it will cost, and what no amount of money can settle, before anything is spent."""
    paid = [plan for runs in groups for run in runs if not run.agent.traits.free for plan in run.plans if plan.missing]
    calls = missing_samples(plan for plan in paid if not plan.spec.case.is_script)
    price = price_of(calls, [cost for runs in groups for cost in runs[0].evidence.costs])
    budgeted = any(
        run.package.manifest.budget.max_calls or run.package.manifest.budget.max_cost_usd for runs in groups for run in runs
    )
    for runs in groups:
        for run in runs:
            for sentence in _unsettled(run) if any(plan.missing for plan in run.plans) else ():
                around.progress.waiting(f"{run.package.name}: {sentence}")
    refuse_or_confirm(price, request, budgeted, around.confirm)
    total = missing_samples(plan for runs in groups for run in runs for plan in run.plans)
    around.progress.started(total, str(price) if price else None)


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
    outcome = settle(run, _executor(run, request, around))
    return Settled(run, ran, outcome, fresh_stages(run, outcome), request.dry_run, request.place, request.detailed)


def _executor(run: PackageRun, request: BuildRequest, around: Surroundings) -> Execute | None:
    return None if request.no_exec or request.dry_run else command_executor(run.package, cancel=around.cancel)


def _write(settled: Sequence[Settled], request: BuildRequest, traces: Traces) -> None:
    """Evidence is durable by now; the lock comes last. Raises SelftuneError."""
    noted: dict[str, Inputs] = {}
    by_package: dict[str, list[Settled]] = {}
    for each in settled:
        noted.update(_traces(each))
        by_package.setdefault(each.run.package.path, []).append(each)
    for group in by_package.values():
        if _may_write(group[0].run.package, request):
            write_lock(group[0].run.package, _merged_lock(group))
    traces.write(noted)


def _may_write(package: Package, request: BuildRequest) -> bool:
    """Only evidence of agents and models that the manifest names belongs in the lock."""
    named = set(request.agents) <= set(package.manifest.agent)
    return named and request.model in (None, package.manifest.model)


def _merged_lock(group: Sequence[Settled]) -> Lock:
    first = group[0]
    entries = other_entries(first.run.lock, first.run.agent.name, first.run.package.manifest.agent)
    for each in group:
        lock = lock_of(each.run, each.outcome, entries)
        entries = lock.agents
    return lock


def _traces(settled: Settled) -> dict[str, Inputs]:
    rows = settled.outcome.rows
    noted: dict[str, Inputs] = {}
    for plan in settled.run.plans:
        row = rows.get(plan.spec.case.id, {}).get(plan.spec.arm.value)
        if row is not None:
            noted[trace_address(settled.run, plan.spec)] = settled_inputs(plan.spec, row.observed)
    return noted
