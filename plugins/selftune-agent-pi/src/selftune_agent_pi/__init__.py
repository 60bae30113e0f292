"""pi as an agent of selftune-build: `selftune build verify --agent pi`."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentType
from selftune_build.plugins import hookimpl


@hookimpl
def selftune_agents() -> list[AgentType]:
    """The agent `pi`."""
    from selftune_agent_pi.agent import PI

    return [PI]
