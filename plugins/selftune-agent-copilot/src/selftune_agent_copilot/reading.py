"""The event stream of Copilot CLI (`--output-format json`) as a reply. Everything here is pure but `closing`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selftune_agent_copilot.invocation import PROGRAM
from selftune_build.agents.hosts import Stream, Tools, Use, closing_program, records, refusal, replied
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind, Reply, Usage

REPEATED = b'{"type":"assistant.message_delta"'
"""Events with the pieces of a message that comes whole later."""
_TOOLS = Tools(
    activate={"skill": "skill"},
    read={"view": "path"},
    write={"create": "path", "edit": "path"},
    shell={"bash": "command"},
)
_ASKED, _REFUSED = "model.call_start", "model.call_failure"


def reply(stream: Stream) -> Reply:
    """The reply. Raises AgentFailure where the stream has no result, or tells of an error."""
    result, error = stream.last("result"), stream.last("session.error")
    if error is not None:
        raise _refusal(error["data"], "message")
    if result is None:
        raise AgentFailure(ErrorKind.PROTOCOL, "the event stream has no result: the program ended before it was done")
    if result["exitCode"] != 0:
        raise AgentFailure(ErrorKind.REPORTED, f"the program ended with status {result['exitCode']}")
    return replied(
        stream,
        _uses(stream),
        _TOOLS,
        output=_output(stream),
        usage=usage(stream),
        program=closing_program(stream, "copilot"),
    )


def closing(home: Path) -> dict[str, Any]:
    """The version, and the tokens of every call, which the program notes in its home alone."""
    logs = sorted((home / ".copilot" / "session-state").glob("*/events.jsonl"))
    noted = [record.get("data") for record in (records(logs[0]) if logs else ()) if record.get("type") == "session.usage_record"]
    usages = [each["usage"] for each in noted if isinstance(each, dict) and isinstance(each.get("usage"), dict)]
    counts = [{name: each.get(name) for name in ("inputTokens", "outputTokens")} for each in usages]
    return {**PROGRAM.closing(home), "calls": counts}


def usage(stream: Stream) -> Usage | None:
    """The sums over all calls. It tells no costs."""
    calls = (stream.closing or {}).get("calls")
    if not calls:
        return None
    given, said = (sum(int(each.get(name) or 0) for each in calls) for name in ("inputTokens", "outputTokens"))
    return Usage(given, said, unpriced=True, turns=len(calls))


def waiting(stream: Stream) -> AgentFailure | None:
    """The refusal whose pause it was still keeping when its time was up."""
    last = stream.last(_ASKED, _REFUSED)
    return None if last is None or last["type"] == _ASKED else _refusal(last["data"], "errorMessage")


def _refusal(data: dict[str, Any], message: str) -> AgentFailure:
    status = data.get("statusCode")
    return refusal(str(data.get(message) or "it does not say what went wrong"), status if isinstance(status, int) else None)


def _uses(stream: Stream) -> Iterator[Use]:
    """A command that left with another status than 0 is one that failed, although the program calls it a success."""
    ends = {end.get("toolCallId"): end for end in _told(stream, "tool.execution_complete")}
    for start in _told(stream, "tool.execution_start"):
        end = ends.get(start["toolCallId"])
        failed = end is not None and (not end.get("success") or bool((end.get("shellExecution") or {}).get("exitCode")))
        yield Use(str(start["toolName"]), dict(start.get("arguments") or {}), _text(end), failed)


def _told(stream: Stream, kind: str) -> Iterator[dict[str, Any]]:
    return (event["data"] for event in stream.events if event.get("type") == kind)


def _text(end: dict[str, Any] | None) -> str | None:
    if end is None:
        return None
    return str((end.get("result") or {}).get("content") or (end.get("error") or {}).get("message") or "")


def _output(stream: Stream) -> str:
    """The last words."""
    said = [str(message.get("content") or "") for message in _told(stream, "assistant.message")]
    return next((text for text in reversed(said) if text), "")
