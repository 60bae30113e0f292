"""What a script answers: words, a call of a tool, or one of the ways in which a service lets one down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, field

from selftune_build.testing.model_server.conversation import Conversation


class Say(Struct, frozen=True):
    """The model's words, and the end of its turn."""

    text: str
    input_tokens: int = 101
    output_tokens: int = 7


class Call(Struct, frozen=True):
    """A call of one tool; the next request holds its result."""

    tool: str
    input: dict[str, Any] = field(default_factory=dict)
    input_tokens: int = 101
    output_tokens: int = 7
    text: str | None = None
    """Instead of `input` for a tool that takes plain text (OpenAI Responses: a custom tool)."""


class Refuse(Struct, frozen=True):
    """An error status instead of an answer: 401, 429 (with `retry_after` seconds in the header), 500, 529."""

    status: int
    message: str = "refused by the script"
    retry_after: int | None = None


class Cut(Struct, frozen=True):
    """A stream that starts with `text` and then breaks off without an end."""

    text: str = "The beginning of"


class Hang(Struct, frozen=True):
    """No byte for so many seconds, or until the server stops; then the connection is closed."""

    seconds: float = 600.0


class Late(Struct, frozen=True):
    """The answer, after a pause."""

    seconds: float
    answer: Say | Call | Refuse | Cut


Answer = Say | Call | Refuse | Cut | Hang | Late
Script = Callable[[Conversation], Answer]
"""A pure function of the request: it must not count requests, so that retries and side requests cannot shift it."""


class Rule(Struct, frozen=True):
    """An answer, and the requests it is for."""

    when: Callable[[Conversation], bool]
    answer: Answer | Script


def rules(listed: Iterable[Rule], otherwise: Answer | Script) -> Script:
    """The script that answers by the first rule whose `when` holds, else with `otherwise`."""
    fixed = tuple(listed)

    def script(conversation: Conversation) -> Answer:
        chosen = next((rule.answer for rule in fixed if rule.when(conversation)), otherwise)
        return chosen(conversation) if callable(chosen) else chosen

    return script
