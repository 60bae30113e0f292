"""JSON as plain data: the standard parser at its own speed, with limits, and places worked out when somebody asks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from selftune_build.errors import InputError
from selftune_build.limits import DATA_DEPTH, INTEGER_DIGITS, JSON_BYTES
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.reading.document import Document
from selftune_build.reading.json_lookup import root_place
from selftune_build.reading.json_places import Fault, scan
from selftune_build.reading.text import check_size, decode

_BYTE_ORDER_MARK = "\ufeff"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_WILD_INTEGER_DIGITS = 100


class _SuspectError(ValueError):
    """The fast pass met something that the slow pass has to name."""


_COMMENT = "JSON has no comments"


def load(content: bytes, path: str, *, wild: bool = False, limit: int = JSON_BYTES) -> Document:
    """One JSON value as plain data with places.

    Ours (`wild` false) refuses a byte order mark and duplicate keys; wild, for files that others wrote, makes them findings
    (the last duplicate wins). Both refuse NaN and Infinity, integers beyond a limit, lone surrogates and deep nesting.
    Raises InputError with line, column, pointer and hint, whatever the bytes are.
    """
    check_size(content, path, limit)
    text = decode(content, path)
    findings = _byte_order_mark(text, path, wild)
    text = text.removeprefix(_BYTE_ORDER_MARK)
    digits = _WILD_INTEGER_DIGITS if wild else INTEGER_DIGITS

    data, suspect = _parse(text, path, digits)
    if not suspect:
        return Document(path, data, cache(partial(root_place, text)), findings)
    found = scan(text, integer_digits=digits)
    return Document(path, data, lambda: found.root, (*findings, *_judge(found.faults, path, wild)))


def _byte_order_mark(text: str, path: str, wild: bool) -> tuple[Finding, ...]:
    if not text.startswith(_BYTE_ORDER_MARK):
        return ()
    at, message, hint = Location(path, 1, 1, ""), "the file starts with a byte order mark", "save it as UTF-8 without BOM"
    if not wild:
        raise InputError(message, at=at, hint=hint, code="unwanted-character")
    return (Finding("json-byte-order-mark", Severity.WARNING, message, at, hint),)


def _parse(text: str, path: str, digits: int) -> tuple[Any, bool]:
    """The data, and whether the slow pass has to look at it. Data is None where the fast pass gave up."""
    duplicates: list[bool] = []
    try:
        data = json.loads(
            text,
            object_pairs_hook=_object_hook(duplicates),
            parse_int=_integer_hook(digits),
            parse_float=_float,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise _syntax_error(error, text, path) from None
    except (_SuspectError, RecursionError):
        return None, True
    return data, bool(duplicates) or _SURROGATE_ESCAPE.search(text) is not None or _too_deep(data)


def _object_hook(duplicates: list[bool]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        data = dict(pairs)
        if len(data) != len(pairs):
            duplicates.append(True)
        return data

    return build


def _integer_hook(digits: int) -> Callable[[str], int]:
    def convert(token: str) -> int:
        if len(token) > digits and len(token.lstrip("-")) > digits:
            raise _SuspectError
        return int(token)

    return convert


def _float(token: str) -> float:
    value = float(token)
    if value in (float("inf"), float("-inf")):
        raise _SuspectError
    return value


def _constant(token: str) -> float:
    raise _SuspectError


def _too_deep(data: Any) -> bool:
    level = [data]
    for _ in range(DATA_DEPTH):
        containers = (node.values() if isinstance(node, dict) else node for node in level if isinstance(node, (dict, list)))
        level = [child for container in containers for child in container]
        if not level:
            return False
    return any(isinstance(node, (dict, list)) for node in level)


def _judge(faults: list[Fault], path: str, wild: bool) -> tuple[Finding, ...]:
    findings = []
    for fault in faults:
        at = Location(path, fault.place.line, fault.place.column, fault.pointer)
        if not wild or fault.code != "json-duplicate-key":
            raise InputError(fault.message, at=at, hint=fault.hint, code=fault.code)
        findings.append(Finding(fault.code, Severity.WARNING, fault.message, at, fault.hint))
    return tuple(findings)


def _syntax_error(error: json.JSONDecodeError, text: str, path: str) -> InputError:
    pointer = scan(text, until=error.pos, integer_digits=INTEGER_DIGITS).pointer
    message, hint = _words(error.msg, text[error.pos : error.pos + 2], text[: error.pos].rstrip()[-1:])
    code = "json-comment" if message == _COMMENT else "json-syntax"
    return InputError(message, at=Location(path, error.lineno, error.colno, pointer), hint=hint, code=code)


def _words(problem: str, opening: str, before: str) -> tuple[str, str]:
    found = opening[:1]
    if "trailing comma" in problem or (before == "," and found in ("}", "]") and found):
        return "a comma before the closing bracket", "remove the trailing comma"
    if opening in ("//", "/*") or found == "#":
        return _COMMENT, "remove the comment"
    if found == "'":
        return "a text in single quotes", "use double quotes"
    known = (
        ("property name", "a key without double quotes", 'write "key": value'),
        ("',' delimiter", "two values without a comma, or a bracket that is not closed", "add the missing `,` or bracket"),
        ("':' delimiter", "a key without `:`", 'write "key": value'),
        ("Unterminated string", "the text that starts here is not closed", 'add the closing `"`'),
        ("control character", "a line break or control character inside a text", r"write it as an escape, such as \n"),
        ("escape", "unknown escape in a text", r"write `\\` for a backslash"),
        ("Extra data", "something follows the end of the data", "keep one JSON value in a file"),
    )
    for needle, message, hint in known:
        if needle in problem:
            return message, hint
    if not found:
        return "the file ends where a value is expected", "complete it, or write `{}` for nothing"
    return "a value is expected here", "write a text in double quotes, a number, true, false, null, `[` or `{`"
