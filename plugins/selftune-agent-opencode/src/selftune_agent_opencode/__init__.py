"""opencode as an agent of selftune-build: `selftune build verify --agent opencode`."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentType
from selftune_build.plugins import hookimpl


@hookimpl
def selftune_agents() -> list[AgentType]:
    """The agent `opencode`."""
    from selftune_agent_opencode.agent import OPENCODE

    return [OPENCODE]
