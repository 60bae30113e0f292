"""What is said and asked before anything is spent: the price, what no amount of money can settle, the limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selftune_build.engine.locks.news import lock_news
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.paying.budget import Purses, tightest
from selftune_build.engine.planning.costs import recorded_costs
from selftune_build.engine.planning.plan import judge_calls, missing_samples
from selftune_build.engine.planning.price import Price, price_of, refuse_or_confirm, together
from selftune_build.engine.planning.unsettled import unsettled
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.model.manifest import Budget
from selftune_build.model.package import Package


def purses_of(groups: Sequence[Sequence[PackageRun]], request: BuildRequest, told: Iterable[Package] = ()) -> Purses:
    """The tightest of the limits given on the command line and in the manifests of this invocation."""
    return Purses.of(tightest(_budgets(groups, told), request.max_calls, request.max_cost))


def agree(
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


def _budgets(groups: Sequence[Sequence[PackageRun]], told: Iterable[Package]) -> list[Budget]:
    packages = (*(run.package for runs in groups for run in runs), *told)
    return [package.manifest.budget for package in packages]


def _price_of_judges(groups: Sequence[Sequence[PackageRun]]) -> Price | None:
    paid = [run for runs in groups for run in runs if run.judge is not None and not run.judge.agent.traits.free]
    opinions = {id(run.judge.opinions): run.judge.opinions for run in paid if run.judge is not None}
    return price_of(
        judge_calls(plan for run in paid for plan in run.plans), [cost for each in opinions.values() for cost in each.costs]
    )
