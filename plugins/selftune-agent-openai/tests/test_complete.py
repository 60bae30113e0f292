"""The role `complete`: one request alone, as JSON that matches where a schema is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_openai.agent import OPENAI

from selftune_build.agents.protocol import AgentFailure, AgentSettings, CompleteRequest
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import ErrorKind, Reply, Usage
from selftune_build.testing.model_server import Answer, Conversation, ModelServer, Refuse, Say

SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}
Ask = Callable[..., Reply]


@pytest.fixture
def ask(server: ModelServer, tmp_path: Path) -> Ask:
    def ask(schema: dict[str, Any] | None = None, prompt: str = "Is it so?", **options: Any) -> Reply:
        definition = AgentDefinition(type="openai", options={"base_url": f"{server.url}/v1", **options})
        agent = OPENAI.make(AgentSettings("judge", definition, "scripted-model", tmp_path))
        with (tmp_path / "answer").open("w+b", buffering=0) as answer:
            agent.complete(CompleteRequest("sha256:0", prompt, None, 60, schema, sample=2), answer)
        return agent.parse((tmp_path / "answer").read_bytes())

    return ask


def test_a_schema_reaches_the_service_and_the_answer_is_json(server: ModelServer, ask: Ask) -> None:
    server.script = lambda conversation: Say('{"verdict": "yes"}' if conversation.schema == SCHEMA else "no schema")
    reply = ask(SCHEMA, request={"seed": 5})
    assert json.loads(reply.output) == {"verdict": "yes"}
    assert reply.usage == Usage(101, 7, "0", unpriced=True, turns=1)
    assert (reply.skills_used, reply.tool_calls, reply.files_read) == ((), (), ())
    assert "schema by the prompt" not in (reply.program or "")
    (request,) = server.requests
    assert "authorization" not in request.headers
    assert json.loads(request.body)["seed"] == 7
    assert request.conversation is not None
    assert request.conversation.tools == ()


def refusing_schemas(conversation: Conversation) -> Answer:
    if conversation.schema is not None:
        return Refuse(400, "response_format is not supported")
    return Say('```json\n{"verdict": "no"}\n```' if '"verdict"' in conversation.prompt else "no schema")


def test_a_service_that_refuses_schemas_is_asked_by_the_prompt_and_the_sample_says_so(server: ModelServer, ask: Ask) -> None:
    server.script = refusing_schemas
    reply = ask(SCHEMA)
    assert "no" in reply.output
    assert (reply.program or "").endswith("schema by the prompt alone")
    assert len(server.requests) == 2
    server.forget()
    assert (ask(SCHEMA, json_schema=False).program or "").endswith("schema by the prompt alone")
    assert len(server.requests) == 1


@pytest.mark.parametrize("said", ["yes", '{"verdict": "maybe"}', 'It is {"verdict": "yes"}', ""])
def test_an_answer_off_its_schema_is_never_accepted(server: ModelServer, ask: Ask, said: str) -> None:
    server.script = lambda conversation: Say(said)
    with pytest.raises(AgentFailure, match="off-schema") as caught:
        ask(SCHEMA)
    assert caught.value.kind is ErrorKind.PROTOCOL


def test_without_a_schema_words_are_the_answer(server: ModelServer, ask: Ask) -> None:
    server.script = lambda conversation: Say("an answer" if "the end" in conversation.text else "cut off")
    assert ask(prompt="--help " + "words " * 10_000 + "the end").output == "an answer"


@pytest.mark.parametrize("schema", [None, SCHEMA])
def test_a_refusal_is_told_with_the_pause_that_was_asked_for(
    server: ModelServer, ask: Ask, schema: dict[str, Any] | None
) -> None:
    server.script = lambda conversation: Refuse(429, "slow down", retry_after=3)
    with pytest.raises(AgentFailure, match="slow down") as caught:
        ask(schema)
    assert (caught.value.kind, caught.value.retry_after_s) == (ErrorKind.RATE_LIMIT, 3)
    assert len(server.requests) == 1
