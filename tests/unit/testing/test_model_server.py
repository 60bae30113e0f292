"""The scripted model over the wire, as a client of each protocol sees it."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from selftune_build.testing.model_server import (
    Call,
    Called,
    Conversation,
    Cut,
    Hang,
    Late,
    ModelServer,
    Refuse,
    Result,
    Rule,
    Say,
    Text,
    Tool,
    listed,
    open_skill,
    rules,
    shell,
)

ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic": (
        "/v1/messages?beta=true",
        {
            "system": [{"type": "text", "text": "be kind"}],
            "messages": [
                {"role": "user", "content": "hello"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {"at": "it"}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "seen", "is_error": True}]},
            ],
            "tools": [{"name": "look", "description": "Look.", "input_schema": {"type": "object"}}],
        },
    ),
    "responses": (
        "/v1/responses",
        {
            "instructions": "be kind",
            "input": [
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]},
                {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at": "it"}'},
                {"type": "function_call_output", "call_id": "c1", "output": "seen"},
            ],
            "tools": [{"type": "function", "name": "look", "description": "Look.", "parameters": {"type": "object"}}],
        },
    ),
    "chat": (
        "/v1/chat/completions",
        {
            "messages": [
                {"role": "system", "content": "be kind"},
                {"role": "user", "content": "hello"},
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "it"}'}}],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "seen"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "look", "description": "Look.", "parameters": {"type": "object"}}}
            ],
        },
    ),
    "gemini": (
        "/v1beta/models/m:generateContent",
        {
            "systemInstruction": {"role": "user", "parts": [{"text": "be kind"}]},
            "contents": [
                {"role": "user", "parts": [{"text": "hello"}]},
                {
                    "role": "model",
                    "parts": [
                        {"text": "hm", "thought": True},
                        {"functionCall": {"id": "c1", "name": "look", "args": {"at": "it"}}},
                    ],
                },
                {
                    "role": "user",
                    "parts": [{"functionResponse": {"id": "c1", "name": "look", "response": {"error": "seen"}}}],
                },
            ],
            "tools": [{"functionDeclarations": [{"name": "look", "description": "Look.", "parameters": {"type": "OBJECT"}}]}],
            "generationConfig": {"responseJsonSchema": {"type": "object"}},
        },
    ),
}
STREAM = ("/v1beta/models/m:streamGenerateContent?alt=sse", ASKED["gemini"][1])


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(lambda conversation: Say("hello back")) as running:
        yield running


def post(server: ModelServer, path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(server.url + path, json.dumps({"model": "m", **body}).encode(), method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def events(content: bytes) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in content.decode().splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


@pytest.mark.parametrize("protocol", ASKED)
def test_a_request_is_seen_alike_over_every_protocol(server: ModelServer, protocol: str) -> None:
    path, body = ASKED[protocol]
    post(server, path, body)
    (seen,) = server.conversations
    assert seen.protocol == protocol
    expected = (Text("system", "be kind"), Text("user", "hello"), Called("c1", "look", {"at": "it"}))
    assert seen.turns == (*expected, Result("c1", "seen", error=protocol in ("anthropic", "gemini")))
    assert seen.offers("look")
    assert not seen.offers("look", "leap")
    assert seen.prompt == "hello"
    assert (seen.model, seen.stream) == ("m", False)


def test_words_come_back_whole_and_in_pieces(server: ModelServer) -> None:
    path, body = ASKED["anthropic"]
    assert json.loads(post(server, path, body)[2])["content"] == [{"type": "text", "text": "hello back"}]
    streamed = events(post(server, path, {**body, "stream": True})[2])
    assert [event["type"] for event in streamed][0::5] == ["message_start", "message_stop"]
    assert streamed[2]["delta"]["text"] == "hello back"
    path, body = ASKED["responses"]
    assert json.loads(post(server, path, body)[2])["output"][0]["content"][0]["text"] == "hello back"
    streamed = events(post(server, path, {**body, "stream": True})[2])
    assert streamed[-1]["type"] == "response.completed"
    assert streamed[-1]["response"]["usage"]["total_tokens"] == 108
    path, body = ASKED["chat"]
    assert json.loads(post(server, path, body)[2])["choices"][0]["message"]["content"] == "hello back"
    streamed = events(post(server, path, {**body, "stream": True})[2])
    assert streamed[1]["choices"][0]["delta"]["content"] == "hello back"
    assert streamed[-1] == "[DONE]"
    whole = json.loads(post(server, *ASKED["gemini"])[2])["candidates"][0]
    assert (whole["content"]["parts"], whole["finishReason"]) == ([{"text": "hello back"}], "STOP")
    streamed = events(post(server, *STREAM)[2])
    assert [each["candidates"][0].get("finishReason") for each in streamed] == [None, "STOP"]
    assert streamed[-1]["usageMetadata"]["totalTokenCount"] == 108
    assert (server.conversations[-1].stream, server.conversations[-1].schema) == (True, {"type": "object"})


def test_a_call_comes_back_with_its_input(server: ModelServer) -> None:
    server.script = lambda conversation: Call("look", {"at": "that"})
    path, body = ASKED["anthropic"]
    assert json.loads(post(server, path, body)[2])["content"][0]["input"] == {"at": "that"}
    path, body = ASKED["responses"]
    done = next(each for each in events(post(server, path, {**body, "stream": True})[2]) if each["type"].endswith("item.done"))
    assert json.loads(done["item"]["arguments"]) == {"at": "that"}
    path, body = ASKED["chat"]
    call = json.loads(post(server, path, body)[2])["choices"][0]["message"]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"at": "that"}
    (part,) = json.loads(post(server, *ASKED["gemini"])[2])["candidates"][0]["content"]["parts"]
    assert (part["functionCall"]["name"], part["functionCall"]["args"]) == ("look", {"at": "that"})


def test_a_tool_that_takes_text_is_offered_in_the_input_called_with_text_and_its_result_seen(server: ModelServer) -> None:
    server.script = lambda conversation: shell(conversation, "ls")
    tools = {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec", "description": "Runs it."}]}
    given = [
        {"type": "additional_tools", "tools": [tools]},
        {"type": "custom_tool_call", "call_id": "c1", "name": "exec", "input": "text(1)"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "1"}]},
    ]
    streamed = events(post(server, "/v1/responses", {"input": given, "stream": True})[2])
    item = streamed[-1]["response"]["output"][0]
    assert (item["type"], item["name"]) == ("custom_tool_call", "exec")
    assert item["input"].startswith('const ran = await tools.exec_command({"cmd": "ls"});')
    assert [each["delta"] for each in streamed if each["type"] == "response.custom_tool_call_input.delta"] == [item["input"]]
    (seen,) = server.conversations
    assert seen.turns == (Called("c1", "exec", {"input": "text(1)"}), Result("c1", "1"))


@pytest.mark.parametrize("protocol", ASKED)
def test_errors_carry_their_status_and_the_pause_they_ask_for(server: ModelServer, protocol: str) -> None:
    server.script = lambda conversation: Refuse(429, retry_after=7)
    status, headers, content = post(server, *ASKED[protocol])
    assert (status, headers["Retry-After"]) == (429, "7")
    error = json.loads(content)["error"]
    assert error["message"] == "refused by the script"
    if protocol == "gemini":
        assert error["details"] == [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]


def test_a_cut_stream_has_a_beginning_and_no_end(server: ModelServer) -> None:
    server.script = lambda conversation: Cut("half of")
    lasts = {"anthropic": "message_stop", "responses": "response.completed", "chat": "[DONE]", "gemini": '"STOP"'}
    for protocol, last in lasts.items():
        path, body = STREAM if protocol == "gemini" else ASKED[protocol]
        content = post(server, path, {**body, "stream": True})[2].decode()
        assert "half of" in content
        assert last not in content


def test_a_late_answer_comes_and_a_hang_ends_without_one(server: ModelServer) -> None:
    server.script = lambda conversation: Late(0.3, Say("at last"))
    started = time.monotonic()
    assert b"at last" in post(server, *ASKED["chat"])[2]
    assert time.monotonic() - started >= 0.3
    server.script = lambda conversation: Hang(0.1)
    with pytest.raises((http.client.RemoteDisconnected, urllib.error.URLError)):
        post(server, *ASKED["chat"])


def test_a_script_that_breaks_is_named_in_the_record(server: ModelServer) -> None:
    def broken(conversation: Conversation) -> Say:
        raise LookupError("no such answer")

    server.script = broken
    assert post(server, *ASKED["chat"])[0] == 500
    assert server.requests[0].problem == "LookupError: no such answer"
    assert post(server, "/v1/messages", {"messages": 3})[0] == 500
    server.forget()
    assert server.requests == ()


def test_rules_answer_by_the_first_that_holds() -> None:
    seen = Conversation("chat", "m", False, (Text("user", "hello"),))
    script = rules([Rule(lambda c: c.prompt == "bye", Say("bye")), Rule(lambda c: not c.results, Say("first"))], Say("rest"))
    assert script(seen) == Say("first")
    assert rules([], lambda c: Say(c.prompt))(seen) == Say("hello")


def test_skills_are_found_as_each_host_lists_them() -> None:
    claude = "The following skills are available:\n\n- pdf: Fills forms.\n- tea: Brews."
    codex = "### Skill roots\n- `r0` = `/ws/.agents/skills`\n### Available skills\n- pdf: Fills forms. (file: r0/pdf/SKILL.md)"
    tagged = "<skill>\n<name>pdf</name>\n<description>Fills forms.</description>\n<location>/ws/pdf/SKILL.md</location>\n</skill>"
    found = [listed(Conversation("chat", "m", False, (Text("system", text),))) for text in (claude, codex, tagged)]
    assert [(skills[0].name, skills[0].description) for skills in found] == [("pdf", "Fills forms.")] * 3
    assert [skills[0].folder for skills in found] == [None, "/ws/.agents/skills/pdf", "/ws/pdf"]
    tool = Tool("skill", f"Runs one.\n{tagged.replace('/ws/pdf/SKILL.md', 'project')}", {"properties": {"skill": {}}})
    asked = Conversation("chat", "m", False, (), (tool,))
    assert [(skill.name, skill.folder) for skill in listed(asked)] == [("pdf", None)]
    assert open_skill(asked, listed(asked)[0]) == Call("skill", {"skill": "pdf"})
    assert open_skill(Conversation("chat", "m", False, ()), found[2][0]).input == {
        "command": ["bash", "-lc", "cat /ws/pdf/SKILL.md"]
    }
