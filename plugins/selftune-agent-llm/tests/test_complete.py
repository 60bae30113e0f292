"""The role `complete`: one request alone, as JSON that matches where a schema is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_llm.agent import LLM

from selftune_build.agents.protocol import AgentFailure, AgentSettings, CompleteRequest
from selftune_build.model.sample import ErrorKind, Reply, Usage
from selftune_build.testing.model_server import Conversation, Cut, ModelServer, Refuse, Say

SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}
MODELS = ("scripted-model", "gpt-4o-mini", "gpt-5-mini", "claude-haiku-4.5")
"""Through Chat Completions of any service, through both protocols of OpenAI, and through a plugin of the library."""
Ask = Callable[..., Reply]


@pytest.fixture
def ask(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    user = tmp_path / "llm"
    user.mkdir()
    (user / "keys.json").write_text(json.dumps({"openai": "kept-key-0123456789", "anthropic": "other-key-0123456789"}))
    monkeypatch.setenv("LLM_USER_PATH", str(user))
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def ask(prompt: str, schema: dict[str, Any] | None = None, model: str = MODELS[0]) -> Reply:
        agent = LLM.make(AgentSettings("judge", None, model, tmp_path))
        path = tmp_path / "answer"
        with path.open("w+b", buffering=0) as answer:
            agent.complete(CompleteRequest("sha256:0", prompt, None, 60, schema), answer)
        return agent.parse(path.read_bytes())

    return ask


@pytest.mark.parametrize("model", MODELS)
def test_a_schema_reaches_the_model_the_answer_is_json_and_a_key_goes_where_it_belongs(
    server: ModelServer, ask: Ask, model: str
) -> None:
    def script(conversation: Conversation) -> Say:
        properties = (conversation.schema or {}).get("properties", {})
        return Say('{"verdict": "yes"}' if set(properties) == {"verdict"} else "no schema")

    server.script = script
    reply = ask("Is it so?", SCHEMA, model)
    assert json.loads(reply.output) == {"verdict": "yes"}
    assert reply.usage == Usage(101, 7, "0", unpriced=True, turns=1)
    assert (reply.skills_used, reply.tool_calls, reply.files_read) == ((), (), ())
    (request,) = server.requests
    assert request.conversation is not None
    assert "Is it so?" in request.conversation.text
    assert reply.model == request.conversation.model
    assert (reply.program or "").startswith("llm 0.")
    keys = {"scripted-model": "Bearer DUMMY_KEY", "claude-haiku-4.5": "other-key-0123456789"}
    sent = request.headers.get("authorization", "") + request.headers.get("x-api-key", "")
    assert sent == keys.get(model, "Bearer kept-key-0123456789")


@pytest.mark.parametrize("said", ["yes", '{"verdict": "maybe"}', '```json\n{"verdict": "yes"}\n```'])
def test_an_answer_off_its_schema_is_never_accepted(server: ModelServer, ask: Ask, said: str) -> None:
    server.script = lambda conversation: Say(said)
    with pytest.raises(AgentFailure, match="off-schema") as caught:
        ask("Is it so?", SCHEMA)
    assert caught.value.kind is ErrorKind.PROTOCOL


def test_without_a_schema_words_are_the_answer(server: ModelServer, ask: Ask) -> None:
    server.script = lambda conversation: Say("an answer" if "the end" in conversation.text else "cut off")
    assert ask("--help " + "words " * 10_000 + "the end").output == "an answer"


def test_no_client_of_a_service_tries_again_by_itself(server: ModelServer, ask: Ask) -> None:
    server.script = lambda conversation: Refuse(429, retry_after=3)
    with pytest.raises(AgentFailure) as caught:
        ask("Is it so?", SCHEMA, MODELS[3])
    assert (caught.value.kind, caught.value.retry_after_s) == (ErrorKind.RATE_LIMIT, 3)
    assert len(server.requests) == 1


def test_a_stream_that_a_plugin_of_the_library_reads_is_no_answer_when_it_is_cut(server: ModelServer, ask: Ask) -> None:
    server.script = lambda conversation: Cut()
    with pytest.raises(AgentFailure, match="cut"):
        ask("Is it so?", model=MODELS[3])
