"""An agent as a lock remembers it: everything that enters keys, and nobody there to ask."""

from __future__ import annotations

from typing import Any, BinaryIO

from selftune_build.agents.protocol import AgentFailure, CompleteRequest, RunRequest, Traits
from selftune_build.model.lock import AgentEntry
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Reply, Usage

_NOBODY = "under --locked nobody is asked"


class LockedAgent:
    """Stands for the agent of a lock entry (`agents.protocol.Agent`), also where the plugin that supplied it is not installed.

    Raises ValueError for an origin that no release of ours writes.
    """

    def __init__(self, name: str, entry: AgentEntry) -> None:
        self.name = name
        self.identity: dict[str, Any] = entry.identity
        deterministic = entry.identity.get("deterministic") is True
        self.traits = Traits(EvidenceOrigin(entry.origin), deterministic=deterministic)

    def run(self, request: RunRequest, answer: BinaryIO) -> None:
        """Raises AgentFailure(UNAVAILABLE)."""
        raise AgentFailure(ErrorKind.UNAVAILABLE, _NOBODY)

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        """Raises AgentFailure(UNAVAILABLE)."""
        raise AgentFailure(ErrorKind.UNAVAILABLE, _NOBODY)

    def parse(self, raw: bytes) -> Reply:
        """Raises AgentFailure(UNAVAILABLE): only the plugin knows how."""
        raise AgentFailure(ErrorKind.UNAVAILABLE, _NOBODY)

    def billed(self, raw: bytes) -> Usage | None:
        """None: nothing is asked."""
        return None

    def unavailable(self) -> str | None:
        """Why it cannot be used."""
        return _NOBODY
