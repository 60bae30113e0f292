"""A build whose comparison with a revision may ask for more: one further sample of each case at a time, up to `samples.max`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from selftune_build.engine.build import build
from selftune_build.engine.load import Universe
from selftune_build.engine.past.against import is_open
from selftune_build.engine.paying.budget import Purses
from selftune_build.engine.planning.agreement import purses_of
from selftune_build.engine.planning.invocation import plan_rows, stores_at
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.graph.targets import Stage, address
from selftune_build.model.package import Package
from selftune_build.model.report import Report
from selftune_build.store.location import find_store


def build_in_rounds(universe: Universe, request: BuildRequest, around: Surroundings) -> Report:
    """`build`, and while a required comparison is open and rounds are left the same with one more sample of those packages.

    Every look is at the counts of whole rounds, and the comparison is valid at any of them. Budgets hold over all rounds.
    """
    if request.against is None or request.dry_run:
        return build(universe, request, around)
    purses, again = _purses(universe, request, around), replace(request, resample=0, failed=False)
    report, size = build(universe, request, around, purses), 0
    while (open_ := _open(universe, report, size)) and not around.stop.is_set():
        size = max(size, min(package.manifest.samples.min for package in open_)) + 1
        targets = tuple(target for package in open_ for target in _targets(package, report))
        build(universe, replace(again, targets=targets, group_size=size, against=None, keep_going=True), around, purses)
        before, report = report, build(universe, again, around, purses)
        if _counted(report) <= _counted(before):
            break  # nobody answers, or the budget is used up
    return report


def _targets(package: Package, report: Report) -> list[str]:
    """The cases that are compared under some agent: more samples of the others would say nothing."""
    against = [each.statistics.against for each in report.packages if each.path == package.path and is_open(each)]
    left_out = [set(each.left_out) for each in against if each is not None]
    alone = set.intersection(*left_out) if left_out else set()
    cases = (case.id for case in package.evals if not case.is_script and case.id not in alone)
    return [address(package.handle, Stage.REPLAY, case) for case in cases]


def _counted(report: Report) -> int:
    """Samples of today behind all comparisons."""
    compared = (package.statistics.against.compared for package in report.packages if package.statistics.against is not None)
    return sum(each.now for group in compared for each in group)


def _open(universe: Universe, report: Report, size: int) -> Sequence[Package]:
    paths = {package.path for package in report.packages if is_open(package)}
    return [package for package in universe.packages if package.path in paths and size < package.manifest.samples.max]


def _purses(universe: Universe, request: BuildRequest, around: Surroundings) -> Purses:
    stores = stores_at(find_store(universe.root), universe, lambda _message: None)
    return purses_of(plan_rows(universe, request, stores, around.registry), request)
