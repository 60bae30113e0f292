"""The report over all packages, and the exit status it leads to."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from selftune_build.engine.load import Broken, Universe
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.wanted import asked_for
from selftune_build.errors import SelftuneError, UndecidedError
from selftune_build.exits import BAD_INPUT, INTERRUPTED, REFUSED, STORE, UNDECIDED, VERIFIED, worst
from selftune_build.model.report import Overlay, PackageReport, Problem, Report, Spend
from selftune_build.model.verdict import Verdict

REFUSING = frozenset(
    (
        *("lock-missing", "lock-malformed", "lock-conflict", "lock-from-the-future", "lock-tampered"),
        *("tree-changed", "key-changed", "case-missing", "case-extra", "n-too-small", "policy-changed", "agent-changed"),
        *("gate-failed", "evidence-simulated"),
    )
)
"""Problem codes that are a no (DESIGN 8.4)."""

_STATUS = {Verdict.PASS: VERIFIED, Verdict.FAIL: REFUSED, Verdict.INCONCLUSIVE: UNDECIDED}


def overall_report(
    packages: Sequence[PackageReport],
    spend: Spend,
    request: BuildRequest,
    *,
    interrupted: bool = False,
    store: Sequence[SelftuneError] = (),
) -> Report:
    """One verdict over all packages: any fail is a fail, else any inconclusive is inconclusive; so is nothing at all, but
    where `--since` found that nothing is affected."""
    verdicts = {package.verdict for package in packages} or {Verdict.INCONCLUSIVE if request.among is None else Verdict.PASS}
    verdict = next(each for each in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS) if each in verdicts)
    statuses = {_STATUS[each] for each in verdicts} | {STORE for _ in store}
    codes = {problem.code for package in packages for problem in package.problems}
    statuses |= {BAD_INPUT for _ in codes & {BROKEN}} | {REFUSED for _ in codes & REFUSING}
    if interrupted:
        statuses.add(INTERRUPTED)
    mode = "dry-run" if request.dry_run else "locked" if request.locked else "build"
    report = Report(verdict, worst(statuses), spend, tuple(packages), mode, request.repeated)
    return report if request.overlay is None else _over(report, request.overlay.told())


def _over(report: Report, overlay: Overlay) -> Report:
    """Without commands to type next: they would be about the tree."""
    return replace(report, overlay=overlay, packages=tuple(replace(each, next_command=None) for each in report.packages))


BROKEN = "bad-input"


def broken_reports(universe: Universe, request: BuildRequest) -> list[PackageReport]:
    """A report for each package that was asked for and could not be read."""
    asked = asked_for(universe, request)
    return [_broken(broken, universe.root.name) for broken in universe.broken if broken.path in asked]


def _broken(broken: Broken, root_name: str) -> PackageReport:
    error, at = broken.error, broken.error.at
    name = root_name if broken.path == "." else broken.path.rpartition("/")[2]
    message = f"{error.message} ({at.pointer})" if at is not None and at.pointer else error.message
    code = error.code if isinstance(error, UndecidedError) else BROKEN
    problem = Problem(code, name, message, at.path if at else broken.path, at.line if at else None, error.hint)
    return PackageReport(name, broken.path, "", "", Verdict.INCONCLUSIVE, problems=(problem,))
