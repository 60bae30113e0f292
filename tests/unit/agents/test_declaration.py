"""What a manifest sets for one type of agent: part of every identity, and refused where nobody would heed it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selftune_build.agents.builtin import AGENTS, declared, make_agent
from selftune_build.agents.protocol import AgentSettings, AgentType, Traits
from selftune_build.errors import InputError
from selftune_build.model.manifest import AgentDefinition, Manifest
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded_agent import guarded_agent_type


class Silent:
    """An agent that says nothing of its options, which enter its identity all the same."""

    def __init__(self, settings: AgentSettings) -> None:
        self.name = settings.name
        self.identity: dict[str, Any] = {}
        self.traits = Traits(EvidenceOrigin.LIVE)


SILENT = AgentType("silent", "1", Silent, options=("heat", "words"))  # type: ignore[arg-type]
TYPES = {"silent": guarded_agent_type(SILENT, Supplier("plugin-under-test"))}


def manifest(**fields: Any) -> Manifest:
    return Manifest(agent=("a",), agents={"a": AgentDefinition(**{"type": "silent", **fields})})


def identity(options: dict[str, Any]) -> dict[str, Any]:
    return make_agent("a", manifest(options=options), Path("/"), None, TYPES).identity


def test_options_enter_an_identity_without_floats_and_none_leave_it_as_it_was() -> None:
    assert identity({}) == {"plugin": "silent", "cache_version": "1"}
    options = {"heat": 0.5, "words": [1, {"x": 1.0}, True, None]}
    assert identity(options)["options"] == {"heat": "0.5", "words": [1, {"x": "1.0"}, True, None]}


@pytest.mark.parametrize("options", [{}, {"heat": 0.5}])
def test_what_an_identity_says_of_options_can_be_told_without_the_plugin(options: dict[str, Any]) -> None:
    without = declared("a", manifest(options=options), Path("/"), None).identity
    assert without["options"] == identity(options).get("options")


@pytest.mark.parametrize(
    ("fields", "said", "hint"),
    [
        ({"options": {"haet": 1}}, "no option 'haet'", "it takes heat, words"),
        ({"type": "command", "argv": ("true",), "options": {"heat": 1}}, "no option 'heat'", "take `options` out"),
        ({"prices": {"input": "1", "output": "1"}}, "takes no prices", "take `prices` out"),
        ({"type": "embedded", "prices": {"input": "1", "output": "1"}}, "takes no prices", "take `prices` out"),
    ],
)
def test_what_a_type_does_not_take_is_refused(fields: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        make_agent("a", manifest(**fields), Path("/"), None, {**AGENTS, **TYPES})
    assert said in caught.value.message
    assert hint in (caught.value.hint or "")
