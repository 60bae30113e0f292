"""Try a call until it brings an answer: within its budget, in its turn, and again where that may help."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from selftune_build.agents.protocol import AgentFailure
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.slots import Slot, Slots
from selftune_build.engine.paying.taken import Taken, TakenKind
from selftune_build.limits import SAMPLE_ATTEMPTS, SAMPLE_BACKOFF_MAX_S, SAMPLE_BACKOFF_S, SAMPLE_REFUSALS, SAMPLE_TIMEOUTS
from selftune_build.model.sample import ErrorKind
from selftune_build.process import NotStarted
from selftune_build.store.pool import NOBODYS, Pool, PoolShut, lasting


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


Over = Callable[[], None]
"""To be told when nobody works on a call any more: then another may be made. Telling it again does nothing."""

Enter = Callable[[], Over]
"""To be asked when everything is ready for a call: waits for its turn."""


class _Turned(Exception):
    """There is no turn for this call; what came of it instead."""

    def __init__(self, taken: Taken) -> None:
        super().__init__(taken.message)
        self.taken = taken


def tried(call: Callable[[Enter], None], index: int, means: Paying) -> Taken:
    """Try until an answer is there. Every attempt is kept and counted.

    `call` makes one, after it has entered, and raises AgentFailure where it brings no answer.
    """
    patience = _Patience(means.pool)
    while not patience.over:
        if patience.rest(means.stop):
            return Taken(TakenKind.STOPPED, index)
        if not means.purse.reserve():
            return Taken(TakenKind.NO_BUDGET, index, "the budget of this invocation is used up")
        try:
            failure = _called(call, _Door(index, means))
        except _Turned as instead:
            means.purse.give_back()
            return instead.taken
        except NotStarted:
            means.purse.give_back()
            raise
        if failure is None:
            return Taken(TakenKind.ANSWERED, index)
        if means.cancel.is_set():
            return Taken(TakenKind.STOPPED, index)
        patience.note(failure)
        if patience.timed_out:
            return Taken(TakenKind.TIMED_OUT, index, failure.message, failure.kind)
    return Taken(TakenKind.BROKE, index, patience.failure.message, patience.failure.kind)


def _called(call: Callable[[Enter], None], door: _Door) -> AgentFailure | None:
    """Make one call, and tell its pool how that went; what it failed of."""
    try:
        call(door.enter)
    except AgentFailure as failure:
        if said_when(failure):
            door.turn.refused(failure.retry_after_s)
        return failure
    else:
        door.turn.answered()
        return None
    finally:
        door.close()


class _Door:
    """Where one call waits for leave to ask: of its invocation, then of the service."""

    def __init__(self, index: int, means: Paying) -> None:
        self.turn = NOBODYS
        self._index = index
        self._means = means
        self._slot = Slot()

    def enter(self) -> Over:
        """Wait for both. Raises _Turned where there is no turn, and StoreError."""
        means = self._means
        slot = means.slots.take(means.stop) if means.slots is not None else self._slot
        if slot is None:
            raise _Turned(Taken(TakenKind.STOPPED, self._index))
        self._slot = slot
        try:
            turn = means.pool.enter(means.waiting, means.stop) if means.pool is not None else NOBODYS
        except PoolShut as shut:
            message = f"the service asked everybody to come back in {lasting(shut.seconds)}"
            raise _Turned(Taken(TakenKind.BROKE, self._index, message)) from shut
        if turn is None:
            raise _Turned(Taken(TakenKind.STOPPED, self._index))
        self.turn = turn
        return self.close

    def close(self) -> None:
        """Let others ask; calling it again does nothing."""
        self.turn.close()
        self._slot.release()
