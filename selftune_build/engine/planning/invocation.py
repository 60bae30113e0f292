"""Plan an invocation: which packages, under which agents, and for every row whether evidence is there. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from selftune_build.agents.builtin import make_agent
from selftune_build.agents.protocol import Agent
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.judging.judge import judges
from selftune_build.engine.judging.remarks import recall_remarks
from selftune_build.engine.load import Universe
from selftune_build.engine.locks.files import refuse_newer
from selftune_build.engine.package_run import PackageRun, failing_cases
from selftune_build.engine.planning.tracing import tracer
from selftune_build.engine.registry import Registry
from selftune_build.engine.request import BuildRequest, Shared
from selftune_build.engine.runs import AgentOf, package_runs
from selftune_build.engine.wanted import wanted_packages
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.lock.parsing import LockReading
from selftune_build.model.package import Package
from selftune_build.probe import about
from selftune_build.store.location import find_store
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from selftune_build.store.traces import Traces


class Stores(Struct, frozen=True):
    """The parts of the store that an invocation works with."""

    samples: SampleStore
    records: RecordStore
    traces: Traces
    shared: Shared | None = None
    """The remote whose samples count as well."""


class Planned(Struct, frozen=True):
    """What is asked for, grouped by agent, every row decided."""

    universe: Universe
    registry: Registry
    stores: Stores
    groups: list[list[PackageRun]]


def plan(universe: Universe, request: BuildRequest, registry: Registry, shared: Shared | None = None) -> Planned:
    """The plan of a build that nobody starts; a store that is missing stays missing. Raises SelftuneError."""
    stores = stores_at(find_store(universe.root), universe, lambda _message: None, shared)
    return Planned(universe, registry, stores, plan_rows(universe, request, stores, registry))


def stores_at(root: Path, universe: Universe, warn: Callable[[str], None], shared: Shared | None = None) -> Stores:
    """The parts of the store at `root`; `warn` hears of every file that is moved aside."""
    samples, records = (SampleStore(root, warn), RecordStore(root)) if shared is None else shared.stores(root, warn)
    return Stores(samples, records, Traces(root, universe.root), shared)


def plan_rows(universe: Universe, request: BuildRequest, stores: Stores, registry: Registry) -> list[list[PackageRun]]:
    """The packages that are asked for, grouped by agent, every row decided; nothing is asked. Raises SelftuneError."""
    every = undecided(universe, request, stores, registry)
    for run in every:
        refuse_newer(run.package, run.lock)
    groups = _group_by_agent(every)
    for runs in groups:
        _plan(runs, request, stores.traces)
    recall_remarks(every, stores.traces)
    if stores.shared is not None:
        from selftune_build.engine.planning.fetching import fetch_missing

        fetch_missing(groups, stores.shared, lambda runs: _plan(runs, request, stores.traces))
    return groups


def undecided(universe: Universe, request: BuildRequest, stores: Stores, registry: Registry) -> list[PackageRun]:
    """The packages that are asked for under their agents, with their rows; the store is not looked at. Raises SelftuneError."""
    agents = _agents(universe, request, stores, registry)
    judge_of = judges(universe.root, stores.samples, stores.records, registry)
    return list(package_runs(universe, wanted_packages(universe, request), request, agents, judge_of, registry))


def _agents(universe: Universe, request: BuildRequest, stores: Stores, registry: Registry) -> AgentOf:
    """Packages that name the same agent share it, and what was read of its samples."""
    made: dict[str, tuple[Agent, Evidence]] = {}

    def agent_of(name: str, package: Package, _lock: LockReading) -> tuple[Agent, Evidence]:
        model = request.model or package.manifest.model
        agent = make_agent(name, package.manifest, universe.root, model, registry.agents)
        return made.setdefault(agent_group(agent, model), (agent, Evidence(stores.samples, stores.records, agent)))

    return agent_of


def agent_group(agent: Agent, model: str | None) -> str:
    """Equal for agents that packages can share: names their group among the reports of an invocation."""
    return digest_bytes(repr((agent.name, sorted(agent.identity.items()), agent.traits, model)).encode("utf-8", "replace"))


def _group_by_agent(runs: Sequence[PackageRun]) -> list[list[PackageRun]]:
    groups: dict[int, list[PackageRun]] = {}
    for run in runs:
        groups.setdefault(id(run.agent), []).append(run)
    return list(groups.values())


def _plan(runs: Sequence[PackageRun], request: BuildRequest, traces: Traces) -> None:
    for run in runs:
        with about(run.package.root):
            run.plan(tracer(run, traces), request.resample, failing_cases(run) if request.failed else None)
