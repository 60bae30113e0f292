"""GitHub Copilot CLI as an agent of selftune-build: `selftune build verify --agent copilot`."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentType
from selftune_build.plugins import hookimpl


@hookimpl
def selftune_agents() -> list[AgentType]:
    """The agent `copilot`."""
    from selftune_agent_copilot.agent import COPILOT

    return [COPILOT]
