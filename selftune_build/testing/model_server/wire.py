"""Server-sent events, and what the protocols have in common on the wire."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct


class Event(Struct, frozen=True):
    """One server-sent event; `name` stands in an `event:` line of its own where the protocol has one."""

    data: dict[str, Any] | str
    name: str | None = None

    def encode(self) -> bytes:
        """The bytes as they are sent."""
        line = self.data if isinstance(self.data, str) else json.dumps(self.data)
        head = f"event: {self.name}\n" if self.name is not None else ""
        return f"{head}data: {line}\n\n".encode()


DONE = Event("[DONE]")
"""The end of a stream of Chat Completions."""


def digits_of(serial: int) -> str:
    """The number of an answer as protocols write identifiers: unique within one server."""
    return f"{serial:024d}"


def json_object(value: Any) -> dict[str, Any]:
    """Arguments of a call, which some protocols send as text; what is no object counts as empty."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
