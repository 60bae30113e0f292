"""Gemini CLI as an agent of selftune-build: `selftune build verify --agent gemini`."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentType
from selftune_build.plugins import hookimpl


@hookimpl
def selftune_agents() -> list[AgentType]:
    """The agent `gemini`."""
    from selftune_agent_gemini.agent import GEMINI

    return [GEMINI]
