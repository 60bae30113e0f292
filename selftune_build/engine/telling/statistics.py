"""Everything that the report of a package says beside its gates."""

from __future__ import annotations

from selftune_build.engine.outcome import Outcome
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.unsettled import unsettled
from selftune_build.engine.siblings.routing import routing_of
from selftune_build.engine.telling.body import body_of
from selftune_build.engine.telling.efficiency import efficiency_of
from selftune_build.engine.telling.flaky import flaky_cases
from selftune_build.graph.targets import Stage
from selftune_build.model.statistics import Statistics


def statistics_of(run: PackageRun, outcome: Outcome, *, dry: bool, detailed: bool) -> Statistics:
    """From the rows of this package and, where that is not enough and nothing forbids it, from its samples in the store."""
    rows, whole = outcome.rows, detailed and Stage.PACKAGE_EVALUATION in run.stages
    return Statistics(
        flaky=flaky_cases(run, rows),
        unsettled=tuple(unsettled(run, outcome.facts)),
        routing=routing_of(run, rows, samples=not dry),
        efficiency=efficiency_of(run) if whole and not dry else None,
        body=body_of(run.package) if whole else None,
    )
