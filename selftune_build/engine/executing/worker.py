"""The worker's side: look whether this process sees what the build sees, then make one attempt as a build would, and keep it.

The order of writes is that of `paying.sampling`; what is added is that a task which was begun once is begun by nobody else: its
file in flight, its sample or its failed attempt is there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from selftune_build import __version__
from selftune_build.agents.builtin import make_agent
from selftune_build.agents.protocol import Agent, AgentFailure
from selftune_build.engine.executing.task import (
    Asked,
    Cancel,
    Done,
    Probe,
    Site,
    Task,
    message_in,
    package_without_files,
    staged_in,
)
from selftune_build.engine.judging.evidence import SCRIPT_TRAITS, Evidence
from selftune_build.engine.paying.asking import agent_asker, script_asker
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.keeping import Means
from selftune_build.engine.paying.sampling import attempt
from selftune_build.engine.registry import Registry
from selftune_build.errors import SelftuneError, StoreError
from selftune_build.fingerprint.digest import digest_bytes, digest_json
from selftune_build.fingerprint.keys import Question, call_id
from selftune_build.graph.targets import Stage
from selftune_build.limits import EXECUTOR_CACHED
from selftune_build.model.case import Arm
from selftune_build.model.manifest import Limits, Manifest
from selftune_build.model.sample import ErrorKind, Usage
from selftune_build.stages.row import RowSpec, StagedSet
from selftune_build.store.archive import Intent
from selftune_build.store.guard import machine
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from selftune_build.store.wip import Call

RegistryOf = Callable[[str], Registry]
"""Folder of a workspace → what can be named in it."""


def answer_to(content: bytes, registry_of: RegistryOf) -> Done:
    """Do what a message asks for. Raises ValueError for a message of another version."""
    message = message_in(content)
    if isinstance(message, Cancel):
        _cancelled(message.token).set()
        return Done("seen")
    try:
        _look(message.site)
    except _Unseen as fault:
        return _refused(*fault.args)
    return Done("seen") if isinstance(message, Probe) else _performed(message, registry_of)


class _Begun(Exception):
    """Another run of the same task got there first."""


class _Ledger(Purse):
    """Notes what the one call has cost; the budget is the build's."""

    usage: Usage | None = Usage()
    """Nothing, as long as nobody was asked."""

    def settle(self, usage: Usage | None) -> None:
        """Keep it for the answer."""
        self.usage = usage


class _TaskStore(SampleStore):
    """The store, in which attempt `number` at a sample is begun once, whoever runs the task how often."""

    def __init__(self, root: Path, number: int) -> None:
        super().__init__(root)
        self._number = number

    def begin(self, static_key: str, intent: Intent, durable: bool = True) -> Call:
        """Note down what is about to be asked. Raises _Begun, nothing then sent, and StoreError."""
        try:
            call = super().begin(static_key, replace(intent, machine=machine()), durable)
        except StoreError:
            if self._is_kept(static_key, intent.call_id) or self.in_flight(static_key, intent.call_id).exists():
                raise _Begun from None
            raise
        # Whoever was through with it meanwhile has put his result there before he took his file away.
        if self._is_kept(static_key, intent.call_id):
            call.withdraw()
            raise _Begun
        return call

    def _is_kept(self, static_key: str, call_id: str) -> bool:
        return self.place(static_key, call_id).exists() or self.tries(static_key, call_id) >= self._number


class _Unseen(Exception):
    """This process cannot work there: `args` are why, and what helps."""


@lru_cache(maxsize=EXECUTOR_CACHED)
def _look(site: Site) -> None:
    """Raises _Unseen."""
    if site.version != __version__:
        raise _Unseen(f"it has selftune-build {__version__}, the build {site.version}", "install the same version on both")
    if RecordStore(Path(site.store)).read(site.token) is None:
        hint = "mount it on every worker by the same path, or name a folder that all of them see in $SELFTUNE_STORE"
        raise _Unseen(f"it does not see the store {site.store}", hint)
    if not os.access(site.store, os.W_OK):
        raise _Unseen(f"it may not write into the store {site.store}", "make it writable for the user of the worker")
    try:
        digest = digest_bytes(Path(site.file).read_bytes())
    except OSError:
        digest = ""
    if digest != site.digest:
        message = f"it does not see the workspace {site.root} as it is here ({site.file} differs, or is not there)"
        raise _Unseen(message, "mount it on every worker by the same path")


@cache
def _cancelled(token: str) -> threading.Event:
    return threading.Event()


def _performed(task: Task, registry_of: RegistryOf) -> Done:
    cancel, ledger = _cancelled(task.site.token), _Ledger()
    if cancel.is_set():
        return _refused("interrupted", kind=ErrorKind.CRASH)
    try:
        spec = _spec(task)
        means = _means(task, registry_of, ledger, cancel)
    except AgentFailure as failure:
        return _refused(failure.message)
    except StoreError as error:
        return Done("store", error.message, error.hint, code=error.code)
    try:
        attempt(spec, task.index, means, lambda: lambda: None)
    except _Begun:
        return Done("begun")
    except AgentFailure as failure:
        return Done("failed", failure.message, kind=failure.kind, retry_after_s=failure.retry_after_s, usage=ledger.usage)
    except SelftuneError as error:
        outcome = "store" if isinstance(error, StoreError) else "input"
        return Done(outcome, error.message, error.hint, code=error.code)
    return Done("kept", digest=_digest_of(means.evidence.store, task, spec), usage=ledger.usage)


def _refused(message: str, hint: str | None = None, kind: ErrorKind = ErrorKind.UNAVAILABLE) -> Done:
    """Nothing was begun here."""
    return Done("refused", message, hint, kind=kind, usage=Usage())


def _means(task: Task, registry_of: RegistryOf, ledger: Purse, cancel: threading.Event) -> Means:
    asked, is_script = task.agent, task.arm is Arm.SCRIPT
    agent = _agent(task.site.root, msgspec.json.encode(_NOBODY if is_script else asked), registry_of)
    store = Path(task.site.store)
    evidence = Evidence(_TaskStore(store, task.number), RecordStore(store), agent)
    ask = script_asker(cancel) if is_script else agent_asker(agent, asked.model, asked.allow_exec, cancel)
    traits = SCRIPT_TRAITS if is_script else agent.traits
    return Means(evidence, ask, traits, ledger, cancel, cancel, lambda _message: None, asked.name)


_NOBODY = Asked("embedded", None, None, "", True)
"""Stands where a script needs no agent."""


@lru_cache(maxsize=EXECUTOR_CACHED)
def _agent(root: str, encoded: bytes, registry_of: RegistryOf) -> Agent:
    """The agent that was asked for, made here. Raises AgentFailure where it is another one here, or cannot be used."""
    asked = msgspec.json.decode(encoded, type=Asked)
    agents = {asked.name: asked.definition} if asked.definition is not None else {}
    try:
        agent = make_agent(asked.name, Manifest(agents=agents), Path(root), asked.model, registry_of(root).agents)
    except SelftuneError as error:
        raise AgentFailure(ErrorKind.UNAVAILABLE, f"on {_here()}: {error.message}") from error
    if asked.identity and digest_json(agent.identity) != asked.identity:
        message = f"on {_here()} the agent `{asked.name}` is another one: install the same versions on every worker"
        raise AgentFailure(ErrorKind.UNAVAILABLE, message)
    why = agent.unavailable() if asked.identity else None
    if why is not None:
        raise AgentFailure(ErrorKind.UNAVAILABLE, f"on {_here()}: {why}")
    return agent


def _here() -> str:
    return os.uname().nodename


def _spec(task: Task) -> RowSpec:
    staged = _staged(task.site.store, task.staged)
    package = staged.packages.get(task.package) or package_without_files(task.package)
    question = Question(task.case, task.case.limits or Limits())  # whoever holds the key has told the store what it covers
    return RowSpec(package, Stage.REPLAY, task.case, task.arm, staged, question, task.key, (), None, 1, task.profile)


@lru_cache(maxsize=EXECUTOR_CACHED)
def _staged(store: str, digest: str) -> StagedSet:
    """The packages that samples are staged from. Raises StoreError where somebody removed their record."""
    record = RecordStore(Path(store)).read(digest)
    if record is None:
        raise StoreError(f"the record {digest} is not in the store {store}", hint="run again: it is written anew")
    return staged_in(record)


def _digest_of(store: SampleStore, task: Task, spec: RowSpec) -> str:
    path = store.place(task.key, call_id(task.key, spec.staged.tree, task.index))
    return digest_bytes(path.read_bytes())
