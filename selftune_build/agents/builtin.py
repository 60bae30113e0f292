"""The agents that come with the tool, and how a name in a manifest becomes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selftune_build.agents.command import CommandAgent
from selftune_build.agents.embedded import EmbeddedAgent
from selftune_build.agents.protocol import Agent
from selftune_build.errors import InputError, UndecidedError
from selftune_build.model.manifest import Manifest

COMMAND = "command"
EMBEDDED = "embedded"


def declared_identity(name: str, manifest: Manifest, workspace_root: Path, model: str | None) -> dict[str, Any]:
    """What manifest and tree alone say of an agent's identity: all of it for the built-in ones, else the model asked for.

    Raises InputError for a program file of the workspace that cannot be read.
    """
    definition = manifest.agents.get(name)
    kind = definition.type if definition is not None else name
    if kind in (COMMAND, EMBEDDED):
        return make_agent(name, manifest, workspace_root, model).identity
    return {"model": model} if model is not None else {}


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
