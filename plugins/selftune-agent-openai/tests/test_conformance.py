"""What holds for every agent holds for this one, a scripted model answering; and what its settings may be."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_openai import selftune_agents
from selftune_agent_openai.agent import OPENAI, REMARK
from selftune_agent_openai.events import Answered, End, Opening

from selftune_build.agents.builtin import make_agent
from selftune_build.agents.hosts.stream import line
from selftune_build.errors import InputError
from selftune_build.model.manifest import AgentDefinition, Manifest
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.testing import AgentContract
from selftune_build.testing.model_server import ModelServer, Say, use_skill

OPENED = line(Opening("package", ("greeting",)))


class TestOpenai(AgentContract):
    agent_type = OPENAI
    model = "scripted-model"
    broken_answers = (
        *AgentContract.broken_answers,
        line(End("x")),
        OPENED,
        OPENED + line(End("x")),
        OPENED + line(Answered(200, "{}")) + line(End("x")),
        OPENED + line(Answered(200, '{"choices": [{"message": {"content": "a part"}}]}')),
        OPENED + line(Answered(200, '{"error": {"message": "no"}}')),
        OPENED + line(Answered(500, "<html>")),
    )

    @pytest.fixture(autouse=True)
    def _service(self, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
        server.script = use_skill("greets", lambda conversation, skill: Say("Good morning!"))
        options = {"base_url": f"{server.url}/v1"}
        monkeypatch.setattr(type(self), "definition", AgentDefinition(type="openai", options=options))

    def test_it_activates_the_skill_through_its_tool(self, agent: Any, stage: Any) -> None:
        reply = agent.parse(self.answer(agent, stage))
        assert (reply.output, reply.skills_used, reply.files_read) == (
            "Good morning!",
            ("greeting",),
            (".agents/skills/greeting/SKILL.md",),
        )


def made(model: str | None = "m", **fields: Any) -> Any:
    definition = AgentDefinition(type="openai", **fields)
    return make_agent("local", Manifest(agents={"local": definition}), Path("/"), model, {"openai": OPENAI})


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group="selftune_build.plugins", name="openai")
    assert point.load().selftune_agents() == selftune_agents() == [OPENAI]


def test_the_identity_is_pinned() -> None:
    assert made().identity == {
        "plugin": "openai",
        "cache_version": "1",
        "dialogue": "sha256:f7cdd69b4aaf0f6ffaaae60c862b64cb9fc4cdee6653492192d5fc4c8c97699c",
        "model": "m",
        "profiles": {
            "package": ["activate_skill", "list_folder", "read_file", "run_script", "write_file"],
            "routing": ["activate_skill"],
        },
    }
    more = made(env=("B_KEY", "A_KEY"), cache_version="2").identity
    assert (more["env"], more["declared_version"], more["cache_version"]) == (["A_KEY", "B_KEY"], "2", "1")


def test_it_is_live_and_says_that_it_is_no_host_of_somebody_else() -> None:
    traits = made(deterministic=True).traits
    assert (traits.origin, traits.free, traits.completes, traits.remark) == (EvidenceOrigin.LIVE, False, True, REMARK)
    assert made(origin="simulated", free=True).traits.free


def test_an_argv_makes_no_agent() -> None:
    with pytest.raises(InputError, match="no argv"):
        made(argv=("python3",))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"baseurl": "http://x"}, "no option 'baseurl'"),
        ({"base_url": 3}, "Expected `str`"),
        ({"base_url": "ftp://x/v1"}, "begin with http"),
        ({"base_url": "http://"}, "name a host"),
        ({"base_url": "http://[::1"}, "is no address"),
        ({"base_url": "http://user:secret@host/v1"}, "no login"),
        ({"base_url": "http://host/v1?key=secret"}, "no login"),
        ({"key": "sk-0123"}, "key"),
        ({"token_limit": 0}, "token_limit"),
        ({"request": {"tools": []}}, "the tool loop fills in"),
        ({"request": [1]}, "Expected `object`"),
    ],
)
def test_options_that_mean_nothing_are_bad_input(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        made(options=options)
    assert said in caught.value.message
    assert caught.value.hint


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "LOCAL_KEY"):
        monkeypatch.delenv(name, raising=False)
    local = {"base_url": "http://127.0.0.1:1/v1"}
    assert "--model NAME" in made(model=None).unavailable()
    assert "OPENAI_API_KEY is not set" in made().unavailable()
    assert "LOCAL_KEY is not set" in made(options={**local, "key": "LOCAL_KEY"}).unavailable()
    assert made(options=local).unavailable() is None
    monkeypatch.setenv("LOCAL_KEY", "two words")
    problem = made(options={**local, "key": "LOCAL_KEY"}).unavailable()
    assert "cannot be sent as a key" in problem
    assert "two words" not in problem


def test_without_confinement_it_is_unavailable_unless_somebody_says_that_all_is_a_sandbox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("selftune_build.agents.hosts.confine.supported", lambda: False)
    monkeypatch.delenv("SELFTUNE_UNCONFINED", raising=False)
    agent = made(options={"base_url": "http://127.0.0.1:1/v1"})
    assert "Landlock" in agent.unavailable()
    monkeypatch.setenv("SELFTUNE_UNCONFINED", "1")
    assert agent.unavailable() is None
