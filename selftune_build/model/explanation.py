"""Why one row is up to date or stale."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from selftune_build.model.report import Reason


class Observed(Struct, frozen=True):
    """One thing that the samples behind a row saw, and its digest of today."""

    name: str
    digest: str


class Change(Struct, frozen=True):
    """One input of a key that differs; unset where it is not there at all."""

    input: str
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET


class Explanation(Struct, frozen=True):
    """One row: what it is keyed by, what speaks for it, what stands against that."""

    target: str
    arm: str
    agent: str
    state: Literal["up-to-date", "stale"]
    source: Literal["lock", "store", "nothing"]
    """What speaks for the row today."""
    n: int
    needed: int
    static_key: str
    asked: dict[str, Any]
    """Every input of the static key by name."""
    observed: tuple[Observed, ...] = ()
    reasons: tuple[Reason, ...] = ()
    changes: tuple[Change, ...] = ()
    """Difference to the nearest trace: inputs of the key as it was settled before, and as it is."""
    compared_with: str | None = None
    """Which row that trace is of; None where there is none."""
