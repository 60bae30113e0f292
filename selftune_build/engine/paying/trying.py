"""Try a call until it brings an answer: within its budget, in its turn, and again where that may help."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from selftune_build.agents.protocol import AgentFailure
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.slots import Slot, Slots
from selftune_build.limits import SAMPLE_ATTEMPTS, SAMPLE_BACKOFF_MAX_S, SAMPLE_BACKOFF_S, SAMPLE_REFUSALS, SAMPLE_TIMEOUTS
from selftune_build.model.sample import ErrorKind
from selftune_build.process import NotStarted
from selftune_build.store.pool import NOBODYS, Pool, PoolShut, Turn, lasting


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


class Paying(Protocol):
    """What an attempt is paid from, whose turn it takes, and who may stop it."""

    @property
    def purse(self) -> Purse:
        """Counts the attempts."""

    @property
    def pool(self) -> Pool | None:
        """What the service puts up with; None for what asks none."""

    @property
    def slots(self) -> Slots | None:
        """Who of an invocation may ask now; None where one thread asks."""

    @property
    def stop(self) -> threading.Event:
        """Start nothing new."""

    @property
    def cancel(self) -> threading.Event:
        """End what is running."""

    @property
    def waiting(self) -> Callable[[str], None]:
        """Hears for whom it is waited, and how long."""


class _Patience:
    """How often one sample was tried: a time limit twice, any other error three times.

    To be turned away counts only where nobody was answered meanwhile: a service that serves others will serve this one.
    """

    def __init__(self, pool: Pool | None) -> None:
        self._pool = pool
        self._answers = pool.answers if pool is not None else 0
        self._tries = 0
        self._timeouts = 0
        self._refusals = 0
        self.failure = AgentFailure(ErrorKind.CRASH, "not tried")

    def note(self, failure: AgentFailure) -> None:
        """One more try has failed."""
        before, self._answers = self._answers, self._pool.answers if self._pool is not None else 0
        others_answered = self._answers > before
        self.failure = failure
        self._timeouts += failure.kind is ErrorKind.TIMEOUT
        self._refusals += failure.kind is ErrorKind.RATE_LIMIT
        self._tries += not (failure.kind is ErrorKind.RATE_LIMIT and others_answered)

    @property
    def timed_out(self) -> bool:
        """Whether it hit its limit so often that this is what there is to say."""
        return self._timeouts >= SAMPLE_TIMEOUTS

    @property
    def over(self) -> bool:
        """Whether there is no use in trying on."""
        hopeless = self.failure.kind in (ErrorKind.UNAVAILABLE, ErrorKind.AUTH)
        return hopeless or self._tries >= SAMPLE_ATTEMPTS or self._refusals >= SAMPLE_REFUSALS

    def rest(self, stop: threading.Event) -> bool:
        """Back off before the next try; True when told to stop meanwhile. Of a service that said when, the pool knows."""
        if not self._tries or said_when(self.failure):
            return stop.is_set()
        return stop.wait(min(SAMPLE_BACKOFF_S * 2 ** (self._tries - 1), SAMPLE_BACKOFF_MAX_S))


def said_when(failure: AgentFailure) -> bool:
    """Whether a service told everybody to come later."""
    return failure.kind is ErrorKind.RATE_LIMIT or failure.retry_after_s is not None


def tried(call: Callable[[Callable[[], None]], None], index: int, means: Paying) -> Taken:
    """Try until an answer is there. Every attempt is kept and counted.

    `call` makes one, tells what it is given when nobody works on it any more, and raises AgentFailure where it brings no answer.
    """
    patience = _Patience(means.pool)
    while not patience.over:
        if patience.rest(means.stop):
            return Taken(TakenKind.STOPPED, index)
        if not means.purse.reserve():
            return Taken(TakenKind.NO_BUDGET, index, "the budget of this invocation is used up")
        turn = _turn(index, means)
        if isinstance(turn, Taken):
            means.purse.give_back()
            return turn
        failure = _called(call, turn, means)
        if failure is None:
            return Taken(TakenKind.ANSWERED, index)
        if means.cancel.is_set():
            return Taken(TakenKind.STOPPED, index)
        patience.note(failure)
        if patience.timed_out:
            return Taken(TakenKind.TIMED_OUT, index, failure.message, failure.kind)
    return Taken(TakenKind.BROKE, index, patience.failure.message, patience.failure.kind)


class _Turn(Struct, frozen=True):
    """Leave to ask: of this invocation, and of the service."""

    slot: Slot
    of_pool: Turn

    def close(self) -> None:
        """Let others ask; calling it again does nothing."""
        self.of_pool.close()
        self.slot.release()


def _turn(index: int, means: Paying) -> _Turn | Taken:
    """Wait for leave to ask; what came of the call where there is none."""
    slot = means.slots.take(means.stop) if means.slots is not None else Slot()
    if slot is None:
        return Taken(TakenKind.STOPPED, index)
    turn = None
    try:
        turn = means.pool.enter(means.waiting, means.stop) if means.pool is not None else NOBODYS
    except PoolShut as shut:
        return Taken(TakenKind.BROKE, index, f"the service asked everybody to come back in {lasting(shut.seconds)}")
    finally:
        if turn is None:
            slot.release()
    return _Turn(slot, turn) if turn is not None else Taken(TakenKind.STOPPED, index)


def _called(call: Callable[[Callable[[], None]], None], turn: _Turn, means: Paying) -> AgentFailure | None:
    """Make one call in its turn, and tell its pool how that went; what it failed of."""
    try:
        call(turn.close)
    except AgentFailure as failure:
        if said_when(failure):
            turn.of_pool.refused(failure.retry_after_s)
        return failure
    except NotStarted:
        means.purse.give_back()
        raise
    else:
        turn.of_pool.answered()
        return None
    finally:
        turn.close()
