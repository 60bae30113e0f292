"""What a page shows beyond counts, read only when one is asked for: cases, transcripts, minimums, the change of the lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from selftune_build.checks.context import Execute
from selftune_build.engine.locks.diff import LockChange, lock_changes
from selftune_build.engine.locks.files import lock_path, read_package_lock
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.telling.show import shown_row
from selftune_build.errors import SelftuneError
from selftune_build.gates.builtin import LIFT_MINIMUM, RATE_MINIMUM, minimum_of
from selftune_build.graph.targets import address
from selftune_build.limits import HTML_TRANSCRIPTS, LOCK_BYTES
from selftune_build.lock.parsing import read_lock
from selftune_build.model.case import Arm
from selftune_build.model.detail import LockDiff, PackageDetail
from selftune_build.model.manifest import GateSetting
from selftune_build.model.report import PackageReport, RowReport, RowState
from selftune_build.model.shown import ShownCase

_MINIMUMS = {
    "trigger-recall": RATE_MINIMUM,
    "trigger-specificity": RATE_MINIMUM,
    "task-pass-rate": RATE_MINIMUM,
    "lift": LIFT_MINIMUM,
}
_NEED = (RowState.FAILED, RowState.UNDECIDED, RowState.MISSING, RowState.HELD)


def with_details(
    reports: Sequence[PackageReport],
    runs: Sequence[PackageRun],
    execute_of: Callable[[PackageRun], Execute | None],
    base: str,
) -> list[PackageReport]:
    """The reports of these runs with their details; samples are read from the store for so many rows, failing cases first.

    `base`: the revision whose locks today's are compared with.
    """
    shown: list[dict[str, ShownCase]] = [{} for _ in runs]
    executes = [execute_of(run) for run in runs]
    plans = [{plan.address: plan for plan in run.plans} for run in runs]
    for index, row in islice(by_need(reports), HTML_TRANSCRIPTS):
        shown[index][row.target] = shown_row(runs[index], plans[index][row.target], executes[index])
    return [replace(each, detail=_detail(run, found, base)) for each, run, found in zip(reports, runs, shown, strict=True)]


def without_transcripts(reports: Sequence[PackageReport], runs: Sequence[PackageRun], base: str) -> list[PackageReport]:
    """The reports with what tree and locks tell alone."""
    return [replace(each, detail=_detail(run, {}, base)) for each, run in zip(reports, runs, strict=True)]


def by_need(reports: Iterable[PackageReport]) -> Iterator[tuple[int, RowReport]]:
    """Every row with the index of its report: failing cases first, then undecided and missing ones, in turn over the packages;
    the row without the skill behind that of its case."""
    keyed = [
        (_NEED.index(row.state), position, index, row)
        for index, report in enumerate(reports)
        for position, row in enumerate(report.rows)
        if row.arm != Arm.WITHOUT_SKILL
    ]
    paired = {
        (index, row.case): row for index, report in enumerate(reports) for row in report.rows if row.arm == Arm.WITHOUT_SKILL
    }
    for _, _, index, row in sorted(keyed, key=lambda each: each[:3]):
        yield index, row
        other = paired.pop((index, row.case), None) if row.arm == Arm.WITH_SKILL else None
        if other is not None:
            yield index, other
    yield from ((index, row) for (index, _), row in paired.items())


def _detail(run: PackageRun, shown: dict[str, ShownCase], base: str) -> PackageDetail:
    cases = {address(run.package.handle, spec.stage, spec.case.id): spec.case for spec in run.specs if run.wants(spec)}
    settings = run.package.manifest.gates
    minimums = {
        gate.replace("-", "_"): minimum_of(settings.get(gate, GateSetting()), default) for gate, default in _MINIMUMS.items()
    }
    return PackageDetail(cases, shown, minimums, _lock_diff(run, base), run.asking.model)


def _lock_diff(run: PackageRun, base: str) -> LockDiff:
    from selftune_build.revision.revision import read_at  # brings a reader of git objects

    path = lock_path(run.package)
    try:
        before = read_at(path.parent, base, path.name, LOCK_BYTES)
    except SelftuneError as error:
        unknown = f"there is no commit {base} around it"  # the message names folders of this machine
        return LockDiff(base, trouble=error.message if error.code == "history-missing" else unknown)
    if before is None:
        return LockDiff(base, trouble="it has no lock of this package")
    return LockDiff(base, tuple(map(_sentence, lock_changes(read_lock(before), read_package_lock(run.package)))))


def _sentence(change: LockChange) -> str:
    subject = ", ".join(filter(None, (change.agent, change.case)))
    return f"{subject}: {change.message}" if subject else change.message
