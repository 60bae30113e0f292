"""The plan of a build, told: the same rows, decided by the same code, counted instead of run."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal

from selftune_build.advice import command
from selftune_build.agents.protocol import Agent
from selftune_build.engine.locks.news import lock_news
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.costs import recorded_costs
from selftune_build.engine.planning.plan import RowPlan, judge_calls, missing_samples
from selftune_build.engine.planning.unsettled import unsettled
from selftune_build.graph.targets import SAMPLED, Stage, address
from selftune_build.model.forecast import Cause, Expense, Forecast, PackageForecast, StageForecast
from selftune_build.model.repeated import Repeated
from selftune_build.model.report import Reason
from selftune_build.sharing.places import call_place

_TWO_SIDED = 1.96
"""Standard deviations that hold 95 % of a normal distribution."""


def forecast(groups: Sequence[Sequence[PackageRun]], place: Repeated, taken: Collection[str] = ()) -> Forecast:
    """What building these planned packages, grouped by agent, would take; `taken` are the places of samples of a remote."""
    packages = tuple(_package(run, place, taken) for runs in groups for run in runs)
    stages = [stage for package in packages for stage in package.stages]
    plans = [plan for runs in groups for run in runs for plan in run.plans]
    return Forecast(
        packages=packages,
        expenses=(*(_expense(runs) for runs in groups if _calls(runs)), *_judge_expenses(groups)),
        script_runs=missing_samples(plan for plan in plans if plan.spec.case.is_script),
        by_lock=sum(stage.by_lock for stage in stages),
        by_store=sum(stage.by_store for stage in stages),
        by_remote=sum(stage.by_remote for stage in stages),
    )


def sum_of_costs(calls: int, seen: Sequence[Decimal]) -> tuple[Decimal, Decimal, Decimal] | None:
    """Expected sum of so many more costs, and the ends of its prediction interval of 95 %; None from fewer than two.

    Normal approximation for a sum of n draws whose mean is itself estimated from N: variance n·s² + n²·s²/N; never below 0.
    """
    if len(seen) < 2:
        return None
    mean = sum(seen, Decimal(0)) / len(seen)
    variance = float(sum(((cost - mean) ** 2 for cost in seen), Decimal(0)) / (len(seen) - 1))
    spread = Decimal(_TWO_SIDED * math.sqrt(variance * calls * (1 + calls / len(seen))))
    return calls * mean, max(Decimal(0), calls * mean - spread), calls * mean + spread


def _calls(runs: Sequence[PackageRun]) -> int:
    return missing_samples(plan for run in runs for plan in run.plans if not plan.spec.case.is_script)


def _expense(runs: Sequence[PackageRun]) -> Expense:
    agent = runs[0].agent
    return _spent_on(agent, _calls(runs), [] if agent.traits.free else recorded_costs(runs))


def _judge_expenses(groups: Sequence[Sequence[PackageRun]]) -> Iterator[Expense]:
    """What each judge is asked at most; its price by the votes that were read for the plan."""
    judged: dict[int, list[PackageRun]] = {}
    for run in (run for runs in groups for run in runs if run.judge is not None):
        judged.setdefault(id(run.judge and run.judge.opinions), []).append(run)
    for runs in judged.values():
        judge, calls = runs[0].judge, judge_calls(plan for run in runs for plan in run.plans)
        if judge is not None and calls:
            yield _spent_on(judge.agent, calls, judge.opinions.costs)


def _spent_on(agent: Agent, calls: int, seen: Sequence[Decimal]) -> Expense:
    if agent.traits.free:
        return Expense(agent.name, calls, free=True)
    costs = sum_of_costs(calls, seen)
    if costs is None:
        return Expense(agent.name, calls, free=False, seen=len(seen))
    expected, low, high = (f"{cost:.4f}" for cost in costs)
    return Expense(agent.name, calls, False, expected, low, high, len(seen))


def _package(run: PackageRun, place: Repeated, taken: Collection[str]) -> PackageForecast:
    stages = tuple(_stage(run, stage, taken) for stage in SAMPLED if stage in run.stages and run.plans_of(stage))
    open_ = any(not plan.settled for plan in run.plans if run.wants(plan.spec))
    return PackageForecast(
        name=run.package.name,
        path=run.package.path,
        agent=run.agent.name,
        origin=run.agent.traits.origin.value,
        stages=stages,
        command=command("build", run.package.handle, place=place) if open_ else None,
        unsettled=tuple(unsettled(run)) if open_ else (),
        warnings=tuple(f"{each.message}; {each.hint} [{each.code}]" for each in lock_news(run)),
    )


def _stage(run: PackageRun, stage: Stage, taken: Collection[str]) -> StageForecast:
    plans = [plan for plan in run.plans_of(stage) if run.wants(plan.spec)]
    missing = [plan for plan in plans if plan.missing]
    by_lock = sum(plan.settled and plan.row is not None for plan in plans)
    by_remote = sum(plan.row is None and not plan.missing and _rests_on(plan, taken) for plan in plans) if taken else 0
    return StageForecast(
        target=address(run.package.handle, stage),
        rows=len(plans),
        by_lock=by_lock,
        by_store=len(plans) - len(missing) - by_lock - by_remote,
        missing=len(missing),
        calls=missing_samples(missing),
        causes=tuple(_causes([plan for plan in plans if not plan.settled])),
        judge_calls=judge_calls(plans),
        by_remote=by_remote,
    )


def _rests_on(plan: RowPlan, taken: Collection[str]) -> bool:
    return any(call_place(sample.static_key, sample.call_id) in taken for sample in plan.counted.samples)


def _causes(plans: Iterable[RowPlan]) -> Iterator[Cause]:
    """Each reason once, with every case it made stale."""
    cases: dict[Reason, dict[str, None]] = {}
    for plan in plans:
        for reason in plan.reasons:
            cases.setdefault(reason, {})[plan.spec.case.id] = None
    return (Cause(reason, tuple(ids)) for reason, ids in cases.items())
