"""The judge as a lock remembers it, and in what today's manifest names another one. Nothing is asked and no plugin needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from selftune_build.agents.builtin import Declared, declared
from selftune_build.agents.locked import LockedAgent
from selftune_build.agents.protocol import Agent
from selftune_build.engine.judging.judge import Judge, JudgeOf, Opinions, asks_judge, configured
from selftune_build.engine.locked.identity import other_identity
from selftune_build.engine.package_run import PackageRun
from selftune_build.lock.parsing import LockReading
from selftune_build.model.lock import AgentEntry, JudgeEntry
from selftune_build.model.manifest import Manifest
from selftune_build.model.package import Package
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore


def locked_judges(root: Path, samples: SampleStore, records: RecordStore) -> JudgeOf:
    """The judge of the lock where the manifest still has one; where the lock has none, as far as the manifest declares it."""

    def judge_of(package: Package, agent: Agent, lock: LockReading) -> Judge | None:
        setting = package.manifest.judge
        if setting is None or not asks_judge(package):
            return None
        entry = _entry(lock, agent.name) or _declared_entry(package.manifest, root)
        judge = LockedAgent(entry.name, AgentEntry(entry.identity, entry.origin))
        return configured(setting, package, agent, judge, Opinions(samples, records, judge))

    return judge_of


def other_judge(run: PackageRun, entry: JudgeEntry | None, root: Path) -> Iterator[str]:
    """In what manifest and tree name another judge than the lock, one sentence each; nothing where nobody has to rule."""
    judged = [spec for spec in run.specs if spec.judge is not None]
    if not judged:
        if entry is not None:
            yield f"the lock has rulings of the judge {entry.name!r}, and no judge is to rule"
        return
    setting = run.package.manifest.judge
    if setting is None or entry is None:
        yield "the lock has no rulings of the judge that the manifest names"
        return
    if setting.agent != entry.name:
        yield f"the judge is {setting.agent!r}, and the lock has rulings of {entry.name!r}"
    known = _declared(run.package.manifest, root)
    yield from other_identity(f"the judge {entry.name!r}", entry.identity, entry.origin, known)


def _entry(lock: LockReading, agent: str) -> JudgeEntry | None:
    return next((side.agents[agent].judge for side in lock.locks if agent in side.agents), None)


def _declared(manifest: Manifest, root: Path) -> Declared:
    """Raises InputError for a program file of the workspace that cannot be read."""
    setting = manifest.judge
    if setting is None:
        return Declared({}, None, whole=False)
    return declared(setting.agent, manifest, root, setting.model)


def _declared_entry(manifest: Manifest, root: Path) -> JudgeEntry:
    known = _declared(manifest, root)
    name = manifest.judge.agent if manifest.judge is not None else ""
    return JudgeEntry(name, known.identity, (known.origin or EvidenceOrigin.LIVE).value)
