"""Any model behind Chat Completions as a host of selftune-build: `selftune build verify --agent openai --model NAME`."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentType
from selftune_build.plugins import hookimpl


@hookimpl
def selftune_agents() -> list[AgentType]:
    """The agent `openai`."""
    from selftune_agent_openai.agent import OPENAI

    return [OPENAI]
