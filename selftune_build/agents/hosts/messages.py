"""Event streams made of whole messages with blocks in them, as Claude Code writes them and others after it. All pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selftune_build.agents.hosts.stream import Stream
from selftune_build.agents.hosts.uses import Use


def blocks(stream: Stream, kind: str) -> Iterator[dict[str, Any]]:
    """The blocks of messages by `assistant` or `user`; what a tool's own subagent did is its affair."""
    for event in stream.events:
        if event.get("type") == kind:
            content = (event.get("message") or {}).get("content")
            yield from (block for block in content if isinstance(block, dict)) if isinstance(content, list) else ()


def uses_of(stream: Stream) -> Iterator[Use]:
    """The calls of tools with what came of them, in the order of the calls."""
    results = {block.get("tool_use_id"): block for block in blocks(stream, "user") if block.get("type") == "tool_result"}
    for block in blocks(stream, "assistant"):
        if block.get("type") == "tool_use":
            result = results.get(block["id"])
            text = None if result is None else _text(result.get("content"))
            yield Use(str(block["name"]), dict(block.get("input") or {}), text, bool(result and result.get("is_error")))


def last_words(stream: Stream) -> str:
    """The last text of the model; empty where it said nothing."""
    texts = [str(block.get("text", "")) for block in blocks(stream, "assistant") if block.get("type") == "text"]
    return texts[-1] if texts else ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content or () if isinstance(part, dict))
