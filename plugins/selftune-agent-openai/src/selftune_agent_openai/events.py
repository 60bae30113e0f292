"""The raw answer: what the worker writes, one JSON object a line. The worker writes it, `reading` alone interprets it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

Role = Literal["package", "routing", "complete"]
Outcome = Literal["done", "absent", "refused", "failed"]
"""What came of a call: it was carried out, there is nothing at its path, it is not allowed, or it could not be carried out."""


class Opening(Struct, frozen=True, tag_field="type", tag="selftune.openai/1"):
    """The first line: all that has to be known to read the rest."""

    role: Role
    skills: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None


class Answered(Struct, frozen=True, tag_field="type", tag="answered"):
    """What the service sent, word for word, before anybody looked into it."""

    status: int
    body: str
    """As UTF-8; a byte that is none stands as U+FFFD."""
    retry_after_s: float | None = None
    by_prompt: bool = False
    """The schema of the caller was in the prompt alone."""


class Used(Struct, frozen=True, tag_field="type", tag="used"):
    """What came of the next call of a tool, in the order of the answers."""

    outcome: Outcome
    text: str
    """What the model was told."""
    path: str | None = None
    """The file it read, as seen from the workspace."""
    network: str | None = None
    """What a script could reach: `none`, `udp` (nothing by TCP) or `all`."""


class Failed(Struct, frozen=True, tag_field="type", tag="failed"):
    """Why there is no answer; `kind` is an `ErrorKind`."""

    kind: str
    message: str


class End(Struct, frozen=True, tag_field="type", tag="end"):
    """The worker was done: without it, it was not."""

    program: str


Event = Opening | Answered | Used | Failed | End


def events(raw: bytes) -> tuple[Event, ...]:
    """The events of an answer. Raises msgspec.MsgspecError or UnicodeDecodeError for a line that is none."""
    decoder = msgspec.json.Decoder(Event)
    return tuple(decoder.decode(each) for each in raw.split(b"\n") if each)
