"""An agent that breaks each time and never answers: after a few questions nobody asks it the others."""

from __future__ import annotations

import threading

from selftune_build.engine.paying.taken import Taken, TakenKind
from selftune_build.limits import BREAKER_QUESTIONS, BREAKER_TIMEOUTS
from selftune_build.model.sample import ErrorKind

_NO_ANSWER = (TakenKind.BROKE, TakenKind.TIMED_OUT)


class Breaker:
    """Watches the questions of one agent or judge in one invocation, from several threads.

    One answer, and it never opens: errors that come and go are retried, and cost what is missing, never a build. Time limits
    are believed later: a skill that hangs in some cases is answered in others. What was never asked (no program, a script that
    may not run) is about its case and costs nothing.
    """

    def __init__(self, whom: str = "agent") -> None:
        self._whom = whom
        self._guard = threading.Lock()
        self._answered = False
        self._kind: ErrorKind | None = None
        self._in_a_row = 0

    @property
    def open(self) -> bool:
        """Whether there is no use in asking on."""
        with self._guard:
            most = BREAKER_TIMEOUTS if self._kind is ErrorKind.TIMEOUT else BREAKER_QUESTIONS
            return not self._answered and self._in_a_row >= most

    @property
    def stopped(self) -> Taken:
        """What becomes of the questions that are not asked any more."""
        return Taken(TakenKind.BROKE, message=f"stopped: the {self._whom} breaks each time")

    def note(self, taken: Taken) -> None:
        """How a question ended."""
        with self._guard:
            if taken.kind in (TakenKind.ANSWERED, TakenKind.FOUND):
                self._answered = True
            elif taken.kind in _NO_ANSWER and taken.error not in (None, ErrorKind.UNAVAILABLE):
                self._in_a_row = self._in_a_row + 1 if taken.error is self._kind else 1
                self._kind = taken.error
