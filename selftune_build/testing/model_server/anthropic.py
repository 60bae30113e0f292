"""Anthropic Messages: `POST /v1/messages`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from selftune_build.testing.model_server.answer import Call, Refuse, Say
from selftune_build.testing.model_server.conversation import Called, Conversation, Result, Text, Tool, Turn, texts
from selftune_build.testing.model_server.wire import Event, digits_of, json_object


def read(body: dict[str, Any]) -> Conversation:
    """The request as a conversation."""
    turns: list[Turn] = [Text("system", text) for text in texts(body.get("system"))]
    for message in body.get("messages", ()):
        turns.extend(_turns(message))
    config = body.get("output_config") or {}
    form = config.get("format") or body.get("output_format") or {}
    return Conversation(
        protocol="anthropic",
        model=str(body.get("model", "")),
        stream=bool(body.get("stream")),
        turns=tuple(turns),
        tools=tuple(Tool(t["name"], t.get("description", ""), t.get("input_schema", {})) for t in body.get("tools", ())),
        schema=form.get("schema"),
    )


def whole(answer: Say | Call, model: str, serial: int) -> dict[str, Any]:
    """The answer as one document."""
    message = _message(answer, model, serial)
    message["content"] = [_block(answer, serial, empty=False)]
    message["stop_reason"] = _reason(answer)
    return message


def events(answer: Say | Call, model: str, serial: int) -> Iterator[Event]:
    """The answer as a stream."""
    yield _event("message_start", message=_message(answer, model, serial))
    yield _event("content_block_start", index=0, content_block=_block(answer, serial, empty=True))
    delta = (
        {"type": "text_delta", "text": answer.text}
        if isinstance(answer, Say)
        else {"type": "input_json_delta", "partial_json": json.dumps(answer.input)}
    )
    yield _event("content_block_delta", index=0, delta=delta)
    yield _event("content_block_stop", index=0)
    usage = {"output_tokens": answer.output_tokens}
    yield _event("message_delta", delta={"stop_reason": _reason(answer), "stop_sequence": None}, usage=usage)
    yield _event("message_stop")


def beginning(text: str, model: str, serial: int) -> Iterator[Event]:
    """The part of a stream before it is cut."""
    yield from list(events(Say(text), model, serial))[:3]


def error(refused: Refuse) -> dict[str, Any]:
    """The body of an error."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error", 529: "overloaded_error"}
    return {"type": "error", "error": {"type": kinds.get(refused.status, "api_error"), "message": refused.message}}


def _turns(message: dict[str, Any]) -> Iterator[Turn]:
    content = message.get("content")
    role = str(message.get("role", "user"))
    if isinstance(content, str):
        yield Text(role, content)
    for part in content if isinstance(content, list) else ():
        if part.get("type") == "text":
            yield Text(role, part["text"])
        elif part.get("type") == "tool_use":
            yield Called(part["id"], part["name"], json_object(part.get("input")))
        elif part.get("type") == "tool_result":
            yield Result(part["tool_use_id"], "\n".join(texts(part.get("content"))), bool(part.get("is_error")))


def _message(answer: Say | Call, model: str, serial: int) -> dict[str, Any]:
    return {
        "id": f"msg_{digits_of(serial)}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens},
    }


def _block(answer: Say | Call, serial: int, empty: bool) -> dict[str, Any]:
    if isinstance(answer, Say):
        return {"type": "text", "text": "" if empty else answer.text}
    return {"type": "tool_use", "id": f"toolu_{digits_of(serial)}", "name": answer.tool, "input": {} if empty else answer.input}


def _reason(answer: Say | Call) -> str:
    return "end_turn" if isinstance(answer, Say) else "tool_use"


def _event(kind: str, **fields: Any) -> Event:
    return Event({"type": kind, **fields}, kind)
