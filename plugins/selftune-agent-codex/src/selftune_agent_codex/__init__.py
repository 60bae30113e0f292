"""Codex as an agent of selftune-build: `selftune build verify --agent codex`."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentType
from selftune_build.plugins import hookimpl


@hookimpl
def selftune_agents() -> list[AgentType]:
    """The agent `codex`."""
    from selftune_agent_codex.agent import CODEX

    return [CODEX]
