"""What was paid for in an invocation is given to the remote when the verdicts are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.request import Shared
from selftune_build.engine.telling.summary import Settled
from selftune_build.exits import STORE, worst
from selftune_build.model.report import Report


def note_paying(groups: Sequence[Sequence[PackageRun]], shared: Shared) -> None:
    """Note that something is about to be paid for, where anything is. Raises StoreError."""
    if any(_may_pay(run) for runs in groups for run in runs):
        shared.note()


def send_paid(settled: Sequence[Settled], shared: Shared) -> None:
    """Give what was asked of agents and judges that are not free. Raises StoreError."""
    shared.send({key for each in settled for key in _paid(each)})


def with_remote(report: Report, shared: Shared) -> Report:
    """The report with what came of the remote; one that was required and did not take everything is a store problem."""
    status = worst((report.exit_code, STORE)) if shared.failed else report.exit_code
    return replace(report, remote=shared.report(), exit_code=status)


def _may_pay(run: PackageRun) -> bool:
    free = run.agent.traits.free and (run.judge is None or run.judge.agent.traits.free)
    return not free and any(not plan.settled for plan in run.plans)


def _paid(settled: Settled) -> Iterator[str]:
    run, ran = settled.run, settled.ran
    if not run.agent.traits.free:
        yield from (spec.key for question in ran.questions for spec in question.specs if not spec.case.is_script)
    if run.judge is not None and not run.judge.agent.traits.free:
        yield from (spec.key for questions in ran.rulings.values() for question in questions for spec in question.specs)
