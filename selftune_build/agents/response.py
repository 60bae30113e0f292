"""The response of an agent (DESIGN 8.5): bytes in, reply out, strict and pure."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from selftune_build.agents.protocol import AgentFailure
from selftune_build.limits import (
    RESPONSE_BYTES,
    RESPONSE_DEPTH,
    RESPONSE_ERROR_CHARACTERS,
    RESPONSE_INTEGER_DIGITS,
    RESPONSE_LIST_LENGTH,
)
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage

_COST_DIGITS = 18

# Possessive, and the closing quote may be missing: every character is looked at once.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[\]{}])', re.DOTALL)


def parse_response(raw: bytes) -> Reply:
    """The reply that `raw` states: one JSON object in UTF-8 with `output`; unknown fields are passed over.

    Raises AgentFailure(PROTOCOL) where it is anything else and AgentFailure(REPORTED) where its `error` is not null,
    AgentFailure(RATE_LIMIT) where it says beside that in how many seconds to come back (`retry_after_s`).
    """
    document = _document(raw)
    if document.get("error") is not None:
        raise _reported(document)
    if "output" not in document:
        _refuse("/output is missing")
    return Reply(
        output=_text(document["output"], "/output"),
        skills_used=_texts(document, "skills_used"),
        files_read=_texts(document, "files_read"),
        tool_calls=_tool_calls(document.get("tool_calls")),
        usage=_usage(document.get("usage")),
        model=None if document.get("model") is None else _text(document["model"], "/model"),
    )


def _reported(document: dict[str, Any]) -> AgentFailure:
    """What an error says; of a time to come back only one that is a number of seconds, since it is a courtesy."""
    message, after = _error_text(document["error"]), document.get("retry_after_s")
    if isinstance(after, bool) or not isinstance(after, (int, Decimal)) or after < 0:
        return AgentFailure(ErrorKind.REPORTED, message)
    return AgentFailure(ErrorKind.RATE_LIMIT, message, retry_after_s=float(after))


def _refuse(problem: str) -> NoReturn:
    raise AgentFailure(ErrorKind.PROTOCOL, f"the response is not valid: {problem}")


def _document(raw: bytes) -> dict[str, Any]:
    if len(raw) > RESPONSE_BYTES:
        _refuse(f"it is longer than {RESPONSE_BYTES} bytes")
    if not raw.strip():
        _refuse("it is empty")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(f"it is not UTF-8 at byte {error.start}")
    _check_depth(text)
    document = _load(text)
    if not isinstance(document, dict):
        _refuse("it is not a JSON object")
    return document


def _load(text: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_decimal
        )
    except json.JSONDecodeError as error:
        _refuse(f"{error.msg}, line {error.lineno} column {error.colno}")


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses into it."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        bracket = found[1]
        if bracket is not None:
            depth += 1 if bracket in "[{" else -1
            if depth > RESPONSE_DEPTH:
                _refuse(f"it is nested deeper than {RESPONSE_DEPTH}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        _refuse(f"the key {repeated[:60]!a} is there twice")
    return found


def _refuse_constant(constant: str) -> NoReturn:
    _refuse(f"{constant} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > RESPONSE_INTEGER_DIGITS:
        _refuse(f"an integer has more than {RESPONSE_INTEGER_DIGITS} digits")
    return int(digits)


def _decimal(digits: str) -> Decimal:
    try:
        number = Decimal(digits) if len(digits) <= RESPONSE_INTEGER_DIGITS * 2 else None
    except ArithmeticError:
        number = None
    if number is None or abs(number.adjusted()) > 300:
        _refuse("a number is out of range")
    return number


def _text(value: object, pointer: str) -> str:
    if not isinstance(value, str):
        _refuse(f"{pointer} is not a string")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        _refuse(f"{pointer} holds half of a surrogate pair")
    return value


def _items(value: object, pointer: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse(f"{pointer} is not a list")
    if len(value) > RESPONSE_LIST_LENGTH:
        _refuse(f"{pointer} has more than {RESPONSE_LIST_LENGTH} items")
    return value


def _texts(document: dict[str, Any], field: str) -> tuple[str, ...] | None:
    """A list of strings; missing or null says that the agent does not tell."""
    if document.get(field) is None:
        return None
    pointer = f"/{field}"
    return tuple(_text(item, f"{pointer}/{index}") for index, item in enumerate(_items(document[field], pointer)))


def _tool_calls(value: object) -> tuple[ToolCall, ...] | None:
    if value is None:
        return None
    return tuple(_tool_call(item, f"/tool_calls/{index}") for index, item in enumerate(_items(value, "/tool_calls")))


def _tool_call(value: object, pointer: str) -> ToolCall:
    if not isinstance(value, dict):
        _refuse(f"{pointer} is not an object")
    given = value.get("input") or {}
    if not isinstance(given, dict):
        _refuse(f"{pointer}/input is not an object")
    return ToolCall(_text(value.get("name"), f"{pointer}/name"), _plain(given, f"{pointer}/input"))


def _plain(value: Any, pointer: str) -> Any:
    """The value with numbers as JSON readers have them, strings checked."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str):
        return _text(value, pointer)
    if isinstance(value, list):
        return [_plain(item, pointer) for item in value]
    if isinstance(value, dict):
        return {_text(name, pointer): _plain(item, pointer) for name, item in value.items()}
    return value


def _usage(value: object) -> Usage | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        _refuse("/usage is not an object")
    cost = value.get("cost_usd")
    return Usage(
        _count(value, "input_tokens"),
        _count(value, "output_tokens"),
        "0" if cost is None else _cost(cost),
        unpriced=cost is None,
        turns=None if value.get("turns") is None else _count(value, "turns"),
    )


def _count(usage: dict[str, Any], field: str) -> int:
    count = usage.get(field, 0)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        _refuse(f"/usage/{field} is not a count")
    return count


def _cost(value: object) -> str:
    """The amount as a plain decimal string; a number is accepted too, since that is what most agents write."""
    if isinstance(value, str) and len(value) <= 2 * _COST_DIGITS and value.replace(".", "", 1).isdecimal() and value.isascii():
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value < 0:
        _refuse("/usage/cost_usd is not an amount")
    amount = Decimal(value)
    if abs(amount.adjusted()) > _COST_DIGITS:
        _refuse("/usage/cost_usd is out of range")
    plain = f"{amount:f}"
    return (plain.rstrip("0").rstrip(".") or "0") if "." in plain else plain


def _error_text(error: object) -> str:
    """What the agent says went wrong, on one line and short, whatever its type."""
    text = error if isinstance(error, str) else json.dumps(error, default=str, sort_keys=True)
    line = " ".join(text.split())
    printable = "".join(character if character.isprintable() else "?" for character in line)
    return printable[:RESPONSE_ERROR_CHARACTERS] or "the agent reported an error without a message"
