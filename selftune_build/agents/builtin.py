"""The agents that come with the tool, and how a name in a manifest becomes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from selftune_build.agents.command import CommandAgent
from selftune_build.agents.embedded import EmbeddedAgent
from selftune_build.agents.protocol import Agent
from selftune_build.errors import InputError, UndecidedError
from selftune_build.model.manifest import Manifest
from selftune_build.model.sample import EvidenceOrigin

COMMAND = "command"
EMBEDDED = "embedded"


class Declared(Struct, frozen=True):
    """What manifest and tree alone say of an agent, without the plugin that supplies it."""

    identity: dict[str, Any]
    origin: EvidenceOrigin | None
    """None where only the plugin knows."""
    whole: bool
    """Whether the identity has nothing beyond this."""


def declared(name: str, manifest: Manifest, workspace_root: Path, model: str | None) -> Declared:
    """What can be said of an agent without asking a plugin: everything of the built-in ones, else the model asked for.

    Raises InputError for a program file of the workspace that cannot be read.
    """
    definition = manifest.agents.get(name)
    kind = definition.type if definition is not None else name
    if kind in (COMMAND, EMBEDDED):
        agent = make_agent(name, manifest, workspace_root, model)
        return Declared(agent.identity, agent.traits.origin, whole=True)
    return Declared({"model": model} if model is not None else {}, None, whole=False)


def make_agent(name: str, manifest: Manifest, workspace_root: Path, model: str | None) -> Agent:
    """The agent that `name` stands for in this manifest. Raises UndecidedError where nothing provides it."""
    definition = manifest.agents.get(name)
    if definition is not None and definition.type == COMMAND:
        return CommandAgent(name, definition, workspace_root, model)
    if definition is not None and definition.type != EMBEDDED:
        raise InputError(
            f"agent {name!r} has the type {definition.type!r}, which nothing here provides", hint="use `type: command`"
        )
    if definition is not None or name == EMBEDDED:
        return EmbeddedAgent(name)
    raise UndecidedError(
        f"there is no agent {name!r} here",
        code="agent-unavailable",
        hint=f"declare it under `agents:` in selftune.yaml, or use one of: {', '.join(sorted({EMBEDDED, *manifest.agents}))}",
    )
