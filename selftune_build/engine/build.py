"""One invocation from targets to report: load, select, plan, sample, settle, write the locks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from selftune_build.checks.context import Execute
from selftune_build.checks.execute import command_executor
from selftune_build.engine.load import Said, Universe
from selftune_build.engine.locks.news import lock_news
from selftune_build.engine.locks.writing import write_locks
from selftune_build.engine.outcome import fresh_stages, settle
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.past.against import revision_of
from selftune_build.engine.paying.budget import Purses
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.planning.agreement import agree, purses_of
from selftune_build.engine.planning.idle import is_idle
from selftune_build.engine.planning.invocation import Stores, agent_group, plan_rows, stores_at
from selftune_build.engine.remembered import encoded, in_order
from selftune_build.engine.report import broken_reports, overall_report
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.engine.telling.left import with_left
from selftune_build.engine.telling.reporting import package_reports, written_report
from selftune_build.engine.telling.summary import Settled
from selftune_build.engine.wanted import told_packages
from selftune_build.model.report import PackageReport, Report, Spend
from selftune_build.probe import about
from selftune_build.store.location import find_store, open_store

if TYPE_CHECKING:
    from selftune_build.engine.overlay.overlaid import Overlaid


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
        agree(groups, request, purses, around, told)
        _note(groups, around)
    settled = [each for runs in groups for each in _build_group(runs, request, purses, around)]
    written = write_locks(settled, request, stores.traces) if not request.dry_run and request.overlay is None else {}
    _send(settled, request, around)
    reports = package_reports(settled, written, request, revision, universe.root)
    if request.overlay is not None and revision is None:
        reports = _beside_the_tree(reports, settled, request.overlay, request, stores, around)
    reports = _detailed(reports, settled, request, around)
    around.idle.update(_idle(universe, settled, reports, written, request, around))
    if told:
        said = _said(settled, reports) | {package.path: universe.told[package.path] for package in told}
        reports = in_order(universe.packages, said)
    return _whole(universe, [*reports, *broken_reports(universe, request)], settled, purses, request, around)


def _stores(universe: Universe, request: BuildRequest, around: Surroundings) -> Stores:
    """A dry run reads a store that is there and makes none."""
    root = find_store(universe.root) if request.dry_run else open_store(universe.root)
    return stores_at(root, universe, around.progress.waiting, around.shared)


def _beside_the_tree(
    reports: Sequence[PackageReport],
    settled: Sequence[Settled],
    overlay: Overlaid,
    request: BuildRequest,
    stores: Stores,
    around: Surroundings,
) -> list[PackageReport]:
    from selftune_build.engine.overlay.present import beside_the_tree

    among = frozenset(each.run.package.path for each in settled)
    plain = replace(request, overlay=None, targets=(), among=among, resample=0, failed=False)
    present = [run for runs in plan_rows(overlay.present, plain, stores, around.registry) for run in runs]
    return beside_the_tree(reports, settled, present, lambda run: _executor(run, request, around))


def _detailed(
    reports: list[PackageReport], settled: Sequence[Settled], request: BuildRequest, around: Surroundings
) -> list[PackageReport]:
    if not request.transcripts:
        return reports
    from selftune_build.engine.telling.detail import with_details

    return with_details(reports, [each.run for each in settled], lambda run: _executor(run, request, around), request.base)


def _whole(
    universe: Universe,
    reports: Sequence[PackageReport],
    settled: Sequence[Settled],
    purses: Purses,
    request: BuildRequest,
    around: Surroundings,
) -> Report:
    """What all of it amounts to."""
    spend = Spend(
        agent_calls=purses.agents.calls,
        judge_calls=purses.judges.calls,
        cost_usd=str(purses.whole.cost),
        reused=sum(stage.reused for each in reports for stage in each.stages),
    )
    interrupted = around.stop.is_set() and not any(each.ran.halted for each in settled)
    errors = [each.ran.store_error for each in settled if each.ran.store_error is not None]
    spend = with_left(spend, settled, purses)
    return _with_remote(overall_report(reports, spend, request, interrupted=interrupted, store=errors), around)


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
        return encoded(universe, runs, said[path], _said(plans, [written_report(plan, {}) for plan in plans])[path])

    said = _said(settled, reports) if not request.dry_run else {}
    news = {each.run.package.path for each in settled if lock_news(each.run)} if said else set()
    for path in said.keys() - news - set(written):
        if all(is_idle(report) for _, report in said[path]):
            yield str(universe.root / path), partial(remember, path)
