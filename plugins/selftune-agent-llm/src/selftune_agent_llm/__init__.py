"""Any model of the `llm` library as an agent of selftune-build: `selftune build verify --agent llm --model NAME`."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentType
from selftune_build.plugins import hookimpl


@hookimpl
def selftune_agents() -> list[AgentType]:
    """The agent `llm`."""
    from selftune_agent_llm.agent import LLM

    return [LLM]
