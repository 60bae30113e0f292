"""The report of each package of a build: what its lock lost, what it is compared with, what gates beside the lock say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from selftune_build.engine.beside import with_gates_beside
from selftune_build.engine.locks.left_behind import left_behind
from selftune_build.engine.locks.news import left_out
from selftune_build.engine.locks.signature import signature_dropped
from selftune_build.engine.past.against import with_comparison
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.telling.summary import Settled, package_report
from selftune_build.model.report import PackageReport
from selftune_build.probe import about

if TYPE_CHECKING:  # most invocations look at no revision
    from selftune_build.revision.revision import Revision


def package_reports(
    settled: Sequence[Settled], written: Mapping[str, bool], request: BuildRequest, revision: Revision | None, root: Path
) -> list[PackageReport]:
    """One for each, in this order. `written`: the folders whose lock is another now, and whether a signature was lost by that;
    `root`: of the workspace."""
    blind = _blind(request)
    return [
        with_gates_beside(_compared(each, written, request, revision), each.run, each.outcome, root, blind) for each in settled
    ]


def written_report(settled: Settled, written: Mapping[str, bool]) -> PackageReport:
    """The report of a package; of one whose lock was written also what that cost: rows, a signature, what git leaves behind."""
    with about(settled.run.package.root):
        report = package_report(settled)
    if report.path not in written:
        return report
    unsigned = (signature_dropped(settled.run.package),) if written[report.path] else ()
    dropped, untold = left_out(settled.run, settled.outcome.rows), left_behind(settled.run.package)
    return replace(report, findings=(*dropped, *report.findings, *unsigned, *untold))


def _compared(settled: Settled, written: Mapping[str, bool], request: BuildRequest, revision: Revision | None) -> PackageReport:
    report = written_report(settled, written)
    return with_comparison(report, settled.run, settled.outcome.rows, revision, request.against or "")


def _blind(request: BuildRequest) -> str:
    """Why nobody may look at the files of this build; empty where they may."""
    if request.dry_run:
        return "nobody looked: a dry run executes nothing"
    return "nobody looked: the files of an overlay lie nowhere" if request.overlay is not None else ""
