"""One case as `selftune show` tells it: what was asked, what came back, how it was judged."""

from __future__ import annotations

from msgspec import Struct

from selftune_build.model.case import Case
from selftune_build.model.lock import Row
from selftune_build.model.reason import Reason
from selftune_build.model.sample import Sample
from selftune_build.model.statistics import Flaky, Stolen
from selftune_build.model.verdict import CheckResult, Score


class ShownCheck(Struct, frozen=True):
    """One check on one sample: its id in the case, a label, its weight."""

    id: str
    check: str
    weight: int
    result: CheckResult


class ShownSample(Struct, frozen=True):
    """One sample; `counts` says whether it speaks for the text of today."""

    sample: Sample
    counts: bool
    activated: bool | None
    checks: tuple[ShownCheck, ...]
    score: Score


class ShownCase(Struct, frozen=True):
    """One row of one agent. Without samples there is only what the lock says, if it says anything."""

    target: str
    agent: str
    origin: str
    arm: str
    case: Case
    row: Row | None
    reasons: tuple[Reason, ...]
    """Why the row is stale; empty where it is up to date."""
    samples: tuple[ShownSample, ...]
    judge: str = ""
    """Who rules on checks that need a judge; empty without one, and where none does."""
    flaky: tuple[Flaky, ...] = ()
    """What of it holds only sometimes."""
    stolen: Stolen | None = None
    """Where it should trigger and another skill was used instead."""
