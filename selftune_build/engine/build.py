"""One invocation from targets to report: load, select, plan, sample, settle, write the locks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from selftune_build.checks.context import Execute
from selftune_build.checks.execute import command_executor
from selftune_build.engine.beside import with_gates_beside
from selftune_build.engine.judging.remarks import noted as remarks_noted
from selftune_build.engine.load import Said, Universe
from selftune_build.engine.locks.files import write_lock
from selftune_build.engine.locks.healing import healed_entry, is_conflicted
from selftune_build.engine.locks.left_behind import left_behind
from selftune_build.engine.locks.news import left_out, lock_news
from selftune_build.engine.locks.signature import signature_dropped
from selftune_build.engine.outcome import fresh_stages, lock_of, settle, settled_spec
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.past.against import revision_of, with_comparison
from selftune_build.engine.paying.budget import Purses, tightest
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.planning.costs import recorded_costs
from selftune_build.engine.planning.idle import is_idle
from selftune_build.engine.planning.invocation import Stores, agent_group, plan_rows, stores_at
from selftune_build.engine.planning.plan import judge_calls, missing_samples, settled_inputs
from selftune_build.engine.planning.price import Price, price_of, refuse_or_confirm, together
from selftune_build.engine.planning.tracing import trace_address
from selftune_build.engine.planning.unsettled import unsettled
from selftune_build.engine.remembered import encoded, in_order
from selftune_build.engine.report import broken_reports, overall_report
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.engine.telling.left import with_left
from selftune_build.engine.telling.summary import Settled, package_report
from selftune_build.engine.wanted import told_packages
from selftune_build.fingerprint.keys import Inputs
from selftune_build.lock.signatures import with_signatures
from selftune_build.model.lock import AgentEntry, Lock
from selftune_build.model.manifest import Budget
from selftune_build.model.package import Package
from selftune_build.model.report import PackageReport, Report, Spend
from selftune_build.probe import about
from selftune_build.store.location import find_store, open_store
from selftune_build.store.traces import Traces


def build(universe: Universe, request: BuildRequest, around: Surroundings, purses: Purses | None = None) -> Report:
    """Bring the targets up to date and say what they amount to. Raises SelftuneError where nothing could be decided at all.

    `purses`: what is left of an invocation that builds several times.
    """
    revision = revision_of(universe.root, request)
    stores = _stores(universe, request, around)
    groups = plan_rows(universe, request, stores, around.registry)
    told = told_packages(universe, request)
    purses = purses or purses_of(groups, request, told)
    if not (request.dry_run or around.stop.is_set()):
        _agree(groups, request, purses, around, told)
        _note(groups, around)
    settled = [each for runs in groups for each in _build_group(runs, request, purses, around)]
    written = _write(settled, request, stores.traces) if not request.dry_run and request.overlay is None else {}
    _send(settled, request, around)
    reports: list[PackageReport] = [
        with_comparison(_reported(each, written), each.run, each.outcome.rows, revision, request.against or "")
        for each in settled
    ]
    blind = "nobody looked: a dry run executes nothing" if request.dry_run else ""
    if request.overlay is not None:
        blind = blind or "nobody looked: the files of an overlay lie nowhere"
    reports = [
        with_gates_beside(report, each.run, each.outcome, universe.root, blind)
        for report, each in zip(reports, settled, strict=True)
    ]
    if request.overlay is not None and revision is None:
        from selftune_build.engine.overlay.present import beside_the_tree

        among = frozenset(each.run.package.path for each in settled)
        plain = replace(request, overlay=None, targets=(), among=among, resample=0, failed=False)
        present = [run for runs in plan_rows(request.overlay.present, plain, stores, around.registry) for run in runs]
        reports = beside_the_tree(reports, settled, present, lambda run: _executor(run, request, around))
    if request.transcripts:
        from selftune_build.engine.telling.detail import with_details

        reports = with_details(reports, [each.run for each in settled], lambda run: _executor(run, request, around), request.base)
    around.idle.update(_idle(universe, settled, reports, written, request, around))
    if told:
        said = _said(settled, reports) | {package.path: universe.told[package.path] for package in told}
        reports = in_order(universe.packages, said)
    spend = Spend(
        agent_calls=purses.agents.calls,
        judge_calls=purses.judges.calls,
        cost_usd=str(purses.whole.cost),
        reused=sum(stage.reused for each in reports for stage in each.stages),
    )
    spend = with_left(spend, settled, purses)
    interrupted = around.stop.is_set() and not any(each.ran.halted for each in settled)
    errors = [each.ran.store_error for each in settled if each.ran.store_error is not None]
    every = [*reports, *broken_reports(universe, request)]
    return _with_remote(overall_report(every, spend, request, interrupted=interrupted, store=errors), around)


def _stores(universe: Universe, request: BuildRequest, around: Surroundings) -> Stores:
    """A dry run reads a store that is there and makes none."""
    root = find_store(universe.root) if request.dry_run else open_store(universe.root)
    return stores_at(root, universe, around.progress.waiting, around.shared)


def purses_of(groups: Sequence[Sequence[PackageRun]], request: BuildRequest, told: Iterable[Package] = ()) -> Purses:
    """The tightest of the limits given on the command line and in the manifests of this invocation."""
    return Purses.of(tightest(_budgets(groups, told), request.max_calls, request.max_cost))


def _budgets(groups: Sequence[Sequence[PackageRun]], told: Iterable[Package]) -> list[Budget]:
    packages = (*(run.package for runs in groups for run in runs), *told)
    return [package.manifest.budget for package in packages]


def _agree(
    groups: Sequence[Sequence[PackageRun]], request: BuildRequest, purses: Purses, around: Surroundings, told: Iterable[Package]
) -> None:
    """Say what will be done and what it costs, and what no amount of money can settle, before anything is spent."""
    paid = [plan for runs in groups for run in runs if not run.agent.traits.free for plan in run.plans if plan.missing]
    calls = missing_samples(plan for plan in paid if not plan.spec.case.is_script)
    costs = [cost for runs in groups if calls and not runs[0].agent.traits.free for cost in recorded_costs(runs)]
    price = together(price_of(calls, costs), _price_of_judges(groups))
    budgeted = any(budget.max_calls or budget.max_cost_usd for budget in _budgets(groups, told))
    for runs in groups:
        for run in runs:
            open_ = any(not plan.settled for plan in run.plans)
            for sentence in unsettled(run) if open_ else ():
                around.progress.warning(f"{run.package.name}: {sentence}")
            for finding in lock_news(run):
                around.progress.warning(f"{run.package.name}: {finding.message}; {finding.hint}")
    refuse_or_confirm(price, request, budgeted, around.confirm)
    price = price.within(*purses.whole.left) if price else None
    around.progress.started(_allowed(groups, price, purses), str(price) if price else None)


def _allowed(groups: Sequence[Sequence[PackageRun]], price: Price | None, purses: Purses) -> int:
    """How many samples will be taken: every script, and of the calls to agents and judges what the budget allows."""
    plans = [plan for runs in groups for run in runs for plan in run.plans]
    scripts = missing_samples(plan for plan in plans if plan.spec.case.is_script)
    asked = missing_samples(plan for plan in plans if not plan.spec.case.is_script) + judge_calls(plans)
    calls_left, _ = purses.whole.left
    too_many = price.planned - price.calls if price is not None and price.planned else 0
    return scripts + min(asked - too_many, asked if calls_left is None else calls_left)


def _note(groups: Sequence[Sequence[PackageRun]], around: Surroundings) -> None:
    if around.shared is not None:
        from selftune_build.engine.paying.sending import note_paying

        note_paying(groups, around.shared)


def _send(settled: Sequence[Settled], request: BuildRequest, around: Surroundings) -> None:
    if around.shared is not None and not request.dry_run:
        from selftune_build.engine.paying.sending import send_paid

        send_paid(settled, around.shared)


def _with_remote(report: Report, around: Surroundings) -> Report:
    if around.shared is None:
        return report
    from selftune_build.engine.paying.sending import with_remote

    return with_remote(report, around.shared)


def _price_of_judges(groups: Sequence[Sequence[PackageRun]]) -> Price | None:
    paid = [run for runs in groups for run in runs if run.judge is not None and not run.judge.agent.traits.free]
    opinions = {id(run.judge.opinions): run.judge.opinions for run in paid if run.judge is not None}
    return price_of(
        judge_calls(plan for run in paid for plan in run.plans), [cost for each in opinions.values() for cost in each.costs]
    )


def _build_group(runs: Sequence[PackageRun], request: BuildRequest, purses: Purses, around: Surroundings) -> list[Settled]:
    ran = Ran()
    if not request.dry_run and any(not plan.settled for run in runs for plan in run.plans):
        from selftune_build.engine.paying.running import Runner  # brings networkx, which nothing needs where nothing is stale

        try:
            ran = Runner(runs, request, purses, around).run()
        finally:
            around.progress.done()
    return [_settle(run, ran, request, around) for run in runs]


def _settle(run: PackageRun, ran: Ran, request: BuildRequest, around: Surroundings) -> Settled:
    several = request.compares(run.package.manifest.agent)
    with about(run.package.root):
        outcome = settle(run, _executor(run, request, around))
        stages = fresh_stages(run, outcome)
        return Settled(run, ran, outcome, stages, request.dry_run, request.repeated, request.detailed, several, request.verbose)


def _executor(run: PackageRun, request: BuildRequest, around: Surroundings) -> Execute | None:
    return None if request.no_exec or request.dry_run else command_executor(run.package, cancel=around.cancel)


def _reported(settled: Settled, written: Mapping[str, bool]) -> PackageReport:
    """The report of a package; of one whose lock was written also what that cost: rows, a signature, what git leaves behind."""
    with about(settled.run.package.root):
        report = package_report(settled)
    if report.path not in written:
        return report
    unsigned = (signature_dropped(settled.run.package),) if written[report.path] else ()
    dropped, untold = left_out(settled.run, settled.outcome.rows), left_behind(settled.run.package)
    return replace(report, findings=(*dropped, *report.findings, *unsigned, *untold))


def _said(settled: Sequence[Settled], reports: Sequence[PackageReport]) -> dict[str, tuple[Said, ...]]:
    """The reports of each package under its agents, by folder."""
    said: dict[str, tuple[Said, ...]] = {}
    for each, report in zip(settled, reports, strict=True):
        group = agent_group(each.run.agent, each.run.asking.model)
        said[report.path] = (*said.get(report.path, ()), (group, report))
    return said


def _idle(
    universe: Universe,
    settled: Sequence[Settled],
    reports: Sequence[PackageReport],
    written: Collection[str],
    request: BuildRequest,
    around: Surroundings,
) -> Iterator[tuple[str, Callable[[], bytes | None]]]:
    """The packages that were up to date under all their agents, with what there is to remember of them."""
    planning = replace(request, dry_run=True)

    def remember(path: str) -> bytes | None:
        runs = [each.run for each in settled if each.run.package.path == path]
        plans = [_settle(run, Ran(), planning, around) for run in runs]
        return encoded(universe, runs, said[path], _said(plans, [_reported(plan, {}) for plan in plans])[path])

    said = _said(settled, reports) if not request.dry_run else {}
    news = {each.run.package.path for each in settled if lock_news(each.run)} if said else set()
    for path in said.keys() - news - set(written):
        if all(is_idle(report) for _, report in said[path]):
            yield str(universe.root / path), partial(remember, path)


def _write(settled: Sequence[Settled], request: BuildRequest, traces: Traces) -> dict[str, bool]:
    """Evidence is durable by now; the lock comes last. Raises SelftuneError.

    Returns the folders whose lock is another now, and whether a signature was lost by that.
    """
    written: dict[str, bool] = {}
    noted: dict[str, Inputs] = {}
    by_package: dict[str, list[Settled]] = {}
    for each in settled:
        noted.update(_traces(each))
        by_package.setdefault(each.run.package.path, []).append(each)
    for group in by_package.values():
        before, lock, package = group[0].run.lock, _merged_lock(group), group[0].run.package
        with about(package.root):
            is_new = _may_write(package, request) and write_lock(package, lock)
        if is_new:
            written[package.path] = any(side.signatures.keys() - lock.signatures.keys() for side in before.locks)
    traces.write(noted)
    return written


def _may_write(package: Package, request: BuildRequest) -> bool:
    """Only evidence of agents and models that the manifest names belongs in the lock, and nothing of an A/A run (ADR 0031)."""
    named = set(request.agents) <= set(package.manifest.agent)
    return request.groups == 1 and named and request.model in (None, package.manifest.model)


def _merged_lock(group: Sequence[Settled]) -> Lock:
    first = group[0]
    entries = _other_entries(first.run, {each.run.agent.name for each in group})
    for each in group:
        lock = lock_of(each.run, each.outcome, entries)
        entries = lock.agents
    return with_signatures(lock, first.run.lock.locks)


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
            noted[trace_address(settled.run, plan.spec)] = settled_inputs(settled_spec(plan.spec, rows), row.observed)
    return noted | dict(remarks_noted(settled.run, settled.outcome.remarks))
