"""An agent that breaks each time and never answers: after a few questions nobody asks it the others."""

from __future__ import annotations

import threading

from selftune_build.engine.paying.sampling import Taken, TakenKind
from selftune_build.limits import BREAKER_QUESTIONS
from selftune_build.model.sample import ErrorKind

STOPPED = "stopped: the agent breaks each time"


class Breaker:
    """Watches the questions of one agent in one invocation, from several threads.

    One answer, and it never opens: errors that come and go are retried, and cost what is missing, never a build. What was
    never asked (no program, a script that may not run) is about its case and costs nothing.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._answered = False
        self._kind: ErrorKind | None = None
        self._in_a_row = 0

    @property
    def open(self) -> bool:
        """Whether there is no use in asking on."""
        with self._guard:
            return not self._answered and self._in_a_row >= BREAKER_QUESTIONS

    def note(self, taken: Taken) -> None:
        """How a question ended."""
        with self._guard:
            if taken.kind in (TakenKind.ANSWERED, TakenKind.FOUND):
                self._answered = True
            elif taken.kind is TakenKind.BROKE and taken.error not in (None, ErrorKind.UNAVAILABLE):
                self._in_a_row = self._in_a_row + 1 if taken.error is self._kind else 1
                self._kind = taken.error
            elif taken.kind is TakenKind.TIMED_OUT:
                self._in_a_row = 0
