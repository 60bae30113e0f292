"""Qwen Code as an agent of selftune-build: `selftune build verify --agent qwen`."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentType
from selftune_build.plugins import hookimpl


@hookimpl
def selftune_agents() -> list[AgentType]:
    """The agent `qwen`."""
    from selftune_agent_qwen.agent import QWEN

    return [QWEN]
