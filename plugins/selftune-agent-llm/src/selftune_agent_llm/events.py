"""The raw answer: what the worker writes, one JSON object a line. The worker writes it, `reading` alone interprets it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

Asked = Literal["decision", "step", "words", "document"]
"""What a turn had to be: which skill, what next, plain words, or a document that matches the caller's schema."""
Found = Literal["read", "absent", "refused"]


class Opening(Struct, frozen=True, tag_field="type", tag="selftune.llm/1"):
    """The first line: all that has to be known to read the rest."""

    skills: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None


class Turn(Struct, frozen=True, tag_field="type", tag="turn"):
    """What the model said, and what it says that it cost."""

    asked: Asked
    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: str = "0"
    model: str | None = None


class Asking(Struct, frozen=True, tag_field="type", tag="file"):
    """A file that the model asked for, by the path as it wrote it, and what came of it."""

    skill: str
    path: str
    found: Found


class Failed(Struct, frozen=True, tag_field="type", tag="failed"):
    """Why there is no answer; `kind` is an `ErrorKind`."""

    kind: str
    message: str
    retry_after_s: float | None = None


class End(Struct, frozen=True, tag_field="type", tag="end"):
    """The worker was done: without it, it was not."""

    program: str


Event = Opening | Turn | Asking | Failed | End


def line(event: Struct) -> bytes:
    """An event as one line."""
    return msgspec.json.encode(event) + b"\n"


def events(raw: bytes) -> tuple[Event, ...]:
    """The events of an answer. Raises msgspec.MsgspecError or UnicodeDecodeError for a line that is none."""
    decoder = msgspec.json.Decoder(Event)
    return tuple(decoder.decode(each) for each in raw.split(b"\n") if each)
