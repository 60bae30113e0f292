"""Types of agents that installed distributions supply, by the entry points of the group `selftune_build.plugins`."""

from __future__ import annotations

from importlib.metadata import entry_points

from selftune_build.agents.protocol import AgentType

GROUP = "selftune_build.plugins"


def installed_agents() -> dict[str, AgentType]:
    """Every type by its id."""
    modules = [point.load() for point in entry_points(group=GROUP)]
    found = [each for module in modules if hasattr(module, "selftune_agents") for each in module.selftune_agents()]
    return {each.id: each for each in found}
