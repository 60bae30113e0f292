"""Take one sample: claim the key, look again, stage, note the intent, ask, archive; and only then does anybody parse.

The order of writes is that of DESIGN section 9: an answer counts from the moment it is in its file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from selftune_build.agents.protocol import AgentFailure, Traits
from selftune_build.agents.staging import SkillSource, Stage, path_tokens, tokenise
from selftune_build.engine.judging.evidence import explanation
from selftune_build.engine.paying.asking import Ended
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.keeping import Means, is_whole, keep, plain
from selftune_build.engine.paying.recovery import recover
from selftune_build.errors import UndecidedError
from selftune_build.fingerprint.keys import call_id
from selftune_build.limits import SAMPLE_ATTEMPTS, SAMPLE_BACKOFF_MAX_S, SAMPLE_BACKOFF_S, SAMPLE_TIMEOUTS
from selftune_build.model.package import Package
from selftune_build.model.sample import ErrorKind
from selftune_build.process import NotStarted
from selftune_build.stages.row import RowSpec
from selftune_build.store.archive import Intent
from selftune_build.store.wip import Call


class TakenKind(StrEnum):
    """How an attempt to get one more sample ended."""

    ANSWERED = "answered"
    FOUND = "found"
    """Another process, or an earlier one that was killed, has paid for it."""
    TIMED_OUT = "timed-out"
    BROKE = "broke"
    NO_BUDGET = "no-budget"
    STOPPED = "stopped"


class Taken(Struct, frozen=True):
    """The end of one attempt: which sample of the cohort, and what to say about it."""

    kind: TakenKind
    index: int | None = None
    message: str = ""
    error: ErrorKind | None = None


def take_sample(spec: RowSpec, wanted: int, passed_over: Collection[int], means: Means) -> Taken:
    """Get one more sample of the row's cohort of today; FOUND where `wanted` are there already. Raises StoreError."""
    for digest, record in spec.staged.records().items():
        means.evidence.records.write(digest, record, means.durable)
    try:
        with means.evidence.store.claim(spec.key, explanation(spec), means.waiting, means.stop):
            recovered = recover(spec, means)
            means.evidence.forget(spec)
            if recovered or len(means.evidence.counted(spec).samples) >= wanted:
                return Taken(TakenKind.FOUND)
            index = _free_index(spec, passed_over, means)
            taken = tried(lambda: _attempt(spec, index, means), index, means)
            means.evidence.forget(spec)
            return taken
    except UndecidedError:
        return Taken(TakenKind.STOPPED)


def _taken(spec: RowSpec, means: Means) -> set[int]:
    """Indices of the cohort of today, also of answers that nobody can read any more: they are paid for."""
    return {archive.index for archive in means.evidence.store.archives(spec.key) if archive.staged == spec.staged.tree}


def _free_index(spec: RowSpec, passed_over: Collection[int], means: Means) -> int:
    taken = _taken(spec, means)
    index = means.first
    while index in taken or index in passed_over:
        index += 1
    return index


class Paying(Protocol):
    """What an attempt is paid from, and who may stop it."""

    @property
    def purse(self) -> Purse:
        """Counts the attempts."""

    @property
    def stop(self) -> threading.Event:
        """Start nothing new."""

    @property
    def cancel(self) -> threading.Event:
        """End what is running."""


def tried(call: Callable[[], None], index: int, means: Paying) -> Taken:
    """Try until an answer is there: a time limit twice, any other error three times. Every attempt is kept and counted.

    `call` makes one, and raises AgentFailure where that brings no answer.
    """
    failure = AgentFailure(ErrorKind.CRASH, "not tried")
    timeouts = 0
    for attempt in range(SAMPLE_ATTEMPTS):
        if attempt and _wait(failure, attempt, means.stop):
            return Taken(TakenKind.STOPPED, index)
        if means.stop.is_set():
            return Taken(TakenKind.STOPPED, index)
        if not means.purse.reserve():
            return Taken(TakenKind.NO_BUDGET, index, "the budget of this invocation is used up")
        try:
            call()
            return Taken(TakenKind.ANSWERED, index)
        except AgentFailure as error:
            failure = error
        if means.cancel.is_set():
            return Taken(TakenKind.STOPPED, index)
        timeouts += failure.kind is ErrorKind.TIMEOUT
        if timeouts >= SAMPLE_TIMEOUTS:
            return Taken(TakenKind.TIMED_OUT, index, failure.message, failure.kind)
        if failure.kind in (ErrorKind.UNAVAILABLE, ErrorKind.AUTH):
            break
    return Taken(TakenKind.BROKE, index, failure.message, failure.kind)


def _wait(failure: AgentFailure, attempt: int, stop: threading.Event) -> bool:
    """Back off before the next attempt, as long as the service asks for; True when told to stop meanwhile."""
    pause = SAMPLE_BACKOFF_S * 2 ** (attempt - 1) if failure.retry_after_s is None else failure.retry_after_s
    return stop.wait(min(pause, SAMPLE_BACKOFF_MAX_S))


def _attempt(spec: RowSpec, index: int, means: Means) -> None:
    """One call. Raises AgentFailure, the attempt then archived as such."""
    stage = open_stage(spec, means.traits)
    call = None
    try:
        if not means.traits.lazy:
            stage.place_all()
        with means.evidence.store.begin(spec.key, _intent(spec, index, stage, means), means.durable) as call:
            _ask(spec, call, stage, means)
    finally:
        # What could not be archived is still in its file, and the next run can use it only with the workspace it speaks of.
        if call is None or not call.path.exists():
            stage.close()


def _ask(spec: RowSpec, call: Call, stage: Stage, means: Means) -> None:
    started = time.monotonic()
    intent = call.intent
    try:
        ended = means.ask(spec, intent.call_id, intent.index, stage, call.answer)
    except NotStarted:
        call.withdraw()
        raise
    except AgentFailure as failure:
        failure.message = tokenise(failure.message, path_tokens(intent.workspace, intent.home))  # what is equal is told once
        if not (means.cancel.is_set() and is_whole(spec, call.raw(), means)):
            usage = means.evidence.billed(spec, call.raw())
            means.purse.settle(usage)
            call.fail(failure.kind.value, failure.message, plain(usage))
            raise
        ended = Ended()
    means.purse.settle(means.evidence.billed(spec, call.raw()))
    keep(spec, call, stage, ended, int((time.monotonic() - started) * 1000), means)


def commit_limit(spec: RowSpec, index: int, means: Means) -> None:
    """Keep a sample that hit its time limit twice as what it is: a failed one, unless another process had it answered since.

    Raises StoreError, and UndecidedError when cancelled while waiting for that process.
    """
    stage = open_stage(spec, means.traits)
    try:
        with means.evidence.store.claim(spec.key, explanation(spec), means.waiting, means.cancel):
            means.evidence.forget(spec)
            if index in _taken(spec, means):
                return
            with means.evidence.store.begin(spec.key, _intent(spec, index, stage, means), means.durable) as call:
                call.commit(limit=True)
            means.evidence.forget(spec)
    finally:
        stage.close()


def open_stage(spec: RowSpec, traits: Traits) -> Stage:
    """The workspace of a sample of this row, the skills where the host looks; nothing is on disk before it is asked for."""
    skills = {name: _source(package) for name, package in spec.staged.packages.items()}
    return Stage(spec.case.files, skills, traits.skills_folder)


def _source(package: Package) -> SkillSource:
    return SkillSource(package.name, Path(package.root), package.staged, package.overlay)


def _intent(spec: RowSpec, index: int, stage: Stage, means: Means) -> Intent:
    limits = spec.case.limits or spec.package.manifest.limits
    request = {"prompt": spec.case.prompt, "run": list(spec.case.run), "agent": means.agent_name}
    return Intent(
        call_id=call_id(spec.key, spec.staged.tree, index),
        static_key=spec.key,
        index=index,
        agent=means.agent_name,
        request={name: value for name, value in request.items() if value},
        staged=spec.staged.tree,
        initial=stage.initial(),
        workspace=str(stage.root),
        home=str(stage.home),
        timeout_s=limits.timeout_s,
        started=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
