"""What others have paid for is asked for before a plan is priced: first samples, then the votes that a judge gave on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.request import Shared
from selftune_build.stages.row import RowSpec


def fetch_missing(
    groups: Sequence[Sequence[PackageRun]], shared: Shared, plan_again: Callable[[Sequence[PackageRun]], None]
) -> None:
    """Take what the remote has of everything that would be paid for, and plan again what gained by it. Raises SelftuneError."""
    asked: set[str] = set()
    while keys := {spec.key for runs in groups for run in runs for spec in _paid(run)} - asked:
        asked |= keys
        gained = shared.fetch(keys)
        for runs in groups:
            if any([_forget(run, gained) for run in runs]):
                plan_again(runs)


def _paid(run: PackageRun) -> Iterator[RowSpec]:
    """What would be asked of an agent or a judge that is not free."""
    for plan in run.plans:
        if plan.missing and not plan.spec.case.is_script and not run.agent.traits.free:
            yield plan.spec
        if run.judge is not None and not run.judge.agent.traits.free:
            yield from (ruling.question for ruling in plan.rulings)


def _forget(run: PackageRun, keys: Collection[str]) -> bool:
    """Let samples of these keys be read again; whether any of them matters to the package."""
    samples = [spec for spec in run.specs if spec.key in keys]
    votes = [ruling.question for plan in run.plans for ruling in plan.rulings if ruling.question.key in keys]
    for spec in samples:
        run.evidence.forget(spec)
    for question in votes:
        if run.judge is not None:
            run.judge.opinions.forget(question)
    return bool(samples or votes)
