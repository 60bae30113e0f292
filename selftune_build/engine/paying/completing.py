"""Ask one question in the role `complete`, durably: kept before it is parsed, and never paid twice.

An answer is a sample like any other (DESIGN section 9): its key covers the question and who is asked, its place is the
store, its order of writes is that of `engine.sampling`. There is no workspace, and nothing of a skill is staged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct

from selftune_build.agents.protocol import Agent, AgentFailure, CompleteRequest
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.keeping import charged, plain, reports
from selftune_build.engine.paying.taken import Taken, TakenKind
from selftune_build.engine.paying.trying import Enter, tried
from selftune_build.engine.request import Surroundings
from selftune_build.errors import UndecidedError
from selftune_build.fingerprint.digest import digest_json
from selftune_build.fingerprint.keys import Inputs, call_id, static_key
from selftune_build.limits import COMPLETION_ANSWERS, COMPLETION_SECONDS
from selftune_build.process import NotStarted
from selftune_build.reading.answer import InvalidAnswer, structured
from selftune_build.store.archive import Archive, Intent
from selftune_build.store.pool import Pool
from selftune_build.store.samples import SampleStore
from selftune_build.store.wip import Call

COMPLETION_FORMAT = "selftune.completion/1"
NOTHING_STAGED = digest_json({})
"""What a sample without a workspace is staged from."""

_Read = TypeVar("_Read")


class Completion(Struct, frozen=True):
    """A question whose answer is JSON that fits `schema`; whatever should make another answer stands in `prompt`."""

    prompt: str
    schema: dict[str, Any]
    timeout_s: int = COMPLETION_SECONDS


class Completer:
    """Asks one agent in the role `complete`, and keeps what it answers in the store. Raises nothing when made."""

    def __init__(
        self, agent: Agent, model: str | None, store: SampleStore, purse: Purse, around: Surroundings, pool: Pool | None = None
    ) -> None:
        self.agent = agent
        self.model = model
        """The model asked for, None for the agent's own default."""
        self.purse = purse
        self.stop = around.stop
        self.cancel = around.cancel
        self.costs: list[Decimal] = []
        """What answers that were read have cost, where the agent told."""
        self.reused = 0
        """Questions whose answer was there already."""
        self.pool = pool
        self.slots = None
        self.waiting = around.progress.waiting
        self._store = store

    def known(self, question: Completion, read: Callable[[Any], _Read]) -> _Read | None:
        """What the store already says to a question; None where nobody was asked yet. Asks nobody, writes nothing.

        Raises StoreError, and UndecidedError where all the answers that a question gets were invalid.
        """
        return self._settled(self._key(question), question, read)

    def ask(self, question: Completion, read: Callable[[Any], _Read]) -> _Read:
        """The answer to a question: from the store, else from the agent. `read` raises InvalidAnswer for what is none.

        Raises UndecidedError where no valid answer could be had, StoreError where it could not be kept.
        """
        key = self._key(question)
        answer = self._settled(key, question, read)
        if answer is not None:
            self.reused += 1
            return answer
        why = self.agent.unavailable()
        if why is not None:
            raise UndecidedError(why, code="agent-unavailable")
        with self._store.claim(key, _explanation(self._inputs(question)), self.waiting, self.stop):
            self._recover(key)
            while (answer := self._settled(key, question, read)) is None:
                self._take(key, question)
            return answer

    def _settled(self, key: str, question: Completion, read: Callable[[Any], _Read]) -> _Read | None:
        """The first valid answer in the store, None while more may be asked for."""
        fault = ""
        archives = self._store.archives(key)
        for archive in archives:
            try:
                return self._read(archive, question, read)
            except InvalidAnswer as error:
                fault = str(error)
        if len(archives) < COMPLETION_ANSWERS:
            return None
        raise UndecidedError(
            f"the agent `{self.agent.name}` answered {len(archives)} times, and never what it was asked: {fault}",
            code="answer-invalid",
            hint="its answers are kept and paid for; another --seed, --model or --agent asks anew",
        )

    def _read(self, archive: Archive, question: Completion, read: Callable[[Any], _Read]) -> _Read:
        if archive.cost is not None:
            self.costs.append(Decimal(str(archive.cost.get("cost_usd", 0))))
        try:
            output = self.agent.parse(archive.raw).output
        except AgentFailure as failure:
            raise InvalidAnswer(failure.message) from None
        return read(structured(output, question.schema))

    def _take(self, key: str, question: Completion) -> None:
        there = {archive.index for archive in self._store.archives(key)}
        index = min(set(range(len(there) + 1)) - there)
        taken = tried(lambda enter: self._attempt(key, question, index, enter), index, self)
        if taken.kind is not TakenKind.ANSWERED:
            raise self._no_answer(taken)

    def _no_answer(self, taken: Taken) -> UndecidedError:
        if taken.kind is TakenKind.STOPPED:
            return UndecidedError("interrupted: what was answered is kept", code="interrupted")
        if taken.kind is TakenKind.NO_BUDGET:
            return UndecidedError(taken.message, code="no-budget", hint="what was answered is kept; run again with more")
        return UndecidedError(f"the agent `{self.agent.name}` did not answer: {taken.message}", code="agent-failed")

    def _attempt(self, key: str, question: Completion, index: int, enter: Enter) -> None:
        enter()
        intent = _intent(key, question, index, self.agent.name)
        started = time.monotonic()
        with self._store.begin(key, intent, self._durable) as call:
            request = CompleteRequest(
                call_id=intent.call_id,
                prompt=question.prompt,
                model=self.model,
                timeout_s=question.timeout_s,
                schema=question.schema,
                cancel=self.cancel,
                sample=index,
            )
            try:
                self.agent.complete(request, call.answer)
            except NotStarted:
                call.withdraw()
                raise
            except AgentFailure as failure:
                if not (self.cancel.is_set() and self._is_whole(call.raw())):
                    self._fail(call, failure)
                    raise
            self._keep(call, int((time.monotonic() - started) * 1000), self.purse)

    def _keep(self, call: Call, milliseconds: int, purse: Purse | None = None) -> None:
        """Archive what came back; `purse` pays, where it was asked for in this invocation."""
        call.complete()
        cost = usage = self.agent.billed(call.raw())
        try:
            self.agent.parse(call.raw())
        except AgentFailure as failure:
            cost = charged(usage, failure)
            call.fail(failure.kind.value, failure.message, plain(usage))
            raise
        else:
            call.commit(cost=plain(usage), seconds_ms=milliseconds)
        finally:
            if purse is not None:
                purse.settle(cost)

    def _fail(self, call: Call, failure: AgentFailure) -> None:
        usage = self.agent.billed(call.raw())
        self.purse.settle(charged(usage, failure))
        call.fail(failure.kind.value, failure.message, plain(usage))

    def _recover(self, key: str) -> None:
        """Keep for free what calls of a process that was killed have answered since. Needs the claim."""
        for orphan in self._store.orphans(key, self._is_whole, self.waiting, self.stop):
            if orphan.call is None:
                self.waiting(f"a call sent at {orphan.intent.started} was never answered: it counts as spent, and is asked again")
                continue
            with orphan.call as call:
                try:
                    self._keep(call, 0)
                except AgentFailure as failure:
                    self.waiting(f"a call sent at {orphan.intent.started} was answered with an error: {failure.message}")

    def _is_whole(self, raw: bytes) -> bool:
        try:
            self.agent.parse(raw)
        except Exception as error:
            return reports(error)
        return True

    @property
    def _durable(self) -> bool:
        return not self.agent.traits.free

    def _key(self, question: Completion) -> str:
        return static_key(self._inputs(question))

    def _inputs(self, question: Completion) -> Inputs:
        """Everything that decides the answer, by name."""
        inputs: Inputs = {"format": COMPLETION_FORMAT, "prompt": question.prompt, "schema": question.schema}
        return {**inputs, **{f"agent {name}": value for name, value in self.agent.identity.items()}}


def _explanation(inputs: Inputs) -> bytes:
    return json.dumps(inputs, indent=1, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _intent(key: str, question: Completion, index: int, agent: str) -> Intent:
    return Intent(
        call_id=call_id(key, NOTHING_STAGED, index),
        static_key=key,
        index=index,
        agent=agent,
        request={"role": "complete", "prompt": question.prompt, "agent": agent},
        staged=NOTHING_STAGED,
        initial={},
        workspace="",
        home="",
        timeout_s=question.timeout_s,
        started=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
