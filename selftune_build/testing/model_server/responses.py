"""OpenAI Responses: `POST /v1/responses`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from selftune_build.testing.model_server.answer import Call, Refuse, Say
from selftune_build.testing.model_server.conversation import Called, Conversation, Result, Text, Tool, Turn, texts
from selftune_build.testing.model_server.wire import Event, digits_of, json_object


def read(body: dict[str, Any]) -> Conversation:
    """The request as a conversation."""
    turns: list[Turn] = [Text("system", text) for text in texts(body.get("instructions"))]
    given = body.get("input")
    if isinstance(given, str):
        turns.append(Text("user", given))
    items: list[dict[str, Any]] = given if isinstance(given, list) else []
    for item in items:
        turns.extend(_turns(item))
    offered = [
        *body.get("tools", ()),
        *(tool for item in items if item.get("type") == "additional_tools" for tool in item["tools"]),
    ]
    form = (body.get("text") or {}).get("format") or {}
    return Conversation(
        protocol="responses",
        model=str(body.get("model", "")),
        stream=bool(body.get("stream")),
        turns=tuple(turns),
        tools=tuple(_tool(tool) for each in offered for tool in _members(each)),
        schema=form.get("schema"),
    )


def whole(answer: Say | Call, model: str, serial: int) -> dict[str, Any]:
    """The answer as one document."""
    return _response("completed", model, serial, [_item(answer, serial)], answer)


def events(answer: Say | Call, model: str, serial: int) -> Iterator[Event]:
    """The answer as a stream."""
    item = _item(answer, serial)
    yield _event("response.created", response=_response("in_progress", model, serial, [], None))
    yield _event("response.output_item.added", output_index=0, item={**item, "status": "in_progress"})
    place = {"item_id": item["id"], "output_index": 0}
    if isinstance(answer, Say):
        yield _event("response.output_text.delta", **place, content_index=0, delta=answer.text)
        yield _event("response.output_text.done", **place, content_index=0, text=answer.text)
    elif answer.text is not None:
        yield _event("response.custom_tool_call_input.delta", **place, delta=answer.text)
        yield _event("response.custom_tool_call_input.done", **place, input=answer.text)
    else:
        yield _event("response.function_call_arguments.delta", **place, delta=item["arguments"])
        yield _event("response.function_call_arguments.done", **place, arguments=item["arguments"])
    yield _event("response.output_item.done", output_index=0, item=item)
    yield _event("response.completed", response=_response("completed", model, serial, [item], answer))


def beginning(text: str, model: str, serial: int) -> Iterator[Event]:
    """The part of a stream before it is cut."""
    yield from list(events(Say(text), model, serial))[:3]


def error(refused: Refuse) -> dict[str, Any]:
    """The body of an error."""
    kinds = {401: "invalid_request_error", 429: "rate_limit_exceeded"}
    return {"error": {"message": refused.message, "type": kinds.get(refused.status, "server_error"), "code": None, "param": None}}


def _turns(item: dict[str, Any]) -> Iterator[Turn]:
    kind = item.get("type", "message")
    if kind == "message":
        for text in texts(item.get("content")):
            yield Text(str(item.get("role", "user")), text)
    elif kind == "function_call":
        yield Called(item["call_id"], item["name"], json_object(item.get("arguments")))
    elif kind == "custom_tool_call":
        yield Called(item["call_id"], item["name"], {"input": item.get("input")})
    elif kind in ("function_call_output", "custom_tool_call_output"):
        output = item.get("output")
        yield Result(item["call_id"], "\n".join(texts(output)) if isinstance(output, str | list) else json.dumps(output))


def _members(tool: dict[str, Any]) -> list[dict[str, Any]]:
    """The tools of a namespace, or the tool itself."""
    return list(tool["tools"]) if tool.get("type") == "namespace" else [tool]


def _tool(tool: dict[str, Any]) -> Tool:
    """A tool; one of the service's own has no name but its type."""
    return Tool(str(tool.get("name") or tool.get("type")), tool.get("description", ""), tool.get("parameters") or {})


def _item(answer: Say | Call, serial: int) -> dict[str, Any]:
    if isinstance(answer, Say):
        content = [{"type": "output_text", "text": answer.text, "annotations": []}]
        return {
            "type": "message",
            "id": f"msg_{digits_of(serial)}",
            "role": "assistant",
            "status": "completed",
            "content": content,
        }
    call = {"call_id": f"call_{digits_of(serial)}", "name": answer.tool, "status": "completed"}
    if answer.text is not None:
        return {"type": "custom_tool_call", "id": f"ctc_{digits_of(serial)}", "input": answer.text, **call}
    return {"type": "function_call", "id": f"fc_{digits_of(serial)}", "arguments": json.dumps(answer.input), **call}


def _response(status: str, model: str, serial: int, output: list[dict[str, Any]], answer: Say | Call | None) -> dict[str, Any]:
    usage = None
    if answer is not None:
        usage = {
            "input_tokens": answer.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": answer.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": answer.input_tokens + answer.output_tokens,
        }
    return {
        "id": f"resp_{digits_of(serial)}",
        "object": "response",
        "created_at": 0,
        "status": status,
        "model": model,
        "output": output,
        "usage": usage,
    }


def _event(kind: str, **fields: Any) -> Event:
    return Event({"type": kind, **fields}, kind)
