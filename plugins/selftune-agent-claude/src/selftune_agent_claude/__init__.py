"""Claude Code as an agent of selftune-build: `selftune build verify --agent claude`."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentType
from selftune_build.plugins import hookimpl


@hookimpl
def selftune_agents() -> list[AgentType]:
    """The agent `claude`."""
    from selftune_agent_claude.agent import CLAUDE

    return [CLAUDE]
