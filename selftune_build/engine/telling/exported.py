"""Every case of a package as it was measured, for reports that show all of it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from selftune_build.engine.load import Universe
from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.telling.show import show
from selftune_build.errors import UsageError
from selftune_build.graph.targets import Stage
from selftune_build.model.package import Package
from selftune_build.model.shown import ShownCase


def exported_cases(
    universe: Universe, package: Package, request: BuildRequest, registry: Registry = BUILTIN
) -> tuple[ShownCase, ...]:
    """The rows of every eval case of a package with and without the skill, in the order of its suite; of its first agent.

    Raises UsageError where it has no eval case. Asks nobody and writes nothing.
    """
    targets = tuple(_targets(package))
    if not targets:
        raise UsageError(f"{package.handle} has no eval case", hint="`selftune eval generate` drafts some")
    shown = show(universe, replace(request, targets=targets), registry)
    order = {case.id: number for number, case in enumerate(package.evals)}
    first = shown[0].agent
    of_first = [case for case in shown if case.agent == first]
    return tuple(sorted(of_first, key=lambda case: (order.get(case.case.id, len(order)), case.arm)))


def _targets(package: Package) -> Iterator[str]:
    for case in package.evals:
        for stage in (Stage.REPLAY, Stage.BASELINE):
            yield f"{package.handle}:{stage}[{case.id}]"
