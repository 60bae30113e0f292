"""The agents that come with the tool, and how a name in a manifest becomes one."""

from __future__ import annotations

from pathlib import Path

from selftune_build.agents.command import CommandAgent
from selftune_build.agents.embedded import EmbeddedAgent
from selftune_build.agents.installed import installed_agents
from selftune_build.agents.protocol import Agent, AgentSettings
from selftune_build.errors import InputError, UndecidedError
from selftune_build.model.manifest import Manifest

EMBEDDED = "embedded"


def make_agent(name: str, manifest: Manifest, workspace_root: Path, model: str | None) -> Agent:
    """The agent that `name` stands for in this manifest. Raises UndecidedError where nothing provides it."""
    definition = manifest.agents.get(name)
    type_id = definition.type if definition is not None else name
    if type_id not in (EMBEDDED, "command"):
        found = installed_agents().get(type_id)
        if found is not None:
            return found.make(AgentSettings(name, definition, model, workspace_root))
    if definition is not None and definition.type == "command":
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
