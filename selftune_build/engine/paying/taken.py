"""How an attempt to get one more sample ended."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from selftune_build.model.sample import ErrorKind


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
