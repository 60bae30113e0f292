"""In what today's manifest and tree declare another agent, or another judge, than the one that a lock remembers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from selftune_build.agents.builtin import AGENTS, Declared
from selftune_build.engine.package_run import PackageRun
from selftune_build.model.location import Location
from selftune_build.model.report import Problem


def other_identity(who: str, identity: Mapping[str, Any], origin: str, known: Declared) -> Iterator[str]:
    """One sentence for each difference; of a plugin's agent only as far as it is declared. `who`: "the agent 'house'"."""
    for name in sorted(known.identity):
        if identity.get(name) != known.identity[name]:
            yield f"{name!r} of {who} is not what was measured"
    if known.whole:
        yield from (f"{name!r} of {who} is declared no more" for name in sorted(identity.keys() - known.identity.keys()))
    if known.origin is not None and known.origin.value != origin:
        yield f"{who} gives {known.origin} evidence, and the lock says {origin}"


def unknown_agent(run: PackageRun, root: Path) -> Problem | None:
    """What is wrong with a name that is nearly one that is known here, and where it stands; None for a name like none: that of a
    plugin's agent."""
    from selftune_build.meant import did_you_mean  # only who mistypes pays for it
    from selftune_build.reading.settings import agent_place

    name, manifest = run.agent.name, run.package.manifest
    known = {*AGENTS, *manifest.agents, *(agent for side in run.lock.locks for agent in side.agents)} - {"command"}
    fix = did_you_mean(name, known - {name}) if name not in {*AGENTS, *manifest.agents} else ""
    if not fix:
        return None
    at = agent_place(root, manifest.path, name) or Location(manifest.path or "")
    message = f"the lock has no evidence of the agent {name!r}, and nothing here has that name"
    return Problem("agent-changed", run.package.handle, message, at.path or None, at.line, fix, at.pointer)
