"""The committed evidence of one package (DESIGN 8.3)."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

Fields = dict[str, Any]
"""Fields of a newer revision that this release does not know; they survive a rewrite."""


class Row(Struct, frozen=True):
    """One case under one arm: the key its evidence belongs to, and the counts. Everything is an integer or a digest."""

    key: str
    observed: tuple[str, ...]
    n: int
    evidence: str
    triggered: int | UnsetType = UNSET
    """Samples in which the package under test was activated; unset where the agent does not tell, and for scripts."""
    passed: int | UnsetType = UNSET
    """Samples in which every check of the arm held; unset without checks and where a check was not measured."""
    extra: Fields = field(default_factory=dict)


class AgentEntry(Struct, frozen=True):
    """The evidence of one agent: its identity verbatim as it enters static keys, its rows and its verdicts."""

    identity: dict[str, Any]
    origin: str
    cases: dict[str, dict[str, Row]] = field(default_factory=dict)
    """Case → arm → row."""
    gates: dict[str, str] = field(default_factory=dict)
    extra: Fields = field(default_factory=dict)


class Lock(Struct, frozen=True):
    """A whole `selftune.lock`, its seals checked and left out."""

    package: str
    tree: str
    policy: str
    agents: dict[str, AgentEntry] = field(default_factory=dict)
    revision: int = 1
    extra: Fields = field(default_factory=dict)
    package_extra: Fields = field(default_factory=dict)
