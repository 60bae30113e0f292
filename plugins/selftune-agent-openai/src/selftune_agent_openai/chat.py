"""An answer of Chat Completions as data. Everything here is pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct


class Malformed(ValueError):
    """What the service sent is no answer of Chat Completions."""


class Call(Struct, frozen=True):
    """A call of a tool, as the model wrote it."""

    id: str
    tool: str
    written: str
    """The arguments, in the model's own words."""
    arguments: dict[str, Any] | None
    """None where they are no JSON object."""


class Answer(Struct, frozen=True):
    """One answer of a model, and what it says that it cost."""

    text: str
    calls: tuple[Call, ...] = ()
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    counted: bool = False
    """Whether the service told any tokens."""
    cost_usd: Decimal | None = None
    """Some services tell it."""
    model: str | None = None

    def said(self) -> dict[str, Any]:
        """The answer as a message of the next request. Arguments that are no JSON stay out: servers break on them."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.calls:
            message["tool_calls"] = [_call_said(call) for call in self.calls]
        return message


def read(body: str) -> Answer:
    """The answer in the body of a response. Raises Malformed."""
    document = _object(body)
    error = document.get("error")
    if error:
        raise Malformed(f"the service answers with an error: {complaint(body)}")
    try:
        message = document["choices"][0]["message"]
        calls = tuple(_call(number, each) for number, each in enumerate(message.get("tool_calls") or ()))
        text = _text(message.get("content")) or _text(message.get("refusal"))
    except (LookupError, TypeError, AttributeError) as problem:
        raise Malformed(f"the service answers in no known form: {type(problem).__name__}: {problem}") from None
    usage = document.get("usage")
    model = document.get("model")
    counts = usage if isinstance(usage, dict) else {}
    details = counts.get("prompt_tokens_details")
    read_tokens = _count(counts.get("prompt_tokens"))
    return Answer(
        text=text,
        calls=calls,
        input_tokens=read_tokens,
        cached_tokens=min(read_tokens, _count(details.get("cached_tokens") if isinstance(details, dict) else 0)),
        output_tokens=_count(counts.get("completion_tokens")),
        counted="prompt_tokens" in counts or "completion_tokens" in counts,
        cost_usd=_cost(counts.get("cost")),
        model=model if isinstance(model, str) and model else None,
    )


def complaint(body: str) -> str:
    """What an error says, on one line and short."""
    try:
        error = _object(body).get("error")
    except Malformed:
        error = body
    if isinstance(error, dict):
        error = error.get("message") or msgspec.json.encode(error).decode()
    line = " ".join(str(error or body).split())
    return "".join(each if each.isprintable() else "?" for each in line)[:500]


def _object(body: str) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise Malformed(f"the service answers no JSON: {problem}") from None
    if not isinstance(document, dict):
        raise Malformed("the service answers no JSON object")
    return document


def _call(number: int, call: dict[str, Any]) -> Call:
    """Some servers leave the id out, some send the arguments as an object."""
    function = call["function"]
    arguments = function.get("arguments")
    written = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    id = call.get("id")
    return Call(id if isinstance(id, str) and id else f"call_{number}", str(function["name"]), written, _arguments(written))


def _arguments(written: str) -> dict[str, Any] | None:
    """An empty string is a call without arguments."""
    try:
        found = msgspec.json.decode(written) if written.strip() else {}
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _call_said(call: Call) -> dict[str, Any]:
    arguments = "{}" if call.arguments is None else call.written.strip() or "{}"
    return {"id": call.id, "type": "function", "function": {"name": call.tool, "arguments": arguments}}


def _text(content: Any) -> str:
    """A string, or a list of parts of which some have a text."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12 else 0


def _cost(value: Any) -> Decimal | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6
    return Decimal(str(value)) if known else None
