"""OpenAI Chat Completions: `POST /v1/chat/completions`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from selftune_build.testing.model_server.answer import Call, Refuse, Say
from selftune_build.testing.model_server.conversation import Called, Conversation, Result, Text, Tool, Turn, texts
from selftune_build.testing.model_server.wire import DONE, Event, digits_of, json_object


def read(body: dict[str, Any]) -> Conversation:
    """The request as a conversation."""
    turns: list[Turn] = []
    for message in body.get("messages", ()):
        turns.extend(_turns(message))
    form = (body.get("response_format") or {}).get("json_schema") or {}
    functions = [tool.get("function") or {} for tool in body.get("tools") or ()]
    return Conversation(
        protocol="chat",
        model=str(body.get("model", "")),
        stream=bool(body.get("stream")),
        turns=tuple(turns),
        tools=tuple(Tool(str(f.get("name")), f.get("description", ""), f.get("parameters") or {}) for f in functions),
        schema=form.get("schema"),
    )


def whole(answer: Say | Call, model: str, serial: int) -> dict[str, Any]:
    """The answer as one document."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text if isinstance(answer, Say) else None}
    if isinstance(answer, Call):
        message["tool_calls"] = [_call(answer, serial)]
    choice = {"index": 0, "message": message, "finish_reason": _reason(answer)}
    return {**_head(model, serial, "chat.completion"), "choices": [choice], "usage": _usage(answer)}


def events(answer: Say | Call, model: str, serial: int) -> Iterator[Event]:
    """The answer as a stream."""
    yield _chunk(model, serial, {"role": "assistant", "content": ""})
    if isinstance(answer, Say):
        yield _chunk(model, serial, {"content": answer.text})
    else:
        yield _chunk(model, serial, {"tool_calls": [{"index": 0, **_call(answer, serial)}]})
    yield _chunk(model, serial, {}, _reason(answer))
    yield Event({**_head(model, serial, "chat.completion.chunk"), "choices": [], "usage": _usage(answer)})
    yield DONE


def beginning(text: str, model: str, serial: int) -> Iterator[Event]:
    """The part of a stream before it is cut."""
    yield from list(events(Say(text), model, serial))[:2]


def error(refused: Refuse) -> dict[str, Any]:
    """The body of an error."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_exceeded"}
    return {"error": {"message": refused.message, "type": kinds.get(refused.status, "server_error"), "code": refused.status}}


def _turns(message: dict[str, Any]) -> Iterator[Turn]:
    text = "\n".join(texts(message.get("content")))
    if message.get("role") == "tool":
        yield Result(str(message.get("tool_call_id")), text)
        return
    if text:
        yield Text(str(message.get("role", "user")), text)
    for call in message.get("tool_calls") or ():
        yield Called(call["id"], call["function"]["name"], json_object(call["function"].get("arguments")))


def _call(answer: Call, serial: int) -> dict[str, Any]:
    function = {"name": answer.tool, "arguments": json.dumps(answer.input)}
    return {"id": f"call_{digits_of(serial)}", "type": "function", "function": function}


def _chunk(model: str, serial: int, delta: dict[str, Any], reason: str | None = None) -> Event:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return Event({**_head(model, serial, "chat.completion.chunk"), "choices": [choice]})


def _head(model: str, serial: int, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{digits_of(serial)}", "object": kind, "created": 0, "model": model}


def _usage(answer: Say | Call) -> dict[str, int]:
    total = answer.input_tokens + answer.output_tokens
    return {"prompt_tokens": answer.input_tokens, "completion_tokens": answer.output_tokens, "total_tokens": total}


def _reason(answer: Say | Call) -> str:
    return "stop" if isinstance(answer, Say) else "tool_calls"
