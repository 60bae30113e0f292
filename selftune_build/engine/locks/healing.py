"""A lock with conflict markers → a lock, row by row and without asking anybody (DESIGN 8.3)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from selftune_build.agents.builtin import declared
from selftune_build.agents.locked import LockedAgent
from selftune_build.agents.protocol import Agent
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.load import Universe
from selftune_build.engine.locked.judge import locked_judges
from selftune_build.engine.locks.files import refuse_newer
from selftune_build.engine.outcome import Rows, decided, lock_of
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import kept_row
from selftune_build.engine.registry import Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.runs import package_runs
from selftune_build.engine.wanted import wanted_packages
from selftune_build.lock.parsing import LockReading
from selftune_build.model.lock import AgentEntry, Lock
from selftune_build.model.package import Package
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.store.location import find_store
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore

CONFLICT = "lock-conflict"
NOBODY = AgentEntry(identity={}, origin=EvidenceOrigin.LIVE.value)
"""Stands for an entry that the lock does not have."""


def is_conflicted(reading: LockReading) -> bool:
    """Whether a merge left markers in the lock."""
    return any(problem.code == CONFLICT for problem in reading.problems)


def healed_locks(universe: Universe, request: BuildRequest, registry: Registry) -> Iterator[tuple[Package, Lock]]:
    """The lock that each conflicted package should have: the rows of both sides that hold today, and what follows from them.

    Raises InputError for a lock of a newer version.
    """
    store = find_store(universe.root)
    samples, records = SampleStore(store), RecordStore(store)
    evidence, judge_of = Evidence(samples, records, LockedAgent("", NOBODY)), locked_judges(universe.root, samples, records)

    def agent_of(name: str, _package: Package, lock: LockReading) -> tuple[Agent, Evidence]:
        return LockedAgent(name, entries(lock, name)[0] if entries(lock, name) else NOBODY), evidence

    for wanted in wanted_packages(universe, request):
        runs = list(package_runs(universe, [wanted], request, agent_of, judge_of, registry))
        if not is_conflicted(runs[0].lock):
            continue
        refuse_newer(wanted.package, runs[0].lock)
        found = {run.agent.name: healed_entry(run, run.agent.name, universe) for run in runs}
        held = {name: entry for name, entry in found.items() if entry is not None}
        nothing = decided(runs[0], {})
        yield wanted.package, msgspec.structs.replace(lock_of(runs[0], nothing, {}), agents=held)


def entries(reading: LockReading, name: str) -> list[AgentEntry]:
    """What the sides of a lock say of an agent, each identity once."""
    found: list[AgentEntry] = []
    for side in reading.locks:
        entry = side.agents.get(name)
        if entry is not None and all(entry.identity != other.identity for other in found):
            found.append(entry)
    return found


def healed_entry(run: PackageRun, name: str, universe: Universe | None = None) -> AgentEntry | None:
    """The entry of an agent, whether or not `run` is one of it: of its rows on any side those that hold today.

    Where the sides measured with different identities, that one is kept which tree and manifest declare, else the one that
    more rows hold under, else ours.
    """
    runs = [_under(run, name, entry) for entry in entries(run.lock, name)]
    if not runs:
        return None
    rows = [_held(each) for each in runs]
    today = _identity_today(run, name, universe)
    chosen = max(range(len(runs)), key=lambda index: (runs[index].agent.identity == today, _count(rows[index]), -index))
    outcome = decided(runs[chosen], rows[chosen])
    return lock_of(runs[chosen], outcome, {}).agents[name]


def _under(run: PackageRun, name: str, entry: AgentEntry) -> PackageRun:
    asking = msgspec.structs.replace(run.asking, agent=entry.identity)
    agent, inspect = LockedAgent(name, entry), lambda: run.security
    return PackageRun(
        asking, agent, run.evidence, run.lock, run.stages, run.cases, run.registry, inspect=inspect, judge=run.judge
    )


def _identity_today(run: PackageRun, name: str, universe: Universe | None) -> object:
    if universe is None:
        return None
    known = declared(name, run.package.manifest, universe.root, run.asking.model)
    return known.identity if known.whole else None


def _held(run: PackageRun) -> Rows:
    rows: Rows = {}
    for spec in run.specs:
        row = kept_row(run.compared_by_lock(spec), run.lock.locks, run.agent.name)
        if row is not None:
            rows.setdefault(spec.case.id, {})[spec.arm.value] = row
    return rows


def _count(rows: Rows) -> int:
    return sum(map(len, rows.values()))
