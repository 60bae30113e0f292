"""The agents that come with the tool, and how a name in a manifest becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from selftune_build.agents.declaration import refuse_unknown, stated_options
from selftune_build.agents.embedded import EmbeddedAgent
from selftune_build.agents.protocol import Agent, AgentSettings, AgentType
from selftune_build.errors import InputError, UndecidedError
from selftune_build.model.manifest import Manifest
from selftune_build.model.sample import EvidenceOrigin


def _embedded(settings: AgentSettings) -> Agent:
    return EmbeddedAgent(settings.name)


def _command(settings: AgentSettings) -> Agent:
    if settings.definition is None:
        raise InputError("`command` is a type of agent, not an agent", hint="declare one under `agents:` with `argv`")
    from selftune_build.agents.command import CommandAgent  # brings what it takes to start programs

    return CommandAgent(settings.name, settings.definition, settings.workspace_root, settings.model)


AGENT_TYPES: tuple[AgentType, ...] = (
    AgentType("embedded", "2", _embedded, "a host in miniature: deterministic, free, offline, no model"),
    AgentType("command", "1", _command, "any program that reads one JSON request and writes one JSON response"),
)
AGENTS: Mapping[str, AgentType] = {each.id: each for each in AGENT_TYPES}


def make_agent(
    name: str, manifest: Manifest, workspace_root: Path, model: str | None, types: Mapping[str, AgentType] = AGENTS
) -> Agent:
    """The agent that `name` stands for in this manifest.

    Raises UndecidedError where nothing supplies it, InputError for options that its type does not take.
    """
    definition = manifest.agents.get(name)
    found = types.get(definition.type if definition else name)
    if found is None:
        raise _unknown(name, manifest, types, workspace_root)
    if definition is not None:
        refuse_unknown(name, definition, found)
    return found.make(AgentSettings(name, definition, model, workspace_root))


def _unknown(name: str, manifest: Manifest, types: Mapping[str, AgentType], root: Path) -> UndecidedError:
    from selftune_build.meant import did_you_mean  # only who mistypes pays for it
    from selftune_build.reading.settings import agent_place

    definition = manifest.agents.get(name)
    names = sorted({*types, *manifest.agents} - {"command"})
    known = ", ".join(names)
    if definition is not None:
        message = f"agent {name!r} has the type {definition.type!r}, which nothing here supplies"
        hint = "install the plugin that supplies it (`selftune plugins list` shows what is there), or use `type: command`"
    else:
        message = f"there is no agent {name!r} here"
        asked = did_you_mean(name, names)
        else_ = f"{asked} Else " if asked else ""
        hint = f"{else_}install the plugin that supplies it, declare it under `agents:` in selftune.yaml, or use one of: {known}"
    return UndecidedError(message, at=agent_place(root, manifest.path, name), code="agent-unavailable", hint=hint)


class Declared(Struct, frozen=True):
    """What manifest and tree alone say of an agent, without the plugin that supplies it."""

    identity: dict[str, Any]
    """None stands for what must not be there."""
    origin: EvidenceOrigin | None
    """None where only the plugin knows."""
    whole: bool
    """Whether the identity has nothing beyond this."""


def declared(name: str, manifest: Manifest, workspace_root: Path, model: str | None) -> Declared:
    """What can be said of an agent without asking a plugin: everything of the built-in ones, else type, model and options.

    Raises InputError for a program file of the workspace that cannot be read.
    """
    definition = manifest.agents.get(name)
    kind = definition.type if definition is not None else name
    if kind in AGENTS:
        agent = make_agent(name, manifest, workspace_root, model)
        return Declared(agent.identity, agent.traits.origin, whole=True)
    return Declared({"plugin": kind, "model": model, "options": stated_options(definition)}, None, whole=False)
