"""A reply put together from what a stream holds, in hosts of which the calls of tools tell the rest."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.agents.hosts.stream import Stream, bounded
from selftune_build.agents.hosts.uses import Tools, Use, activated, calls_of, files_read, refused
from selftune_build.model.sample import Reply, Usage


def replied(
    stream: Stream,
    uses: Iterable[Use],
    tools: Tools,
    *,
    output: str,
    usage: Usage | None,
    program: str | None,
    model: str | None = None,
) -> Reply:
    """The reply: activations, reads, calls and refused writes by the calls of tools, the rest as given."""
    calls = list(uses)
    return Reply(
        output=output,
        skills_used=activated(stream.opening, calls, tools),
        files_read=files_read(stream.opening, calls, tools),
        tool_calls=calls_of(calls),
        usage=usage,
        model=model,
        program=program,
        refused=bounded(refused(stream.opening, calls, tools)),
    )


def closing_program(stream: Stream, name: str) -> str | None:
    """Name and version of a program, as the closing line has them."""
    version = (stream.closing or {}).get("version")
    return f"{name} {version}" if version else None
