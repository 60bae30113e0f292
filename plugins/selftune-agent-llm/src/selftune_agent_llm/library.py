"""All that is known of the `llm` library: finding a model, asking it, and what its errors mean."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from msgspec import Struct

from selftune_agent_llm.events import Asked, Failed, Turn
from selftune_build.model.sample import ErrorKind

USER_PATH = "LLM_USER_PATH"
"""Where the library looks for all that it keeps."""
BASE_URL, BASE_KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"
_KINDS = {401: ErrorKind.AUTH, 403: ErrorKind.AUTH, 404: ErrorKind.UNAVAILABLE, 429: ErrorKind.RATE_LIMIT}
_OTHER_SHAPE = (AttributeError, LookupError, TypeError)
"""What the library stumbles over where a service answers something that is no answer."""
_CLIENTS = (("openai", "OpenAI"), ("anthropic", "Anthropic"))


class NoModel(Exception):
    """The library has no model of that name."""


class CutShort(Exception):
    """The answer has no end."""


class Unanswered(Exception):
    """The library, or a service behind it, gave no answer."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.failed = failure(error)


class Chat:
    """A conversation with one model. Raises Unanswered where there is none to be had."""

    def __init__(self, name: str, rules: str) -> None:
        try:
            self._model, self._key = _find(name)
        except Exception as error:
            raise Unanswered(error) from error
        self._rules = rules
        self._conversation = self._model.conversation()
        self.program = _program(self._model)
        _no_retries_of_their_own()

    def say(self, text: str, asked: Asked, schema: dict[str, Any] | None = None) -> Turn:
        """One turn, as a whole: a part of an answer is none. Raises Unanswered, whatever a plugin of the library breaks by."""
        try:
            return self._say(text, asked, schema)
        except Exception as error:
            raise Unanswered(error) from error

    def _say(self, text: str, asked: Asked, schema: dict[str, Any] | None) -> Turn:
        response = self._conversation.prompt(text, system=self._rules, schema=schema, stream=False, key=self._key)
        words = response.text()
        told = response.response_json or {}
        if told.get("type") == "message" and not told.get("stop_reason"):
            raise CutShort("the stream of the model was cut: its answer has no end")
        used = response.usage()
        model = response.resolved_model or told.get("model")
        served = model if isinstance(model, str) else None
        return Turn(asked, words, used.input or 0, used.output or 0, _cost(used.details), served)


class Description(Struct, frozen=True):
    """What the library says of a model without asking it anything."""

    known: bool
    schemas: bool = False
    key: str | None = None
    """The name under which the library keeps the key that is missing."""
    variable: str | None = None


def keyless() -> Description:
    """Whether any model is there that takes schemas and needs no key."""
    import llm

    found = any(model.supports_schema and getattr(model, "needs_key", None) is None for model in llm.get_models())
    return Description(found, found)


def describe(name: str) -> Description:
    """Whether a model is there, takes schemas, and has its key."""
    import llm

    try:
        model, key = _find(name)
    except NoModel:
        return Description(known=False)
    alias = getattr(model, "needs_key", None)
    variable = getattr(model, "key_env_var", None)
    missing = alias is not None and not (key or llm.get_key(alias=alias, env=variable))
    return Description(True, bool(model.supports_schema), alias if missing else None, variable)


def failure(error: Exception) -> Failed:
    """What an error means. A time limit is only the one of the sample: whatever a service takes longer for is reported."""
    import llm

    status = getattr(error, "status_code", None)
    message = " ".join(str(error).split())[:500] or type(error).__name__
    if isinstance(status, int):
        return Failed(_KINDS.get(status, ErrorKind.REPORTED).value, f"the service answers {status}: {message}", _pause(error))
    if isinstance(error, llm.NeedsKeyException):
        return Failed(ErrorKind.AUTH.value, message)
    if isinstance(error, NoModel | NotImplementedError):
        return Failed(ErrorKind.UNAVAILABLE.value, message)
    if isinstance(error, _OTHER_SHAPE):
        return Failed(ErrorKind.PROTOCOL.value, f"the service answers in no known form: {type(error).__name__}: {message}")
    return Failed(ErrorKind.REPORTED.value, f"{type(error).__name__}: {message}")


def _find(name: str) -> tuple[Any, str | None]:
    """A model and its key where we have to say which; one that nothing registers is asked for at OPENAI_BASE_URL."""
    import llm

    try:
        return llm.get_model(name), None
    except llm.UnknownModelError:
        base = os.environ.get(BASE_URL)
        if not base:
            raise NoModel(f"llm has no model {name!a}") from None
    key = os.environ.get(BASE_KEY)
    entry: dict[str, Any] = {"model_id": name, "model_name": name, "api_base": base, "supports_schema": True}
    # Only the key that stands beside the address goes there, never one that is kept for another service.
    entry.update({"api_key_name": "openai"} if key else {})
    Path(os.environ[USER_PATH], "extra-openai-models.yaml").write_text(json.dumps([entry]))
    return llm.get_model(name), key


def _program(model: Any) -> str:
    from llm.plugins import pm

    names = [f"llm {version('llm')}"]
    modules = {getattr(plugin, "__name__", ""): dist for plugin, dist in pm.list_plugin_distinfo()}
    supplier = modules.get(type(model).__module__)
    return ", ".join([*names, *([f"{supplier.name} {supplier.version}"] if supplier is not None else [])])


def _cost(details: Any) -> str:
    """Some services tell it among the details."""
    cost = details.get("cost") if isinstance(details, dict) else None
    known = isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < 1e9
    return f"{cost:.12f}".rstrip("0").rstrip(".") if known else "0"


def _pause(error: Exception) -> float | None:
    """The seconds that the service asked to wait."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(0.0, float(str(headers.get("retry-after"))))
    except ValueError:
        return None


def _no_retries_of_their_own() -> None:
    """Attempts are counted and paid for by the engine, so the clients of the services make one each."""
    for module, name in _CLIENTS:
        client = getattr(sys.modules.get(module), name, None)
        defaults = getattr(getattr(client, "__init__", None), "__kwdefaults__", None) or {}
        if "max_retries" in defaults:
            defaults["max_retries"] = 0
