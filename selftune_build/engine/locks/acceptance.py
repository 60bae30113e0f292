"""Which waivers a human can put under a row today: `selftune lock accept`."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from selftune_build.advice import command
from selftune_build.engine.load import Universe
from selftune_build.engine.locked.verification import locked_runs
from selftune_build.engine.locks.waivers import target_of, waiver_key
from selftune_build.engine.outcome import failures_by_lock
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import RowPlan
from selftune_build.engine.registry import Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import UndecidedError, UsageError
from selftune_build.graph.targets import SAMPLED, parse_target
from selftune_build.model.manifest import Waiver
from selftune_build.model.package import Package


class Acceptable(Struct, frozen=True):
    """A package, and the waivers that accept one of its rows as it is, one for each agent under which it does not hold."""

    package: Package
    waivers: tuple[Waiver, ...]


def acceptable(universe: Universe, request: BuildRequest, registry: Registry, reason: str) -> Acceptable:
    """The waivers for the one row that a request names.

    Raises UsageError for what is no row, and where the row holds; UndecidedError where an agent has no evidence at all.
    """
    (target,) = request.targets
    wanted = parse_target(target)
    if wanted.case is None or wanted.stage not in SAMPLED:
        hint = "write PACKAGE:STAGE[CASE], as reports do, for example pdf:replay[fill-form]"
        raise UsageError(f"{target!r} is not a row", hint=hint)
    found = [(run, plan) for run in locked_runs(universe, request, registry) for plan in _asked(run)]
    if not found:
        raise UsageError(f"there is no row {target!r}", hint="reports name the rows that there are")
    for run, _ in found:
        if not any(run.agent.name in side.agents for side in run.lock.locks):
            message = f"the lock has no evidence of the agent {run.agent.name!r}, so there is nothing to accept"
            raise UndecidedError(message, hint=command("build", run.package.handle, place=request.repeated), code="no-evidence")
    waivers = [Waiver(target_of(plan.spec), waiver_key(plan.spec, plan.row), reason) for _, plan in found if _is_wanting(plan)]
    if not waivers:
        raise UsageError(f"{target} holds: there is nothing to accept", hint="a waiver is for a row that fails or is stale")
    return Acceptable(found[0][0].package, tuple(dict.fromkeys(waivers)))


def _asked(run: PackageRun) -> Iterator[RowPlan]:
    for plan in run.plans:
        if run.cases.get(plan.spec.stage) and run.wants(plan.spec):
            yield plan


def _is_wanting(plan: RowPlan) -> bool:
    return plan.row is None or plan.missing > 0 or bool(failures_by_lock(plan, plan.row))
