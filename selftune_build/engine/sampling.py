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

from msgspec import Struct

from selftune_build.agents.protocol import AgentFailure, Traits
from selftune_build.agents.staging import SkillSource, Stage
from selftune_build.engine.asking import Ask, Ended
from selftune_build.engine.budget import Purse
from selftune_build.engine.evidence import Evidence, explanation
from selftune_build.fingerprint.keys import call_id
from selftune_build.limits import SAMPLE_ATTEMPTS, SAMPLE_BACKOFF_MAX_S, SAMPLE_BACKOFF_S, SAMPLE_TIMEOUTS
from selftune_build.model.sample import ErrorKind, Usage
from selftune_build.stages.row import RowSpec
from selftune_build.store.archive import Intent
from selftune_build.store.orphan import Orphan
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


class Means(Struct, frozen=True):
    """What a sampler works with; `cancel` ends children, `stop` only keeps new ones from starting."""

    evidence: Evidence
    ask: Ask
    traits: Traits
    purse: Purse
    stop: threading.Event
    cancel: threading.Event
    waiting: Callable[[str], None]
    agent_name: str

    @property
    def durable(self) -> bool:
        """Whether what is written must survive a power cut: what was free can be had again."""
        return not self.traits.free


def take_sample(spec: RowSpec, wanted: int, passed_over: Collection[int], means: Means) -> Taken:
    """Get one more sample of the row's cohort of today; FOUND where `wanted` are there already. Raises StoreError."""
    for digest, record in spec.staged.records().items():
        means.evidence.records.write(digest, record, means.durable)
    store = means.evidence.store
    with store.claim(spec.key, explanation(spec), means.waiting, means.cancel):
        recovered = [
            _adopt(spec, orphan, means)
            for orphan in store.orphans(spec.key, _is_answer(spec, means), means.waiting, means.cancel)
        ]
        means.evidence.forget(spec)
        if any(recovered) or len(means.evidence.counted(spec).samples) >= wanted:
            return Taken(TakenKind.FOUND)
        return _sample(spec, _free_index(spec, passed_over, means), means)


def _is_answer(spec: RowSpec, means: Means) -> Callable[[bytes], bool]:
    def is_answer(raw: bytes) -> bool:
        try:
            means.evidence.parse(spec, raw)
        except AgentFailure as failure:
            return failure.kind is ErrorKind.REPORTED
        return True

    return is_answer


def _adopt(spec: RowSpec, orphan: Orphan, means: Means) -> bool:
    """Keep the answer of a call whose process was killed, for free; without its workspace its reads and files are lost."""
    if orphan.call is None:
        return False
    with orphan.call as call:
        stage = Stage.reopen(orphan.intent.workspace, orphan.intent.initial, means.traits.skills_folder)
        if stage is None:
            call.fail("unknown", "the answer is here, the folder it was given in is gone")
            return False
        try:
            _keep(spec, call, stage, Ended(), 0, means)
        except AgentFailure:
            return False
        finally:
            stage.close()
        return True


def _free_index(spec: RowSpec, passed_over: Collection[int], means: Means) -> int:
    taken = {sample.index for sample in means.evidence.samples(spec) if sample.staged_tree == spec.staged.tree}
    index = 0
    while index in taken or index in passed_over:
        index += 1
    return index


def _sample(spec: RowSpec, index: int, means: Means) -> Taken:
    """Try until an answer is there: a time limit twice, any other error three times. Every attempt is kept and counted."""
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
            _attempt(spec, index, means)
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
    try:
        if not means.traits.lazy:
            stage.place_all()
        call = means.evidence.store.begin(spec.key, _intent(spec, index, stage, means), means.durable)
        with call:
            _ask(spec, call, stage, means)
    finally:
        stage.close()


def _ask(spec: RowSpec, call: Call, stage: Stage, means: Means) -> None:
    started = time.monotonic()
    intent = call.intent
    try:
        ended = means.ask(spec, intent.call_id, intent.index, stage, call.answer)
    except AgentFailure as failure:
        usage = means.evidence.billed(spec, call.raw())
        means.purse.settle(usage)
        call.fail(failure.kind.value, failure.message, _plain(usage))
        raise
    _keep(spec, call, stage, ended, int((time.monotonic() - started) * 1000), means)


def _keep(spec: RowSpec, call: Call, stage: Stage, ended: Ended, milliseconds: int, means: Means) -> None:
    """Make what came back durable, then see whether it is an answer and archive it as that. Raises AgentFailure where not."""
    call.complete()
    usage = means.evidence.billed(spec, call.raw())
    means.purse.settle(usage)
    try:
        means.evidence.parse(spec, call.raw())
    except AgentFailure as failure:
        call.fail(failure.kind.value, failure.message, _plain(usage))
        raise
    call.commit(
        touched=stage.touched(),
        files=stage.changes(),
        exit_status=ended.exit_status,
        stderr=ended.stderr,
        cost=_plain(usage),
        seconds_ms=milliseconds,
    )


def commit_limit(spec: RowSpec, index: int, means: Means) -> None:
    """Keep a sample that hit its time limit twice as what it is: a failed one. Raises StoreError."""
    stage = open_stage(spec, means.traits)
    try:
        with means.evidence.store.claim(spec.key, explanation(spec), means.waiting, means.cancel):
            with means.evidence.store.begin(spec.key, _intent(spec, index, stage, means), means.durable) as call:
                call.commit(limit=True)
            means.evidence.forget(spec)
    finally:
        stage.close()


def open_stage(spec: RowSpec, traits: Traits) -> Stage:
    """The workspace of a sample of this row, the skills where the host looks; nothing is on disk before it is asked for."""
    skills = {name: SkillSource(name, Path(package.root), package.staged) for name, package in spec.staged.packages.items()}
    return Stage(spec.case.files, skills, traits.skills_folder)


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


def _plain(usage: Usage | None) -> dict[str, object] | None:
    if usage is None:
        return None
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, "cost_usd": usage.cost_usd}
