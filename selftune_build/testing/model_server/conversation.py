"""What a model is shown in one request, whichever protocol it came by: the only thing a script may answer from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct, field

Protocol = Literal["anthropic", "responses", "chat", "gemini"]
"""Anthropic Messages, OpenAI Responses, OpenAI Chat Completions, the Gemini API."""


class Tool(Struct, frozen=True):
    """A tool that the request offers."""

    name: str
    description: str = ""
    schema: dict[str, Any] = field(default_factory=dict)


class Text(Struct, frozen=True):
    """What somebody said: `system`, `developer`, `user` or `assistant`."""

    role: str
    text: str


class Called(Struct, frozen=True):
    """A tool the model called earlier in this conversation."""

    id: str
    tool: str
    input: dict[str, Any]


class Result(Struct, frozen=True):
    """What came of an earlier call."""

    id: str
    text: str
    error: bool = False


Turn = Text | Called | Result


class Conversation(Struct, frozen=True):
    """One request for an answer."""

    protocol: Protocol
    model: str
    stream: bool
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    schema: dict[str, Any] | None = None
    """The JSON schema that the answer has to match, where the protocol states one."""

    @property
    def text(self) -> str:
        """Everything the model is shown, in order: instructions, messages, results of tools; not the tools' definitions."""
        return "\n".join(turn.text for turn in self.turns if not isinstance(turn, Called))

    @property
    def prompt(self) -> str:
        """The last thing a user said."""
        return next((turn.text for turn in reversed(self.turns) if isinstance(turn, Text) and turn.role == "user"), "")

    @property
    def results(self) -> tuple[Result, ...]:
        """The results of all calls so far: their number is the step the conversation is at."""
        return tuple(turn for turn in self.turns if isinstance(turn, Result))

    @property
    def calls(self) -> tuple[Called, ...]:
        """All calls so far."""
        return tuple(turn for turn in self.turns if isinstance(turn, Called))

    def offers(self, *names: str) -> bool:
        """Whether every one of these tools is offered."""
        return set(names) <= {tool.name for tool in self.tools}


def texts(content: Any) -> Iterator[str]:
    """The text in a message's content: a string, or a list of parts of which some have a `text`."""
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]
