"""In what today's manifest and tree declare another agent, or another judge, than the one that a lock remembers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from selftune_build.agents.builtin import Declared


def other_identity(who: str, identity: Mapping[str, Any], origin: str, known: Declared) -> Iterator[str]:
    """One sentence for each difference; of a plugin's agent only as far as it is declared. `who`: "the agent 'house'"."""
    for name in sorted(known.identity):
        if identity.get(name) != known.identity[name]:
            yield f"{name!r} of {who} is not what was measured"
    if known.whole:
        yield from (f"{name!r} of {who} is declared no more" for name in sorted(identity.keys() - known.identity.keys()))
    if known.origin is not None and known.origin.value != origin:
        yield f"{who} gives {known.origin} evidence, and the lock says {origin}"
