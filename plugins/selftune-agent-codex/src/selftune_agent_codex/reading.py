"""The event stream of `codex exec --json`, with what its session log adds, as a reply. Everything here is pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selftune_build.agents.hosts import Stream, bounded, refusal, refusals_in
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage

SHELL, PATCH, SCRIPT = "exec_command", "apply_patch", "exec"
"""A newer model is offered `exec` alone: it writes a script that calls the other tools."""


def reply(stream: Stream) -> Reply:
    """The reply. Raises AgentFailure where the turn failed or has no end."""
    failed = stream.last("turn.failed")
    if failed is not None:
        raise refusal(str((failed.get("error") or {}).get("message") or "the turn failed"))
    if stream.last("turn.completed") is None:
        raise AgentFailure(ErrorKind.PROTOCOL, "the event stream has no end: the program stopped before it was done")
    closing = stream.closing if stream.closing is not None and "calls" in stream.closing else None
    return Reply(
        output=_output(stream),
        skills_used=_activated(stream),
        files_read=None,
        tool_calls=None if closing is None else tuple(ToolCall(call["name"], call["input"]) for call in closing["calls"]),
        usage=usage(stream),
        program=f"codex {closing['version']}" if closing and closing.get("version") else None,
        refused=bounded(_refused(stream, closing["calls"] if closing else [])),
    )


def usage(stream: Stream) -> Usage | None:
    """The tokens of the turn; what they cost the program does not tell."""
    ended = stream.last("turn.completed")
    counts = None if ended is None else ended.get("usage")
    if not isinstance(counts, dict):
        return None
    return Usage(int(counts.get("input_tokens") or 0), int(counts.get("output_tokens") or 0), unpriced=True)


def _items(stream: Stream, kind: str) -> Iterator[dict[str, Any]]:
    for event in stream.events:
        item = event.get("item")
        if event.get("type") == "item.completed" and isinstance(item, dict) and item.get("type") == kind:
            yield item


def _output(stream: Stream) -> str:
    texts = [str(item.get("text", "")) for item in _items(stream, "agent_message")]
    return texts[-1] if texts else ""


def _activated(stream: Stream) -> tuple[str, ...]:
    """The skills whose body reached the model: printed by a command on SKILL.md that ended well, or called in the prompt."""
    found = dict.fromkeys(stream.opening.invoked)
    for item in _items(stream, "command_execution"):
        if item.get("exit_code") == 0 and "SKILL.md" in str(item.get("command", "")):
            printed = str(item.get("aggregated_output", ""))
            found.update(dict.fromkeys(sorted(stream.opening.read_in(printed))))
    return tuple(found)


def _refused(stream: Stream, calls: list[dict[str, Any]]) -> Iterator[str]:
    for call in calls:
        if call["name"] in (SHELL, SCRIPT):
            yield from refusals_in(SHELL, call.get("output") or "")
    for item in _items(stream, "command_execution"):
        yield from refusals_in(SHELL, str(item.get("aggregated_output") or ""))
    for item in _items(stream, "file_change"):
        if item.get("status") == "failed":
            paths = [str(change.get("path", "")) for change in item.get("changes") or ()]
            yield from (f"{PATCH}: {path}: not written" for path in paths if stream.opening.is_outside(path))
