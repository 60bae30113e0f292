"""What holds for every agent holds for this one, the library asking a scripted model."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_llm import selftune_agents
from selftune_agent_llm.agent import LLM, REMARK

from selftune_build.agents.protocol import AgentSettings
from selftune_build.errors import InputError
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.testing import AgentContract
from selftune_build.testing.model_server import ModelServer

MODEL = "scripted-model"


class TestLlm(AgentContract):
    agent_type = LLM
    model = MODEL
    broken_answers = (
        *AgentContract.broken_answers,
        b'{"type":"end","program":"llm 0"}\n',
        b'{"type":"selftune.llm/1","skills":[]}\n',
        b'{"type":"selftune.llm/1","skills":[]}\n{"type":"turn","asked":"words","text":"a part"}\n',
    )

    @pytest.fixture(autouse=True)
    def _service(self, server: ModelServer, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("LLM_USER_PATH", str(tmp_path_factory.mktemp("llm")))


def made(model: str | None = "m", **fields: Any) -> Any:
    return LLM.make(AgentSettings("judge", AgentDefinition(type="llm", **fields) if fields else None, model, Path("/")))


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group="selftune_build.plugins", name="llm")
    assert point.load().selftune_agents() == selftune_agents() == [LLM]


def test_the_identity_is_pinned() -> None:
    assert made().identity == {
        "plugin": "llm",
        "cache_version": "1",
        "dialogue": "sha256:087514a2e7673c4421ec5d9d360a4ccdba2346fb415753cbec3855ee3666f9fa",
        "model": "m",
        "profiles": {"package": ["read_file", "skill"], "routing": ["skill"]},
    }
    more = made(env=("B_KEY", "A_KEY"), cache_version="2").identity
    assert (more["env"], more["declared_version"], more["cache_version"]) == (["A_KEY", "B_KEY"], "2", "1")


def test_it_is_live_costs_money_and_says_what_it_cannot_do() -> None:
    traits = made().traits
    assert (traits.origin, traits.free, traits.completes, traits.remark) == (EvidenceOrigin.LIVE, False, True, REMARK)
    assert "chat-only" in REMARK
    assert "chat-only" in LLM.summary


def test_an_argv_makes_no_agent() -> None:
    with pytest.raises(InputError, match="no argv"):
        made(argv=("python3",))
