"""The Gemini API: `POST /v1beta/models/MODEL:generateContent`, and `:streamGenerateContent` for a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selftune_build.testing.model_server.answer import Call, Refuse, Say
from selftune_build.testing.model_server.conversation import Called, Conversation, Result, Text, Tool, Turn, texts
from selftune_build.testing.model_server.wire import Event, digits_of, json_object

STREAMED = ":streamGenerateContent"
_STATUSES = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


def addressed(path: str) -> dict[str, Any]:
    """What this protocol states in the address instead of the body: the model, and whether to stream."""
    name, _, method = path.rpartition("/")[2].partition(":")
    return {"model": name, "stream": f":{method}" == STREAMED}


def read(body: dict[str, Any]) -> Conversation:
    """The request, with what its address states, as a conversation."""
    turns: list[Turn] = [Text("system", text) for text in texts((body.get("systemInstruction") or {}).get("parts"))]
    for content in body.get("contents", ()):
        turns.extend(_turns(content))
    config = body.get("generationConfig") or {}
    functions = [each for tool in body.get("tools") or () for each in tool.get("functionDeclarations") or ()]
    return Conversation(
        protocol="gemini",
        model=str(body.get("model", "")),
        stream=bool(body.get("stream")),
        turns=tuple(turns),
        tools=tuple(Tool(str(each["name"]), each.get("description", ""), _schema(each)) for each in functions),
        schema=config.get("responseJsonSchema") or config.get("responseSchema"),
    )


def whole(answer: Say | Call, model: str, serial: int) -> dict[str, Any]:
    """The answer as one document."""
    return _document(_part(answer, serial), answer, model, "STOP")


def events(answer: Say | Call, model: str, serial: int) -> Iterator[Event]:
    """The answer as a stream: what the model says, then how it ended."""
    yield Event(_document(_part(answer, serial), answer, model, None))
    yield Event(_document({"text": ""}, answer, model, "STOP"))


def beginning(text: str, model: str, serial: int) -> Iterator[Event]:
    """The part of a stream before it is cut."""
    yield from list(events(Say(text), model, serial))[:1]


def error(refused: Refuse) -> dict[str, Any]:
    """The body of an error, which says here, and not in a header, when to ask again."""
    found = {"code": refused.status, "message": refused.message, "status": _STATUSES.get(refused.status, "INTERNAL")}
    if refused.retry_after is None:
        return {"error": found}
    details = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{refused.retry_after}s"}
    return {"error": {**found, "details": [details]}}


def _turns(content: dict[str, Any]) -> Iterator[Turn]:
    role = "assistant" if content.get("role") == "model" else "user"
    for part in content.get("parts") or ():
        if isinstance(part.get("text"), str) and not part.get("thought"):
            yield Text(role, part["text"])
        elif "functionCall" in part:
            call = part["functionCall"]
            yield Called(_id(call), call["name"], json_object(call.get("args")))
        elif "functionResponse" in part:
            response = part["functionResponse"].get("response") or {}
            text = "\n".join(value for value in response.values() if isinstance(value, str))
            yield Result(_id(part["functionResponse"]), text, "error" in response)


def _id(part: dict[str, Any]) -> str:
    """Of a call or a result; a client may leave it out."""
    return str(part.get("id") or part["name"])


def _schema(function: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = function.get("parametersJsonSchema") or function.get("parameters") or {}
    return found


def _part(answer: Say | Call, serial: int) -> dict[str, Any]:
    if isinstance(answer, Say):
        return {"text": answer.text}
    return {"functionCall": {"id": f"call_{digits_of(serial)}", "name": answer.tool, "args": answer.input}}


def _document(part: dict[str, Any], answer: Say | Call, model: str, reason: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [part]}, "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    counts = {"promptTokenCount": answer.input_tokens, "candidatesTokenCount": answer.output_tokens}
    usage = {**counts, "totalTokenCount": sum(counts.values())}
    return {"candidates": [candidate], "modelVersion": model, "usageMetadata": usage}
