"""From the words of the command line to packages with the stages and cases that are asked of them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from selftune_build.engine.load import Universe
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import UsageError
from selftune_build.graph.selection import select
from selftune_build.graph.targets import SAMPLED, Stage, Target, parse_target, with_needs
from selftune_build.limits import SHOWN_CASES
from selftune_build.model.package import Package
from selftune_build.wording import listed


class WantedPackage(Struct, frozen=True):
    """A package that could be read, and what is asked of it."""

    path: str
    package: Package
    stages: frozenset[Stage]
    cases: dict[Stage, frozenset[str]]


def wanted_packages(universe: Universe, request: BuildRequest) -> list[WantedPackage]:
    """The packages to build with the closure of what is asked, but those of which it was said already.

    Raises UsageError for targets that do not exist.
    """
    return [each for each in _asked(universe, request) if each.path not in universe.told]


def told_packages(universe: Universe, request: BuildRequest) -> list[Package]:
    """The packages that are asked for and of which it was said already. Raises as `wanted_packages`."""
    return [each.package for each in _asked(universe, request) if each.path in universe.told] if universe.told else []


def _asked(universe: Universe, request: BuildRequest) -> list[WantedPackage]:
    names = universe.names | {broken.path: broken.path.rpartition("/")[2] for broken in universe.broken}
    selection = select([parse_target(text) for text in request.targets], names, universe.root, request.directory)
    stages: dict[str, set[Stage]] = {}
    for goal in selection.goals:
        stages.setdefault(goal.package, set()).update(with_needs([goal.stage]))
    wanted = []
    for package in universe.packages:
        if package.path in stages and (request.among is None or package.path in request.among):
            cases = _cases(package, selection.cases)
            wanted.append(WantedPackage(package.path, package, frozenset(stages[package.path]), cases))
    return wanted


def asked_for(universe: Universe, request: BuildRequest) -> frozenset[str]:
    """Folders of all packages that are asked for, also those that could not be read."""
    names = universe.names | {broken.path: broken.path.rpartition("/")[2] for broken in universe.broken}
    selection = select([parse_target(text) for text in request.targets], names, universe.root, request.directory)
    return frozenset(goal.package for goal in selection.goals)


def _cases(package: Package, narrowed: Mapping[Target, frozenset[str]]) -> dict[Stage, frozenset[str]]:
    cases: dict[Stage, frozenset[str]] = {}
    for target, ids in narrowed.items():
        if target.package != package.path:
            continue
        if target.stage not in SAMPLED:
            raise UsageError(f"{target.stage} has no cases of its own", hint=f"cases belong to {', '.join(SAMPLED)}")
        suite = package.unit_tests if target.stage is Stage.UNIT_TESTS else package.evals
        unknown = ids - {case.id for case in suite}
        if unknown:
            from selftune_build.meant import like  # only who mistypes pays for it

            missing, known = min(unknown), sorted(case.id for case in suite)
            close = like(missing, known, 3)
            hint = f"like it: {', '.join(close)}" if close else f"its cases: {listed(known, SHOWN_CASES) or 'none'}"
            raise UsageError(f"{package.name}:{target.stage} has no case {missing!r}", hint=hint)
        cases[target.stage] = ids
    return cases
