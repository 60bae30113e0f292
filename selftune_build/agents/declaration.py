"""What a manifest declares of one agent: what of it enters its identity, and what is refused."""

from __future__ import annotations

from typing import Any

from selftune_build.agents.protocol import AgentType, Traits
from selftune_build.errors import InputError
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import EvidenceOrigin


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


def refuse_argv(name: str, definition: AgentDefinition, id: str, hint: str) -> None:
    """Raises InputError for an argv, which only the type `command` has."""
    if definition.argv:
        raise InputError(f"the agent `{name}` is of type {id}, which has no argv", hint=f"take `argv` out, and {hint}")


def identity_of(
    id: str, cache_version: str, definition: AgentDefinition, model: str | None, own: dict[str, Any]
) -> dict[str, Any]:
    """All that enters static keys beside the options, the type's `own` fields too; what is None is left out."""
    fields = {
        "declared_version": definition.cache_version,
        "deterministic": definition.deterministic or None,
        "env": sorted(set(definition.env)) or None,
        "model": model,
        **own,
    }
    stated = {name: value for name, value in fields.items() if value is not None}
    return {"plugin": id, "cache_version": cache_version, **stated}


def traits_of(definition: AgentDefinition, **own: Any) -> Traits:
    """The traits of an agent that asks a model: its evidence is live unless the declaration says otherwise."""
    return Traits(
        origin=EvidenceOrigin(definition.origin or EvidenceOrigin.LIVE),
        deterministic=definition.deterministic,
        free=definition.free,
        completes=True,
        **own,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
