"""The event stream of Copilot CLI as a reply, and how the program is started."""

from __future__ import annotations

import json
import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_copilot import selftune_agents
from selftune_agent_copilot.agent import COPILOT, HOST, LOGIN
from selftune_agent_copilot.invocation import invocation
from selftune_agent_copilot.reading import closing, waiting

from selftune_build.agents.hosts import HostAgent, Invocation, Opening, Session
from selftune_build.agents.hosts.login import Given
from selftune_build.agents.hosts.stream import CLOSING, line, parse_stream
from selftune_build.agents.protocol import AgentFailure, AgentSettings
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage

OPENING = Opening("/ws", {"pdf": ("The first line of the body.",), "tea": ("Another body altogether.",)})
OFFERED = {"type": "session.skills_loaded", "data": {"skills": [{"name": "pdf", "enabled": True}]}}
CALLS = [{"inputTokens": 101, "outputTokens": 7}] * 2
NOTED = {"type": "session.usage_record", "data": {"usage": {**CALLS[0], "cost": 0.0}}}


def agent(model: str | None = None) -> HostAgent:
    made = COPILOT.make(AgentSettings("copilot", None, model, Path("/")))
    assert isinstance(made, HostAgent)
    return made


def said(text: str) -> dict[str, Any]:
    return {"type": "assistant.message", "data": {"content": text, "model": "asked"}}


def used(name: str, given: dict[str, Any], content: str = "ok", **end: Any) -> list[dict[str, Any]]:
    done = {"toolCallId": name, "success": True, "result": {"content": content}, **end}
    return [
        {"type": "tool.execution_start", "data": {"toolCallId": name, "toolName": name, "arguments": given}},
        {"type": "tool.execution_complete", "data": done},
    ]


FAILED = {"success": False, "result": None, "error": {"message": "no"}}


def parse(*events: dict[str, Any], status: int = 0) -> Reply:
    closed = {"version": "1.0.102", "calls": CALLS, "type": CLOSING}
    return agent().parse(line(OPENING) + b"".join(map(line, (OFFERED, *events, {"type": "result", "exitCode": status}, closed))))


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group="selftune_build.plugins", name="copilot")
    assert point.load().selftune_agents() == selftune_agents() == [COPILOT]


def test_the_identity_is_pinned() -> None:
    package = ["bash", "create", "edit", "glob", "grep", "skill", "view"]
    tools = {"package": package, "routing": ["skill", "view"]}
    prompt = "sha256:08940216fe8f7267068d2c97e6a4ea009b8d966c88ca39b1b629e4a656db534f"
    expected = {"plugin": "copilot", "cache_version": "1", "model": "m", "profiles": tools, "system_prompt": prompt}
    assert agent("m").identity == expected


def test_the_last_words_are_the_answer_and_offered_is_not_triggered() -> None:
    reply = parse(said("first"), *used("glob", {"pattern": "*"}), said("the answer"), said(""))
    assert (reply.output, reply.skills_used, reply.files_read) == ("the answer", (), ())
    assert reply.tool_calls == (ToolCall("glob", {"pattern": "*"}),)
    assert reply.usage == Usage(202, 14, unpriced=True, turns=2)
    assert (reply.model, reply.program) == (None, "copilot 1.0.102")


def test_a_skill_is_activated_by_its_tool_by_its_file_or_by_a_command() -> None:
    assert parse(*used("skill", {"skill": "pdf"})).skills_used == ("pdf",)
    read = parse(*used("view", {"path": "/ws/.github/skills/tea/SKILL.md"}))
    assert (read.skills_used, read.files_read) == (("tea",), (".github/skills/tea/SKILL.md",))
    printed = used("bash", {"command": "cat .github/skills/*/SKILL.md"}, "The first line of the body.")
    assert parse(*printed).skills_used == ("pdf",)


def test_what_failed_is_no_activation() -> None:
    assert parse(*used("skill", {"skill": "pdf"}, **FAILED)).skills_used == ()
    assert parse(used("skill", {"skill": "pdf"})[0]).skills_used == ()
    command = {"command": "cat .github/skills/pdf/SKILL.md; exit 1"}
    assert parse(*used("bash", command, "The first line of the body.", shellExecution={"exitCode": 1})).skills_used == ()
    assert parse(*used("bash", command, "The first line of the body.", shellExecution={"exitCode": 0})).skills_used == ("pdf",)


def test_refusals_of_the_kernel_are_told() -> None:
    outside = used("create", {"path": "/etc/x", "file_text": "y"}, **FAILED)
    refused = used("bash", {"command": "x"}, "sh: /etc/y: Permission denied", shellExecution={"exitCode": 1})
    expected = ("create: /etc/x: not written", "bash: sh: /etc/y: Permission denied")
    assert parse(*outside, *refused).refused == expected


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, ErrorKind.AUTH), (429, ErrorKind.RATE_LIMIT), (500, ErrorKind.REPORTED), (None, ErrorKind.REPORTED)],
)
def test_an_error_of_the_service_is_never_an_answer(status: int | None, kind: ErrorKind) -> None:
    error = {"type": "session.error", "data": {"message": "retried 5 times", "statusCode": status}}
    with pytest.raises(AgentFailure, match="retried 5 times") as caught:
        parse(said("half of it"), error, status=1)
    assert caught.value.kind is kind


def test_a_missing_end_and_an_end_that_is_none_are_no_answers() -> None:
    with pytest.raises(AgentFailure, match="no result"):
        agent().parse(line(OPENING) + line(said("x")))
    with pytest.raises(AgentFailure, match="status 2"):
        parse(said("x"), status=2)


def test_a_pause_in_which_its_time_was_up_is_told_from_a_model_that_was_slow() -> None:
    refused = {"type": "model.call_failure", "data": {"statusCode": 429, "errorMessage": "slow down"}}
    start, finished = {"type": "model.call_start"}, {"type": "model.call_finished"}
    failure = waiting(parse_stream(b"".join(map(line, (OPENING, start, refused, finished)))))
    assert failure is not None
    assert failure.kind is ErrorKind.RATE_LIMIT
    for events in ((start,), (start, refused, finished, start), (start, finished)):
        assert waiting(parse_stream(line(OPENING) + b"".join(map(line, events)))) is None


def test_tokens_are_those_that_the_program_notes_in_its_home(tmp_path: Path) -> None:
    log = tmp_path / ".copilot/session-state/s/events.jsonl"
    assert closing(tmp_path)["calls"] == []
    log.parent.mkdir(parents=True)
    log.write_bytes(line(NOTED) + b"broken\n" + line({"type": "other"}) + line({**NOTED, "data": 3}) + line(NOTED))
    assert closing(tmp_path)["calls"] == CALLS


def test_a_file_with_more_than_a_login_is_not_passed_on() -> None:
    assert LOGIN.files == ()
    assert {variable.name for variable in LOGIN.variables if variable.secret} >= {
        "COPILOT_GITHUB_TOKEN",
        "COPILOT_PROVIDER_API_KEY",
    }


def test_no_prompt_calls_a_skill_and_pieces_of_messages_are_not_kept() -> None:
    assert HOST.invoked("/pdf do it", ["pdf"]) == ()
    assert b'{"type":"assistant.message_delta","data":{}}'.startswith(HOST.repeated)


def started(folder: Path, profile: Any, login: dict[str, str] | None = None, **more: Any) -> tuple[Invocation, Any]:
    home = folder / "home"
    home.mkdir(parents=True)
    made = invocation(Session("a prompt", "m", home, folder / "root", profile, 10, Given(login or {}), **more))
    return made, json.loads((home / ".copilot/settings.json").read_text())


def test_the_program_gets_its_tools_by_profile_and_no_instructions(tmp_path: Path) -> None:
    made, settings = started(tmp_path / "a", "routing")
    assert "--available-tools=skill,view" in made.arguments
    assert {"--no-custom-instructions", "--disable-builtin-mcps", "--allow-all-tools"} <= set(made.arguments)
    assert (made.stdin, made.environment["COPILOT_MODEL"]) == (b"a prompt", "m")
    assert settings["disabledSkills"] == ["customize-cloud-agent", "github-pr-media"]
    assert "--available-tools=bash,create,edit,glob,grep,skill,view" in started(tmp_path / "b", "package")[0].arguments


def test_a_bundled_skill_is_on_where_one_is_staged_under_that_name(tmp_path: Path) -> None:
    (tmp_path / "a/root/.github/skills/github-pr-media").mkdir(parents=True)
    assert started(tmp_path / "a", "package")[1]["disabledSkills"] == ["customize-cloud-agent"]


def test_an_endpoint_of_ones_own_is_asked_without_github(tmp_path: Path) -> None:
    assert "COPILOT_OFFLINE" not in started(tmp_path / "a", "package", {"GH_TOKEN": "t"})[0].environment
    made, _ = started(tmp_path / "b", "package", {"COPILOT_PROVIDER_BASE_URL": "http://x/v1"})
    assert made.environment["COPILOT_OFFLINE"] == "true"


def test_what_the_program_unpacked_for_the_user_is_used_again_where_it_is_of_this_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "package.json").write_text(json.dumps({"version": "1.0.102", "bin": {"copilot": "copilot"}}))
    (package / "copilot").write_text("#!/bin/sh\n")
    (package / "copilot").chmod(0o755)
    monkeypatch.setenv("PATH", str(package), prepend=os.pathsep)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for version in ("1.0.101", "1.0.102"):
        (tmp_path / "cache/copilot/pkg/linux-x64" / version).mkdir(parents=True)
    started(tmp_path / "a", "package")
    (found,) = (tmp_path / "a/home/.cache/copilot/pkg/linux-x64").iterdir()
    assert found.resolve() == tmp_path / "cache/copilot/pkg/linux-x64/1.0.102"


def test_completing_offers_no_tool_and_asks_for_the_schema_in_words(tmp_path: Path) -> None:
    made, _ = started(tmp_path / "a", None, schema={"type": "object"})
    assert "--available-tools=none" in made.arguments
    assert made.arguments[-2:] == ("--agent", "answer")
    assert "You answer one request" in (tmp_path / "a/home/.copilot/agents/answer.agent.md").read_text()
    assert made.stdin.endswith(b'{"type": "object"}')
