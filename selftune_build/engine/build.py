"""One invocation from targets to report: load, select, plan, sample, settle, write the locks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from selftune_build.checks.execute import command_executor
from selftune_build.engine.budget import Purse, Purses, tightest
from selftune_build.engine.load import Universe
from selftune_build.engine.lock_signature import signature_dropped
from selftune_build.engine.locks import other_entries, write_lock
from selftune_build.engine.outcome import fresh_stages, lock_of, settle, settled_spec
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.plan import judge_calls, missing_samples, settled_inputs
from selftune_build.engine.planning import Stores, plan_rows, stores_at
from selftune_build.engine.price import Price, price_of, refuse_or_confirm, together
from selftune_build.engine.ran import Ran
from selftune_build.engine.report import broken_reports, overall_report
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.engine.summary import Settled, package_report
from selftune_build.engine.tracing import trace_address
from selftune_build.fingerprint.keys import Inputs
from selftune_build.gates.foresight import Suite, unsettleable
from selftune_build.lock.signatures import with_signatures
from selftune_build.model.lock import Lock
from selftune_build.model.package import Package
from selftune_build.model.report import PackageReport, Report, Spend
from selftune_build.store.location import find_store, open_store
from selftune_build.store.traces import Traces


def build(universe: Universe, request: BuildRequest, around: Surroundings) -> Report:
    """Bring the targets up to date and say what they amount to. Raises SelftuneError where nothing could be decided at all."""
    stores = _stores(universe, request, around)
    groups = plan_rows(universe, request, stores, around.registry)
    purses = Purses.of(_purse(groups, request))
    if not request.dry_run:
        _agree(groups, request, around)
    settled = [each for runs in groups for each in _build_group(runs, request, purses, around)]
    unsigned = _write(settled, request, stores.traces) if not request.dry_run else frozenset()
    reports: list[PackageReport] = [_reported(each, unsigned) for each in settled]
    spend = Spend(
        agent_calls=purses.agents.calls,
        judge_calls=purses.judges.calls,
        cost_usd=str(purses.whole.cost),
        reused=sum(stage.reused for each in reports for stage in each.stages),
    )
    interrupted = around.stop.is_set() and not any(each.ran.halted for each in settled)
    errors = [each.ran.store_error for each in settled if each.ran.store_error is not None]
    return overall_report([*reports, *broken_reports(universe, request)], spend, request, interrupted=interrupted, store=errors)


def _stores(universe: Universe, request: BuildRequest, around: Surroundings) -> Stores:
    """A dry run reads a store that is there and makes none."""
    root = find_store(universe.root) if request.dry_run else open_store(universe.root)
    return stores_at(root, universe, around.progress.waiting)


def _purse(groups: Sequence[Sequence[PackageRun]], request: BuildRequest) -> Purse:
    return tightest((run.package.manifest.budget for runs in groups for run in runs), request.max_calls, request.max_cost)


def _agree(groups: Sequence[Sequence[PackageRun]], request: BuildRequest, around: Surroundings) -> None:
    """Say what it will cost, and what no amount of money can settle, before anything is spent."""
    paid = [plan for runs in groups for run in runs if not run.agent.traits.free for plan in run.plans if plan.missing]
    calls = missing_samples(plan for plan in paid if not plan.spec.case.is_script)
    price = together(price_of(calls, [cost for runs in groups for cost in runs[0].evidence.costs]), _price_of_judges(groups))
    budgeted = any(
        run.package.manifest.budget.max_calls or run.package.manifest.budget.max_cost_usd for runs in groups for run in runs
    )
    for runs in groups:
        for run in runs:
            for sentence in _unsettled(run) if any(not plan.settled for plan in run.plans) else ():
                around.progress.waiting(f"{run.package.name}: {sentence}")
    refuse_or_confirm(price, request, budgeted, around.confirm)
    plans = [plan for runs in groups for run in runs for plan in run.plans]
    total = missing_samples(plans) + judge_calls(plans)
    around.progress.started(total, str(price) if price else None)


def _price_of_judges(groups: Sequence[Sequence[PackageRun]]) -> Price | None:
    paid = [run for runs in groups for run in runs if run.judge is not None and not run.judge.agent.traits.free]
    opinions = {id(run.judge.opinions): run.judge.opinions for run in paid if run.judge is not None}
    return price_of(
        judge_calls(plan for run in paid for plan in run.plans), [cost for each in opinions.values() for cost in each.costs]
    )


def _unsettled(run: PackageRun) -> list[str]:
    suite = Suite(run.package.evals, run.package.unit_tests, run.measures_outcome)
    return unsettleable(suite, run.package.manifest.gates, run.package.manifest.samples.confidence)


def _build_group(runs: Sequence[PackageRun], request: BuildRequest, purses: Purses, around: Surroundings) -> list[Settled]:
    ran = Ran()
    if not request.dry_run and any(not plan.settled for run in runs for plan in run.plans):
        from selftune_build.engine.running import Runner  # brings networkx, which nothing needs where nothing is stale

        try:
            ran = Runner(runs, request, purses, around).run()
        finally:
            around.progress.done()
    return [_settle(run, ran, request, around) for run in runs]


def _settle(run: PackageRun, ran: Ran, request: BuildRequest, around: Surroundings) -> Settled:
    execute = None if request.no_exec or request.dry_run else command_executor(run.package, cancel=around.cancel)
    outcome = settle(run, execute)
    return Settled(run, ran, outcome, fresh_stages(run, outcome), request.dry_run, request.place, request.detailed)


def _reported(settled: Settled, unsigned: Collection[str]) -> PackageReport:
    report = package_report(settled)
    if report.path not in unsigned:
        return report
    return msgspec.structs.replace(report, findings=(*report.findings, signature_dropped(settled.run.package)))


def _write(settled: Sequence[Settled], request: BuildRequest, traces: Traces) -> frozenset[str]:
    """Evidence is durable by now; the lock comes last. Returns the folders whose lock is signed no more. Raises SelftuneError."""
    unsigned: set[str] = set()
    noted: dict[str, Inputs] = {}
    by_package: dict[str, list[Settled]] = {}
    for each in settled:
        noted.update(_traces(each))
        by_package.setdefault(each.run.package.path, []).append(each)
    for group in by_package.values():
        if _may_write(group[0].run.package, request):
            before, lock = group[0].run.lock, _merged_lock(group)
            write_lock(group[0].run.package, lock)
            if any(side.signatures.keys() - lock.signatures.keys() for side in before.locks):
                unsigned.add(group[0].run.package.path)
    traces.write(noted)
    return frozenset(unsigned)


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
    return with_signatures(lock, first.run.lock.locks)


def _traces(settled: Settled) -> dict[str, Inputs]:
    rows = settled.outcome.rows
    noted: dict[str, Inputs] = {}
    for plan in settled.run.plans:
        row = rows.get(plan.spec.case.id, {}).get(plan.spec.arm.value)
        if row is not None:
            noted[trace_address(settled.run, plan.spec)] = settled_inputs(settled_spec(plan.spec, rows), row.observed)
    return noted
