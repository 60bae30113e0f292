"""What a manifest sets under `options:` and `prices:` of an agent of this type."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from selftune_build.errors import InputError
from selftune_build.model.manifest import AgentDefinition

OPENAI_URL, OPENAI_KEY = "https://api.openai.com/v1", "OPENAI_API_KEY"
RESERVED = frozenset(
    (
        "functions",
        "function_call",
        "messages",
        "model",
        "n",
        "response_format",
        "stream",
        "stream_options",
        "tool_choice",
        "tools",
    )
)
"""Fields of a request that the tool loop fills in itself."""
_MILLION = Decimal(1_000_000)


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to ask, and how."""

    base_url: str = OPENAI_URL
    key: Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that holds the key. The one of OpenAI is the default for OpenAI alone."""
    request: dict[str, Any] = {}
    """Fields of every request, such as `temperature` and `max_tokens`; to a `seed` the number of the sample is added."""
    token_limit: Annotated[int, Meta(ge=1)] | None = None
    """Tokens in and out after which a sample asks no more."""
    json_schema: bool = True
    """Whether the service is told a schema as `response_format`, and not by the prompt alone."""

    @property
    def variable(self) -> str | None:
        """The variable with the key, None where none is sent."""
        return self.key or (OPENAI_KEY if self.base_url == OPENAI_URL else None)

    def secret(self) -> str | None:
        """The key, None where there is none."""
        return os.environ.get(self.variable, "").strip() or None if self.variable else None

    def missing(self) -> str | None:
        """Why there is no key although one is needed, or None."""
        if self.variable is None:
            return None
        secret = self.secret()
        if secret is None:
            return f"the variable {self.variable} is not set, which holds the key for {self.base_url}: set it"
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            return f"what the variable {self.variable} holds cannot be sent as a key: set it to the key alone"
        return None


class Prices(Struct, frozen=True):
    """US dollars for a million tokens."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None

    def cost(self, read: int, cached: int, written: int) -> Decimal:
        """What an answer costs; `cached` of the tokens that were read came out of a cache."""
        of_cache = self.input if self.cached_input is None else self.cached_input
        return ((read - cached) * self.input + cached * of_cache + written * self.output) / _MILLION


def options_of(name: str, definition: AgentDefinition) -> Options:
    """The options of an agent. Raises InputError for values that are none."""
    try:
        options = msgspec.convert(definition.options, Options)
    except msgspec.ValidationError as error:
        raise _refused(name, str(error), "see the README of selftune-agent-openai") from None
    if definition.options.get("base_url", "") is None:
        raise _refused(name, "`base_url` is empty", "leave it out for OpenAI")
    fault = _address_fault(options.base_url)
    if fault is not None:
        raise _refused(name, f"`base_url` {fault}", "such as http://127.0.0.1:8080/v1")
    taken = sorted(RESERVED & options.request.keys())
    if taken:
        raise _refused(name, f"`request` has {taken[0]!r}, which the tool loop fills in", f"take {taken[0]!r} out")
    return options


def prices_of(definition: AgentDefinition) -> Prices | None:
    """The prices of an agent, None where nobody says."""
    return msgspec.convert(definition.prices, Prices, strict=False) if definition.prices else None


def _address_fault(address: str) -> str | None:
    """What keeps an address from being asked, or from standing in a lock."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https") or not host or not address.isprintable() or " " in address:
        return "has to begin with http:// or https:// and name a host"
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return "may hold no login, query or fragment: it stands in the lock"
    return None


def _refused(name: str, problem: str, hint: str) -> InputError:
    return InputError(f"the options of the agent `{name}`: {problem}", hint=hint)
