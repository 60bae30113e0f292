"""One attempt at a sample, made by a worker: sent, waited for, and where the worker is lost looked up in the store.

What the worker was asked counts in the store alone: a sample that is there was answered, whatever became of the worker.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.agents.protocol import AgentFailure
from selftune_build.engine.executing.cluster import Cluster, Lost, NoWorker, Withdrawn
from selftune_build.engine.executing.task import Asked, Done, Task, asked_of, staged_record, task_of
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.paying.keeping import Means, charged
from selftune_build.engine.paying.recovery import recover
from selftune_build.engine.paying.trying import Enter
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import InputError, StoreError, UndecidedError
from selftune_build.fingerprint.digest import digest_bytes, digest_json
from selftune_build.fingerprint.keys import call_id
from selftune_build.limits import EXECUTOR_LOSSES, EXECUTOR_VISIBLE_S, STORE_ORPHAN_GRACE_S, STORE_WAIT_INTERVAL_S
from selftune_build.model.location import Location
from selftune_build.model.sample import ErrorKind, Usage
from selftune_build.process import NotStarted
from selftune_build.stages.row import RowSpec, StagedSet
from selftune_build.store.records import RecordStore


class _Call(Struct, frozen=True):
    """A sample that a worker is to take."""

    spec: RowSpec
    index: int
    means: Means

    @property
    def id(self) -> str:
        """Its call_id."""
        return call_id(self.spec.key, self.spec.staged.tree, self.index)

    @property
    def place(self) -> Path:
        """Where it will be."""
        return self.means.evidence.store.place(self.spec.key, self.id)

    @property
    def tries(self) -> int:
        """Failed attempts that were kept."""
        return self.means.evidence.store.tries(self.spec.key, self.id)


class Sender:
    """Makes the calls of one agent on the workers of a cluster (`paying.keeping.Attempt`)."""

    def __init__(self, cluster: Cluster, asked: Asked, jobs: int) -> None:
        self.jobs = jobs
        """How many at once."""
        self._cluster = cluster
        self._asked = asked
        self._records = RecordStore(cluster.store)
        self._staged: dict[int, tuple[StagedSet, str]] = {}

    def __call__(self, spec: RowSpec, index: int, means: Means, enter: Enter) -> None:
        """One attempt. Raises AgentFailure, the attempt then kept as such, InputError, StoreError, and UndecidedError when told
        to stop before it was begun."""
        call = _Call(spec, index, means)
        over = enter()
        try:
            done = self._done(call)
        except Withdrawn:
            means.purse.give_back()
            raise UndecidedError("interrupted before it was begun") from None
        except NoWorker as error:
            done = Done("refused", str(error), kind=ErrorKind.UNAVAILABLE, usage=Usage())
        finally:
            over()
        if done.outcome == "input":
            raise InputError(done.message, hint=done.hint, code=done.code)
        if done.outcome == "store":
            family = NotStarted if done.code == NotStarted.code else StoreError
            raise family(done.message, hint=done.hint, at=Location(str(call.place)))
        means.purse.settle(done.usage)
        if done.outcome != "kept":
            raise AgentFailure(done.kind or ErrorKind.UNAVAILABLE, done.message, retry_after_s=done.retry_after_s)

    def _done(self, call: _Call) -> Done:
        """What came of it, by the worker's word or by what the store has; sent again only where it was never begun."""
        why = ""
        number = call.tries + 1
        for _ in range(EXECUTOR_LOSSES):
            try:
                done = self._sent(call, number)
            except Lost as lost:
                done, why = Done("begun"), str(lost)
            if done.outcome == "kept":
                _await_sight(call, done.digest)
            if done.outcome not in ("begun", "refused"):
                return done
            # Another run of the task may have begun it, on a worker that is lost.
            found = _found(call, number, why)
            if found is not None:
                return found
            if done.outcome == "refused":
                return replace(done, message=f"a worker cannot work: {done.message}")
            if call.means.cancel.is_set():
                break
        return Done("refused", f"workers were lost before they began: {why}", kind=ErrorKind.UNAVAILABLE, usage=Usage())

    def _sent(self, call: _Call, number: int) -> Done:
        """Have a worker do it. Raises Lost, NoWorker and Withdrawn."""
        spec = call.spec
        task = task_of(spec, call.index, number, self._cluster.site, self._asked, self._record(spec.staged))
        return self._cluster.result(self._cluster.submit(task), _Watch(call, task), call.means.stop, call.means.cancel)

    def _record(self, staged: StagedSet) -> str:
        """The digest under which the store tells what a set is staged from; written once, and renewed for whoever tidies up."""
        if id(staged) not in self._staged:
            record = staged_record(staged)
            digest = digest_json(record)
            self._records.write(digest, record, durable=False)
            self._staged[id(staged)] = staged, digest
        return self._staged[id(staged)][1]


class _Watch:
    """Sees by its file whether a call is in flight (`cluster.Watch`); how long it waited for a worker does not count."""

    def __init__(self, call: _Call, task: Task) -> None:
        limits = task.case.limits
        assert limits is not None
        self._path = call.means.evidence.store.in_flight(call.spec.key, call.id)
        self._most = limits.timeout_s * (1 + len(task.case.setup)) + STORE_ORPHAN_GRACE_S
        self._since: float | None = None

    @property
    def begun(self) -> bool:
        """Whether it was seen in flight once."""
        if self._since is None and self._path.exists():
            self._since = time.monotonic()
        return self._since is not None

    @property
    def overdue(self) -> bool:
        """Whether it has been in flight for longer than it may be."""
        return self.begun and time.monotonic() - (self._since or 0) > self._most


def _found(call: _Call, number: int, why: str) -> Done | None:
    """What the store knows of a call whose worker is lost; None where it was never begun. Waits for a call that is in flight.

    Raises StoreError, and UndecidedError when told to stop meanwhile.
    """
    spec, means = call.spec, call.means
    recover(spec, means)
    for archive in means.evidence.store.archives(spec.key):
        if archive.call_id == call.id:
            return Done("kept", usage=means.evidence.billed(spec, archive.raw))
    if call.tries < number:
        return None
    last = means.evidence.store.attempts(spec.key, call.id)[-1]
    kind = ErrorKind(last.kind) if last.kind in set(ErrorKind) else ErrorKind.CRASH
    usage = None if last.usage is None else means.evidence.billed(spec, last.raw)
    failure = AgentFailure(kind, f"{last.message} ({why})" if why else last.message)
    return Done("failed", failure.message, kind=kind, usage=charged(usage, failure))


def _await_sight(call: _Call, digest: str) -> None:
    """Until what a worker kept is seen here too: network file systems remember for a while that a file was not there."""
    until = time.monotonic() + EXECUTOR_VISIBLE_S
    while not _is_seen(call.place, digest):
        if time.monotonic() > until:
            hint = "worker and build have to see one store: mount it with a coherent cache"
            raise StoreError(f"a worker kept {call.place}, which is not seen here", at=Location(str(call.place)), hint=hint)
        time.sleep(STORE_WAIT_INTERVAL_S)


def _is_seen(path: Path, digest: str) -> bool:
    try:
        return digest_bytes(path.read_bytes()) == digest
    except FileNotFoundError:
        return False


def sender_for(runs: Sequence[PackageRun], request: BuildRequest, cluster: Cluster) -> Sender:
    """Who makes the calls of these packages, which share an agent. Raises what `Cluster.open` raises."""
    agent, first = runs[0].agent, runs[0]
    jobs = cluster.open(run.package for run in runs)
    definition = first.package.manifest.agents.get(agent.name)
    return Sender(cluster, asked_of(agent, definition, first.asking.model, not request.no_exec), jobs)
