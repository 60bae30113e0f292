"""The event stream of pi as a reply, and how the program is started."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_pi import selftune_agents
from selftune_agent_pi.agent import HOST, PI, _login_told, invoked
from selftune_agent_pi.invocation import invocation

from selftune_build.agents.hosts import HostAgent, Invocation, Opening, Session
from selftune_build.agents.hosts.login import Given
from selftune_build.agents.hosts.stream import CLOSING, line
from selftune_build.agents.protocol import AgentFailure, AgentSettings
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage
from selftune_build.process import Outcome

OPENING = Opening("/ws", {"pdf": ("The first line of the body.",), "tea": ("Another body altogether.",)})
USAGE = {"input": 101, "output": 7, "cacheRead": 20, "cacheWrite": 3, "cost": {"total": 0.00102}}
END = {"type": "agent_end", "messages": []}


def agent(model: str | None = None) -> HostAgent:
    made = PI.make(AgentSettings("pi", None, model, Path("/")))
    assert isinstance(made, HostAgent)
    return made


def said(text: str, **more: Any) -> dict[str, Any]:
    message = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": text}] if text else [],
        "api": "openai-completions",
        "model": "asked",
        "usage": USAGE,
        "stopReason": "stop",
    }
    return {"type": "message_end", "message": {**message, **more}}


def used(name: str, given: dict[str, Any], result: str = "ok", error: bool = False) -> list[dict[str, Any]]:
    identifier = f"{name}-{json.dumps(given)}"
    content = {"content": [{"type": "text", "text": result}]}
    return [
        said("", stopReason="toolUse"),
        {"type": "tool_execution_start", "toolCallId": identifier, "toolName": name, "args": given},
        {"type": "tool_execution_end", "toolCallId": identifier, "toolName": name, "result": content, "isError": error},
    ]


def parse(*events: dict[str, Any], opening: Opening = OPENING) -> Reply:
    closing = {"version": "0.74.2", "type": CLOSING}
    return agent().parse(line(opening) + b"".join(line(each) for each in ({"type": "session"}, *events, closing)))


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group="selftune_build.plugins", name="pi")
    assert point.load().selftune_agents() == selftune_agents() == [PI]


def test_the_identity_is_pinned() -> None:
    tools = {"package": ["bash", "edit", "read", "write"], "routing": ["read"]}
    prompt = "sha256:08940216fe8f7267068d2c97e6a4ea009b8d966c88ca39b1b629e4a656db534f"
    expected = {"plugin": "pi", "cache_version": "1", "model": "m", "profiles": tools, "system_prompt": prompt}
    assert agent("m").identity == expected


def test_the_last_words_are_the_answer_and_what_was_used_is_summed() -> None:
    reply = parse(*used("bash", {"command": "ls"}), said("the answer"), END)
    assert (reply.output, reply.skills_used, reply.files_read) == ("the answer", (), ())
    assert reply.tool_calls == (ToolCall("bash", {"command": "ls"}),)
    assert reply.usage == Usage(248, 14, "0.00204", turns=2)
    assert (reply.model, reply.program) == ("asked", "pi 0.74.2")


def test_a_price_that_is_not_known_and_a_model_that_is_not_told_are_said_to_be() -> None:
    free = {**USAGE, "cost": {"total": 0}}
    reply = parse(said("x", usage=free, api="anthropic-messages"), END)
    assert (reply.usage, reply.model) == (Usage(124, 7, "0", unpriced=True, turns=1), None)
    assert parse(said("x", responseModel="served"), END).model == "served"


def test_a_skill_is_activated_by_its_file_by_a_command_or_by_the_prompt() -> None:
    read = parse(*used("read", {"path": "/ws/.pi/skills/tea/SKILL.md"}), said("x"), END)
    assert (read.skills_used, read.files_read) == (("tea",), (".pi/skills/tea/SKILL.md",))
    printed = used("bash", {"command": "cat .pi/skills/*/SKILL.md"}, "The first line of the body.")
    assert parse(*printed, said("x"), END).skills_used == ("pdf",)
    assert parse(said("x"), END, opening=Opening("/ws", OPENING.skills, ("tea",))).skills_used == ("tea",)


def test_what_failed_is_no_activation() -> None:
    failed = used("read", {"path": "/ws/.pi/skills/tea/SKILL.md"}, "ENOENT", error=True)
    assert parse(*failed, said("x"), END).skills_used == ()
    assert parse(*failed[:2], said("x"), END).skills_used == ()
    body = used("bash", {"command": "cat .pi/skills/pdf/SKILL.md; exit 1"}, "The first line of the body.", error=True)
    assert parse(*body, said("x"), END).skills_used == ()


def test_refusals_of_the_kernel_are_told() -> None:
    outside = used("write", {"path": "/etc/x", "content": "y"}, "EACCES: permission denied", error=True)
    refused = used("bash", {"command": "x"}, "sh: /etc/y: Permission denied", error=True)
    expected = ("write: /etc/x: not written", "bash: sh: /etc/y: Permission denied")
    assert parse(*outside, *refused, said("x"), END).refused == expected


@pytest.mark.parametrize(
    ("message", "kind", "pause"),
    [
        ("401 no", ErrorKind.AUTH, None),
        ('403 {"type":"error"}', ErrorKind.AUTH, None),
        ("429 slow down", ErrorKind.RATE_LIMIT, None),
        ("429 Please try again in 1.5s.", ErrorKind.RATE_LIMIT, 1.5),
        ("500 broken", ErrorKind.REPORTED, None),
        ("Stream ended without finish_reason", ErrorKind.REPORTED, None),
        (None, ErrorKind.REPORTED, None),
    ],
)
def test_a_last_message_that_is_an_error_is_never_an_answer(message: str | None, kind: ErrorKind, pause: float | None) -> None:
    with pytest.raises(AgentFailure) as caught:
        parse(said("half of it", stopReason="error", errorMessage=message), END)
    assert (caught.value.kind, caught.value.retry_after_s) == (kind, pause)


def test_a_missing_end_is_no_answer() -> None:
    for events in ((), (said("x"),), used("bash", {"command": "ls"})):
        with pytest.raises(AgentFailure, match="no end"):
            parse(*events)


def test_a_skill_is_called_at_the_start_of_a_prompt_only() -> None:
    names = ["pdf", "pdf-forms"]
    assert invoked("/skill:pdf-forms do it", names) == invoked("/skill:pdf-forms", names) == ("pdf-forms",)
    assert invoked("see /skill:pdf", names) == invoked("/pdf", names) == ()


def test_whoever_has_a_model_is_logged_in() -> None:
    table = b"provider  model    context\nopenai    gpt-4.1  1.0M\nopenai    gpt-4    8K\ngroq  x  1K\n"
    assert _login_told(Outcome(0, b"", table, "exit")) == "models of openai, groq"
    assert _login_told(Outcome(0, b"", b"No models available. Use /login\n", "exit")) is None
    assert _login_told(Outcome(1, b"", table, "exit")) is None


def started(home: Path, profile: Any, model: str | None, environment: dict[str, str], **more: Any) -> tuple[Invocation, Any]:
    made = invocation(Session("a prompt", model, home, home / "root", profile, 10, Given(environment), **more))
    return made, json.loads((home / ".pi/agent/models.json").read_text())["providers"]


def test_the_program_gets_its_tools_by_profile_and_the_staged_skills_alone(tmp_path: Path) -> None:
    for profile, tools in (("routing", "read"), ("package", "bash,edit,read,write")):
        made, _ = started(tmp_path, profile, None, {})
        assert made.arguments[made.arguments.index("--tools") + 1] == tools
        assert made.arguments[made.arguments.index("--skill") + 1] == str(tmp_path / "root/.pi/skills")
        assert {"--no-skills", "--no-extensions", "--no-context-files", "--no-session"} <= set(made.arguments)
        assert "--model" not in made.arguments
    assert made.stdin == b"a prompt"
    assert json.loads((tmp_path / ".pi/agent/settings.json").read_text())["retry"]["enabled"] is False


def test_an_endpoint_of_ones_own_is_asked_by_chat_completions_for_a_model_that_pi_does_not_know(tmp_path: Path) -> None:
    url = {"OPENAI_BASE_URL": "http://x/v1"}
    made, providers = started(tmp_path, "package", "local-model", url)
    assert made.arguments[-4:] == ("--provider", "openai", "--model", "local-model")
    assert (providers["openai"]["api"], providers["openai"]["models"]) == ("openai-completions", [{"id": "local-model"}])
    for model in ("openai/gpt-5.4", "anthropic/x", None):
        made, providers = started(tmp_path, "package", model, url)
        assert providers == {"openai": {"baseUrl": "http://x/v1"}}
        assert "--provider" not in made.arguments
    assert started(tmp_path, "package", "openai/gpt-5.4", {"OPENAI_API_KEY": "k"})[1] == {}


def test_completing_offers_no_tool_and_asks_for_the_schema_in_words(tmp_path: Path) -> None:
    made, _ = started(tmp_path, None, None, {}, schema={"type": "object"})
    assert "--no-tools" in made.arguments
    assert "--skill" not in made.arguments
    assert made.stdin.startswith(b"a prompt\n\n")
    assert made.stdin.endswith(b'{"type": "object"}')
    assert started(tmp_path, None, None, {})[0].stdin == b"a prompt"


def test_messages_in_pieces_are_not_kept() -> None:
    assert b'{"type":"message_update","message":{}}'.startswith(HOST.repeated)
