"""The event stream of pi (`--mode json`) as a reply. Everything here is pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from selftune_build.agents.hosts import Stream, Tools, Use, closing_program, refusal, replied
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind, Reply, Usage

REPEATED = b'{"type":"message_update"'
"""Events that hold a whole message again for every piece of it."""
_TOOLS = Tools(
    read={"read": "path"},
    write={"write": "path", "edit": "path"},
    shell={"bash": "command"},
)
_ENDED = ("stop", "length", "toolUse")
_TELLS_MODEL = "openai-completions"
"""The protocol over which pi notes a served model that differs from the one asked for."""


def reply(stream: Stream) -> Reply:
    """The reply. Raises AgentFailure where the last message is an error, or there is no end: its exit status is 0 in any case."""
    said = list(_said(stream))
    if not said or (stream.last("agent_end") is None and said[-1].get("stopReason") in _ENDED):
        raise AgentFailure(ErrorKind.PROTOCOL, "the event stream has no end: the program stopped before it was done")
    if said[-1].get("stopReason") not in _ENDED:
        raise refusal(str(said[-1].get("errorMessage") or "its last message does not say how it ended"))
    return replied(
        stream,
        _uses(stream),
        _TOOLS,
        output=_output(said),
        usage=usage(stream),
        model=_served(said[-1]),
        program=closing_program(stream, "pi"),
    )


def usage(stream: Stream) -> Usage | None:
    """The sums over all messages; tokens that went through a cache count as input. A cost of nothing: it knows no price."""
    counts = [message["usage"] for message in _said(stream) if isinstance(message.get("usage"), dict)]
    if not counts:
        return None
    given = sum(int(each.get(name) or 0) for each in counts for name in ("input", "cacheRead", "cacheWrite"))
    said = sum(int(each.get("output") or 0) for each in counts)
    cost = sum((Decimal(str((each.get("cost") or {}).get("total") or 0)) for each in counts), Decimal())
    return Usage(given, said, f"{cost:f}", unpriced=not cost, turns=len(counts))


def _said(stream: Stream) -> Iterator[dict[str, Any]]:
    """The messages of the model."""
    for event in stream.events:
        message = event.get("message")
        if event.get("type") == "message_end" and isinstance(message, dict) and message.get("role") == "assistant":
            yield message


def _uses(stream: Stream) -> Iterator[Use]:
    results = {event.get("toolCallId"): event for event in stream.events if event.get("type") == "tool_execution_end"}
    for event in stream.events:
        if event.get("type") == "tool_execution_start":
            result = results.get(event["toolCallId"])
            text = None if result is None else _text((result.get("result") or {}).get("content"))
            error = bool(result is not None and result.get("isError"))
            yield Use(str(event["toolName"]), dict(event.get("args") or {}), text, error)


def _text(content: Any) -> str:
    return "\n".join(str(part.get("text", "")) for part in content or () if isinstance(part, dict) and part.get("type") == "text")


def _output(said: list[dict[str, Any]]) -> str:
    """The last words."""
    return next((text for message in reversed(said) if (text := _text(message.get("content")))), "")


def _served(message: dict[str, Any]) -> str | None:
    named = message.get("responseModel") or (message.get("model") if message.get("api") == _TELLS_MODEL else None)
    return str(named) if named else None
