"""Fields of a lock document, each of the kind that its place asks for."""

from __future__ import annotations

import base64
import re
from typing import Any

from selftune_build.limits import LOCK_COUNT

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class Malformed(ValueError):
    """The document is not a lock; the message says why."""


def record(value: Any) -> dict[str, Any]:
    """An object. Raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed("an object is expected")
    return value


def inner(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """The object under a name. Raises Malformed."""
    return record(_given(fields, name))


def text(fields: dict[str, Any], name: str) -> str:
    """The text under a name, at least one character. Raises Malformed."""
    value = _given(fields, name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{name!r} is not a text")
    return value


def digest(fields: dict[str, Any], name: str) -> str:
    """The digest under a name. Raises Malformed."""
    value = text(fields, name)
    if not _DIGEST.fullmatch(value):
        raise Malformed(f"{name!r} is not a digest")
    return value


def base64_text(fields: dict[str, Any], name: str) -> str:
    """The bytes under a name in their one spelling in base64. Raises Malformed."""
    value = text(fields, name)
    try:
        same = base64.b64encode(base64.b64decode(value, validate=True)).decode() == value
    except ValueError:
        same = False
    if not same:
        raise Malformed(f"{name!r} is not base64")
    return value


def one_of(fields: dict[str, Any], name: str, known: tuple[str, ...]) -> str:
    """The word under a name. Raises Malformed for a word that is not known."""
    value = text(fields, name)
    if value not in known:
        raise Malformed(f"{name!r} is none of {', '.join(known)}")
    return value


def count(fields: dict[str, Any], name: str, least: int = 0, most: int = LOCK_COUNT) -> int:
    """The integer under a name. Raises Malformed outside of the bounds."""
    value = _given(fields, name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(f"{name!r} is not an integer")
    if not least <= value <= most:
        raise Malformed(f"{name!r} is not between {least} and {most}")
    return value


def names(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    """The sorted texts under a name, each once. Raises Malformed."""
    value = _given(fields, name)
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise Malformed(f"{name!r} is not a list of texts")
    if value != sorted(set(value)):
        raise Malformed(f"{name!r} is not sorted, or names something twice")
    return tuple(value)


def _given(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise Malformed(f"{name!r} is missing")
    return fields[name]
