"""The worker's events as a reply, and where the user's keys are looked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from selftune_agent_llm import keys
from selftune_agent_llm.dialogue import OffSchema, step
from selftune_agent_llm.events import Asking, End, Failed, Opening, Turn, line
from selftune_agent_llm.library import _cost, failure, keyless
from selftune_agent_llm.reading import billed, reply

from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind, Usage

OPENING = Opening(("pdf", "tea"))
CHOSEN = Turn("decision", '{"skill": "tea"}', 10, 2, "0.001", "served")


def raw(*events: object) -> bytes:
    return b"".join(map(line, events))  # type: ignore[arg-type]


def test_costs_and_tokens_are_summed_also_where_the_answer_is_refused() -> None:
    words = Turn("words", "done", 5, 1, "0.0005")
    assert reply(raw(OPENING, CHOSEN, words, End("llm 1"))).usage == Usage(15, 3, "0.0015", turns=2)
    assert billed(raw(OPENING, CHOSEN, Failed("reported", "x"))) == Usage(10, 2, "0.001", turns=1)
    assert billed(raw(OPENING)) is None
    assert billed(raw(OPENING, CHOSEN) + b"{") is None


def test_an_answer_without_its_end_or_with_a_failure_is_none() -> None:
    with pytest.raises(AgentFailure, match="before it was done"):
        reply(raw(OPENING, CHOSEN))
    with pytest.raises(AgentFailure) as caught:
        reply(raw(OPENING, CHOSEN, Failed("rate-limit", "slowly", 4.0), End("llm 1")))
    assert (caught.value.kind, caught.value.retry_after_s) == (ErrorKind.RATE_LIMIT, 4.0)


def test_a_stored_answer_off_its_schema_stays_refused() -> None:
    for turn in (Turn("decision", '{"skill": "coffee"}'), Turn("step", "done"), Turn("document", "done")):
        with pytest.raises(AgentFailure, match="off-schema"):
            reply(raw(OPENING, turn, End("llm 1")))


def test_a_schema_that_leads_elsewhere_is_not_followed() -> None:
    opening = Opening(schema={"$ref": "http://127.0.0.1:9/schema.json"})
    with pytest.raises(AgentFailure, match="cannot be used"):
        reply(raw(opening, Turn("document", "{}"), End("llm 1")))


def test_paths_are_told_as_seen_from_the_workspace_and_refused_ones_as_they_were_written() -> None:
    read, refused = Asking("tea", "a.md", "read"), Asking("tea", "../pdf/\nSKILL.md", "refused")
    found = reply(raw(OPENING, CHOSEN, read, refused, Turn("words", "x"), End("llm 1")))
    assert found.files_read == (".agents/skills/tea/a.md",)
    assert [call.input for call in found.tool_calls or ()][1:] == [{"path": ".agents/skills/tea/a.md"}, {"path": refused.path}]
    assert found.refused == ("read_file: ../pdf/ SKILL.md: not a file of tea",)


def test_a_cost_is_taken_only_where_a_service_tells_one() -> None:
    assert _cost({"cost": 0.00012}) == "0.00012"
    assert [_cost(details) for details in (None, {}, {"cost": "1"}, {"cost": -1}, {"cost": True}, {"cost": float("nan")})] == [
        "0"
    ] * 6


def test_an_error_nobody_knows_is_reported_and_one_of_shape_is_of_the_protocol() -> None:
    assert [failure(error).kind for error in (OSError("refused"), KeyError("choices"))] == ["reported", "protocol"]
    with pytest.raises(OffSchema):
        step('{"action": "read"}')


def test_keys_are_looked_for_where_the_library_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLM_USER_PATH", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", "linux")
    places = {"LLM_USER_PATH": tmp_path / "own", "XDG_CONFIG_HOME": tmp_path / "xdg" / "io.datasette.llm"}
    places["HOME"] = tmp_path / "home" / ".config" / "io.datasette.llm"
    for name, place in places.items():
        place.mkdir(parents=True)
        (place / "keys.json").write_text(json.dumps({"// Note": "x", name: "y"}))
    assert keys.kept() == ["HOME"]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert keys.kept() == ["XDG_CONFIG_HOME"]
    assert keys.user_path(tmp_path / "sample") == tmp_path / "sample" / ".config" / "io.datasette.llm"
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "own"))
    assert keys.kept() == ["LLM_USER_PATH"]


def test_of_the_variables_that_are_named_those_with_secrets_are_masked() -> None:
    secret = {variable.name: variable.secret for variable in keys.login(["LLM_MISTRAL_KEY", "AWS_REGION"]).variables}
    assert (secret["LLM_MISTRAL_KEY"], secret["AWS_REGION"], secret["OPENAI_BASE_URL"]) == (True, False, False)


def test_a_model_that_needs_no_key_is_found_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    assert not keyless().known
    local = {"model_id": "local", "model_name": "local", "api_base": "http://127.0.0.1:9", "supports_schema": True}
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps([local]))
    assert keyless().known
