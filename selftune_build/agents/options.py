"""What a manifest sets for one agent and only its type understands."""

from __future__ import annotations

from typing import Any

from selftune_build.agents.protocol import AgentType
from selftune_build.errors import InputError
from selftune_build.model.manifest import AgentDefinition


def refuse_unknown(name: str, definition: AgentDefinition, kind: AgentType) -> None:
    """Raises InputError for options and prices that a type of agent does not take: nobody would heed them."""
    unknown = sorted(definition.options.keys() - set(kind.options))
    if unknown:
        takes = f"it takes {', '.join(kind.options)}" if kind.options else "take `options` out: it has none"
        raise InputError(f"the agent `{name}` is of type {kind.id}, which has no option {unknown[0]!a}", hint=takes)
    if definition.prices and not kind.priced:
        hint = "take `prices` out, and bound a run by `--max-calls`"
        raise InputError(f"the agent `{name}` is of type {kind.id}, which takes no prices", hint=hint)


def stated_options(definition: AgentDefinition | None) -> dict[str, Any] | None:
    """The options as an identity states them, which has no floats: those as decimal text. None without any."""
    options: dict[str, Any] | None = _plain(definition.options) if definition is not None else None
    return options or None


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
