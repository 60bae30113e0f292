"""An overlay beside the tree as it is: every case by what is known of it without the overlay. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from selftune_build.checks.context import Execute
from selftune_build.engine.outcome import settle
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.past.against import with_present
from selftune_build.engine.telling.summary import Settled
from selftune_build.model.lock import AgentEntry
from selftune_build.model.report import PackageReport


def beside_the_tree(
    reports: Sequence[PackageReport],
    settled: Sequence[Settled],
    present: Sequence[PackageRun],
    executor: Callable[[PackageRun], Execute | None],
) -> list[PackageReport]:
    """The reports of packages with an overlay, compared with the rows that lock and store have for the tree: `present` are
    the same packages without the overlay, planned."""
    plain = {(run.package.path, run.agent.name): run for run in present}
    entries = (_entry(plain.get((each.run.package.path, each.run.agent.name)), executor) for each in settled)
    return [
        with_present(report, each.run, each.outcome.rows, entry)
        for report, each, entry in zip(reports, settled, entries, strict=True)
    ]


def _entry(run: PackageRun | None, executor: Callable[[PackageRun], Execute | None]) -> AgentEntry | None:
    rows = settle(run, executor(run)).rows if run is not None else {}
    return AgentEntry(run.agent.identity, run.agent.traits.origin, rows) if run is not None and rows else None
