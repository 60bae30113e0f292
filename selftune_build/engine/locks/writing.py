"""The locks of a build, written last: what they rest on is durable by then."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from selftune_build.engine.judging.remarks import noted as remarks_noted
from selftune_build.engine.locks.files import write_lock
from selftune_build.engine.locks.healing import healed_entry, is_conflicted
from selftune_build.engine.outcome import lock_of, settled_spec
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import settled_inputs
from selftune_build.engine.planning.tracing import trace_address
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.telling.summary import Settled
from selftune_build.fingerprint.keys import Inputs
from selftune_build.lock.signatures import with_signatures
from selftune_build.model.lock import AgentEntry, Lock
from selftune_build.model.package import Package
from selftune_build.probe import about
from selftune_build.store.traces import Traces


def write_locks(settled: Sequence[Settled], request: BuildRequest, traces: Traces) -> dict[str, bool]:
    """Evidence is durable by now; the lock comes last. Raises SelftuneError.

    Returns the folders whose lock is another now, and whether a signature was lost by that.
    """
    written: dict[str, bool] = {}
    noted: dict[str, Inputs] = {}
    by_package: dict[str, list[Settled]] = {}
    for each in settled:
        noted.update(_traces(each))
        by_package.setdefault(each.run.package.path, []).append(each)
    for group in by_package.values():
        before, lock, package = group[0].run.lock, _merged_lock(group), group[0].run.package
        with about(package.root):
            is_new = _may_write(package, request) and write_lock(package, lock)
        if is_new:
            written[package.path] = any(side.signatures.keys() - lock.signatures.keys() for side in before.locks)
    traces.write(noted)
    return written


def _may_write(package: Package, request: BuildRequest) -> bool:
    """Only evidence of agents and models that the manifest names belongs in the lock, and nothing of an A/A run (ADR 0031)."""
    named = set(request.agents) <= set(package.manifest.agent)
    return request.groups == 1 and named and request.model in (None, package.manifest.model)


def _merged_lock(group: Sequence[Settled]) -> Lock:
    first = group[0]
    entries = _other_entries(first.run, {each.run.agent.name for each in group})
    for each in group:
        lock = lock_of(each.run, each.outcome, entries)
        entries = lock.agents
    return with_signatures(lock, first.run.lock.locks)


def _other_entries(run: PackageRun, built: Collection[str]) -> dict[str, AgentEntry]:
    """The entries of the other agents that the manifest names: as they stand, of a merge row by row."""
    others = [name for name in run.package.manifest.agent if name not in built]
    if not is_conflicted(run.lock):
        found = {name: entry for lock in run.lock.locks for name, entry in lock.agents.items()}
        return {name: found[name] for name in others if name in found}
    return {name: entry for name in others if (entry := healed_entry(run, name)) is not None}


def _traces(settled: Settled) -> dict[str, Inputs]:
    rows = settled.outcome.rows
    noted: dict[str, Inputs] = {}
    for plan in settled.run.plans:
        row = rows.get(plan.spec.case.id, {}).get(plan.spec.arm.value)
        if row is not None:
            noted[trace_address(settled.run, plan.spec)] = settled_inputs(settled_spec(plan.spec, rows), row.observed)
    return noted | dict(remarks_noted(settled.run, settled.outcome.remarks))
