"""The committed evidence of one package (DESIGN 8.3)."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from selftune_build.model.manifest import Waiver

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


class JudgeEntry(Struct, frozen=True):
    """Who ruled on what needs a judge: name, identity verbatim as it enters keys, origin of its rulings."""

    name: str
    identity: dict[str, Any]
    origin: str
    extra: Fields = field(default_factory=dict)


class AgentEntry(Struct, frozen=True):
    """The evidence of one agent: its identity verbatim as it enters static keys, its rows and its verdicts."""

    identity: dict[str, Any]
    origin: str
    cases: dict[str, dict[str, Row]] = field(default_factory=dict)
    """Case → arm → row."""
    gates: dict[str, str] = field(default_factory=dict)
    judge: JudgeEntry | None = None
    """None where no row needs one."""
    extra: Fields = field(default_factory=dict)


class Lock(Struct, frozen=True):
    """A whole `selftune.lock`, its seals checked and left out."""

    package: str
    tree: str
    policy: str
    agents: dict[str, AgentEntry] = field(default_factory=dict)
    surface: tuple[str, ...] = ()
    """Sorted names of what the package can reach and run: `host:…`, `script:…`, `tool:…`."""
    accepted: tuple[Waiver, ...] = ()
    """The waivers of the manifest."""
    signatures: dict[str, str] = field(default_factory=dict)
    """Id of a key, or identity → its signature in base64 over the lock without them (ADRs 0048, 0057); unchecked."""
    revision: int = 1
    """Of whoever wrote it; a lock that needs a later one is rendered under that."""
    extra: Fields = field(default_factory=dict)
    package_extra: Fields = field(default_factory=dict)
