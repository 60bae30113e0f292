"""Everything that a manifest or an eval file can name, by its id: the engine asks here and knows of no plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from selftune_build.agents.builtin import AGENTS
from selftune_build.agents.protocol import AgentType
from selftune_build.checks.registry import FAMILIES, Family
from selftune_build.gates.builtin import GATES, Gate
from selftune_build.model.manifest import Policy
from selftune_build.reading.evals.recognise import FORMATS, Format


def _none_absent(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names)


class Registry(Struct, frozen=True):
    """What can be named here. The mappings may find what they hold when they are asked, so ask with `get`, never walk them."""

    agents: Mapping[str, AgentType]
    gates: Mapping[str, Gate]
    checks: Mapping[str, Family]
    readers: Mapping[str, Format]
    absent: Callable[[Sequence[str]], tuple[str, ...]] = _none_absent
    """Of these plugins, by the name of their distribution, those that are not installed."""
    restrict: Callable[[Sequence[str]], Registry] | None = None
    """Under `--locked`: the same with only these plugins, and of them only what reads."""

    def under(self, policy: Policy) -> Registry:
        """What a package with this policy may use."""
        return self if self.restrict is None else self.restrict(policy.plugins)


BUILTIN = Registry(AGENTS, GATES, FAMILIES, FORMATS)
"""Without any plugin."""
