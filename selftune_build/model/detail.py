"""What only a page has room for: the cases themselves, their transcripts, minimums of gates, the change of the lock."""

from __future__ import annotations

from msgspec import Struct

from selftune_build.model.case import Case
from selftune_build.model.shown import ShownCase


class LockDiff(Struct, frozen=True):
    """What the lock of a package says otherwise than at a revision, one sentence a line."""

    revision: str
    lines: tuple[str, ...] = ()
    trouble: str = ""
    """Why there is nothing to compare with; empty where there is."""


class PackageDetail(Struct, frozen=True):
    """One package under one agent, as far as the counts of a report do not tell it. Dictionaries go by the target of a row."""

    cases: dict[str, Case] = {}
    shown: dict[str, ShownCase] = {}
    """The rows whose samples were looked for in the store; without samples there are none of them there."""
    minimums: dict[str, float] = {}
    """Metric → the least its gate asks for."""
    lock: LockDiff | None = None
    model: str | None = None
    """The model asked for; None: the agent's own default."""
