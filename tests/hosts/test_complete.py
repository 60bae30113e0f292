"""The role `complete`: one request alone, as JSON where a schema is given."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from selftune_build.agents.protocol import AgentFailure, CompleteRequest
from selftune_build.model.sample import ErrorKind
from selftune_build.testing.model_server import Answer, Call, Conversation, Refuse, Say, Tool
from tests.hosts.hosts import Bench

SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}


def in_words(conversation: Conversation) -> bool:
    """Whether the schema stands in the prompt."""
    return json.dumps(SCHEMA) in conversation.prompt


def answering(conversation: Conversation) -> list[Tool]:
    """The tools with which a model answers a schema, in hosts that have one."""
    return [tool for tool in conversation.tools if tool.name in ("StructuredOutput", "structured_output")]


@pytest.fixture
def ask(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in bench.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(bench.temporary))

    def ask(prompt: str, schema: dict[str, Any] | None = None) -> Any:
        path = Path(bench.temporary) / "answer"
        path.unlink(missing_ok=True)
        agent = bench.agent()
        with path.open("ab+", buffering=0) as answer:
            agent.complete(CompleteRequest("sha256:0", prompt, bench.model, 60, schema), answer)
        return agent.parse(path.read_bytes())

    return ask


def test_a_schema_reaches_the_model_and_the_answer_is_json(bench: Bench, ask: Any) -> None:
    def script(conversation: Conversation) -> Answer:
        tool = next(iter(answering(conversation)), None)
        if tool is not None:
            return Call(tool.name, {"verdict": "yes"})
        told = conversation.schema == SCHEMA or in_words(conversation)
        return Say('{"verdict": "yes"}' if told else "no schema")

    bench.server.script = script
    reply = ask("Is it so?", SCHEMA)
    assert json.loads(reply.output) == {"verdict": "yes"}
    assert reply.usage.input_tokens == 101
    (conversation,) = bench.server.conversations
    shown = [tool.schema for tool in answering(conversation)] or [conversation.schema]
    assert in_words(conversation) != bench.facts.takes_schema
    assert not bench.facts.takes_schema or (shown[0] or {})["properties"] == SCHEMA["properties"]
    assert "Is it so?" in conversation.text


def test_a_prompt_of_any_length_and_form_is_answered_in_plain_words(bench: Bench, ask: Any) -> None:
    bench.server.script = lambda conversation: Say("an answer" if "the end" in conversation.text else "cut off")
    assert ask("--help " + "words " * 40_000 + "the end").output == "an answer"
    assert not list(bench.temporary.glob("selftune-*"))


def test_an_error_of_the_service_is_one_here_too(bench: Bench, ask: Any) -> None:
    bench.server.script = lambda conversation: Refuse(401)
    with pytest.raises(AgentFailure) as caught:
        ask("Is it so?")
    assert caught.value.kind is ErrorKind.AUTH
