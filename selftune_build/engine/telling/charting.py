"""The graph of a planned workspace: who is shown to whom, which targets are stale."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.engine.load import Universe
from selftune_build.engine.package_run import PackageRun
from selftune_build.graph.chart import METADATA, Chart, chart
from selftune_build.graph.selection import select
from selftune_build.graph.targets import SAMPLED, Stage, address, parse_target


def charted(universe: Universe, runs: Iterable[PackageRun]) -> Chart:
    """Every package of the workspace, with the states of those that are planned."""
    handles = {package.path: package.handle for package in universe.packages}
    shown: dict[str, dict[Stage, set[str]]] = {}
    states: dict[str, str] = {}
    for run in runs:
        asking, stages = run.asking, shown.setdefault(run.package.path, {})
        stages.setdefault(Stage.REPLAY, set()).update(each.path for each in asking.with_skill.packages.values())
        stages.setdefault(Stage.BASELINE, set()).update(each.path for each in asking.without_skill.packages.values())
        for stage in SAMPLED:
            name = address(run.package.handle, stage)
            stale = any(plan.missing for plan in run.plans_of(stage))
            states[name] = "stale" if stale or states.get(name) == "stale" else "up-to-date"
    return chart(handles, shown, states)


def focused(text: str, universe: Universe, directory_names: Iterable[str]) -> list[str]:
    """The nodes that a target of the command line stands for: `PKG:metadata` too. Raises UsageError."""
    if text in directory_names and text.endswith(f":{METADATA}"):
        return [text]
    names = universe.names
    handles = {package.path: package.handle for package in universe.packages}
    goals = select([parse_target(text)], names, universe.root, universe.root).goals
    return [address(handles[goal.package], goal.stage) for goal in goals]
