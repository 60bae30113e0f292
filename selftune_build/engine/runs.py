"""The packages of an invocation, each under each agent that it is built with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial

from selftune_build.agents.protocol import Agent
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.judging.judge import JudgeOf
from selftune_build.engine.load import Universe
from selftune_build.engine.locks.files import read_package_lock
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.registry import Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.security import inspect_package
from selftune_build.engine.siblings.competitors import competitors
from selftune_build.engine.wanted import WantedPackage
from selftune_build.lock.parsing import LockReading
from selftune_build.model.package import Package
from selftune_build.probe import about
from selftune_build.stages.row import Asking, StagedSet

AgentOf = Callable[[str, Package, LockReading], tuple[Agent, Evidence]]
"""Name of an agent, a package and its lock → the agent with the evidence there is of it."""


def package_runs(
    universe: Universe,
    wanted: Iterable[WantedPackage],
    request: BuildRequest,
    agent_of: AgentOf,
    judge_of: JudgeOf,
    registry: Registry,
) -> Iterator[PackageRun]:
    """What is asked of each package under each agent, nothing planned yet.

    Raises what `agent_of`, `judge_of` and `competitors` raise.
    """
    sets: dict[tuple[str, ...], StagedSet] = {}

    def staged(packages: Sequence[Package]) -> StagedSet:
        return sets.setdefault(tuple(sorted(package.path for package in packages)), StagedSet(packages))

    for each in wanted:
        with about(each.package.root):
            runs = _runs_of(each, universe, request, agent_of, judge_of, registry, staged)
        yield from runs


def _runs_of(
    each: WantedPackage,
    universe: Universe,
    request: BuildRequest,
    agent_of: AgentOf,
    judge_of: JudgeOf,
    registry: Registry,
    staged: Callable[[Sequence[Package]], StagedSet],
) -> list[PackageRun]:
    package, runs = each.package, list[PackageRun]()
    lock = read_package_lock(package)
    beside = competitors(package, universe.siblings)
    others = [other.name for other in universe.siblings if other is not package]
    inspect = cache(partial(inspect_package, package, others))
    for name in request.agents or package.manifest.agent:
        agent, evidence = agent_of(name, package, lock)
        judge = judge_of(package, agent, lock)
        asking = Asking(
            package=package,
            agent=agent.identity,
            model=request.model or package.manifest.model,
            needed=1 if agent.traits.deterministic else (request.group_size or package.manifest.samples.min) * request.groups,
            with_skill=staged([package, *beside]),
            without_skill=staged(beside),
            alone=staged([package]),
            judge=judge.by if judge is not None and not judge.refused else None,
        )
        runs.append(PackageRun(asking, agent, evidence, lock, each.stages, each.cases, registry, inspect, judge))
    return runs
