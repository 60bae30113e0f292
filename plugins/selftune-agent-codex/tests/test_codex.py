"""The event stream of Codex as a reply, and how the program is started."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_codex import selftune_agents
from selftune_agent_codex.agent import CODEX, invoked
from selftune_agent_codex.invocation import invocation
from selftune_agent_codex.rollout import closing

from selftune_build.agents.hosts import HostAgent, Opening, Session
from selftune_build.agents.hosts.login import Given
from selftune_build.agents.hosts.stream import CLOSING, line
from selftune_build.agents.protocol import AgentFailure, AgentSettings
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage

OPENING = Opening("/ws", {"pdf": ("The first line of the body.",)})
STARTED = {"type": "thread.started", "thread_id": "t"}
DONE = {"type": "turn.completed", "usage": {"input_tokens": 303, "cached_input_tokens": 100, "output_tokens": 21}}
READ = {"name": "exec_command", "input": {"cmd": "cat .agents/skills/pdf/SKILL.md"}, "output": "Process exited with code 0"}


def agent(model: str | None = None) -> HostAgent:
    made = CODEX.make(AgentSettings("codex", None, model, Path("/")))
    assert isinstance(made, HostAgent)
    return made


def item(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "item.completed", "item": {"id": "i", "type": kind, **fields}}


def command(text: str, output: str, status: int = 0) -> dict[str, Any]:
    return item("command_execution", command=f"/bin/bash -lc '{text}'", aggregated_output=output, exit_code=status)


def parse(*events: dict[str, Any], opening: Opening = OPENING, calls: list[dict[str, Any]] | None = None) -> Reply:
    end = {"type": CLOSING} if calls is None else {"type": CLOSING, "version": "0.171.0", "model": "m", "calls": calls}
    return agent().parse(line(opening) + b"".join(line(each) for each in (STARTED, *events, DONE, end)))


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group="selftune_build.plugins", name="codex")
    assert point.load().selftune_agents() == selftune_agents() == [CODEX]


def test_the_identity_is_pinned() -> None:
    tools = {"package": ["apply_patch", "exec_command", "view_image"], "routing": ["exec_command", "view_image"]}
    assert agent("m").identity == {"plugin": "codex", "cache_version": "1", "model": "m", "profiles": tools}


def test_the_last_words_are_the_answer_and_nothing_was_triggered() -> None:
    reply = parse(item("agent_message", text="first"), item("agent_message", text="last"), calls=[])
    assert (reply.output, reply.skills_used, reply.tool_calls) == ("last", (), ())
    assert (reply.usage, reply.program) == (Usage(303, 21, unpriced=True), "codex 0.171.0")


def test_a_skill_is_activated_by_a_command_that_printed_its_body() -> None:
    printed = "---\nname: pdf\n---\nThe first line of the body.\n"
    assert parse(command("cat .agents/skills/pdf/SKILL.md", printed)).skills_used == ("pdf",)
    assert parse(command("cd .agents/skills/pdf && sed -n 1,40p SKILL.md", printed)).skills_used == ("pdf",)
    assert parse(opening=Opening("/ws", OPENING.skills, ("pdf",))).skills_used == ("pdf",)


def test_what_failed_or_only_resembles_it_is_no_activation() -> None:
    printed = "The first line of the body.\n"
    assert parse(command("cat .agents/skills/pdf/SKILL.md", printed, status=1)).skills_used == ()
    assert parse(command("ls .agents/skills/pdf/SKILL.md", ".agents/skills/pdf/SKILL.md")).skills_used == ()
    assert parse(command("head -3 .agents/skills/pdf/SKILL.md", "---\nname: pdf\n")).skills_used == ()
    assert parse(command("grep -r first .agents", printed)).skills_used == ()


def test_calls_come_from_the_log_and_are_unknown_without_it() -> None:
    assert parse(calls=[READ]).tool_calls == (ToolCall("exec_command", READ["input"]),)
    assert parse().tool_calls is None


def test_refusals_are_told() -> None:
    failed = item("file_change", status="failed", changes=[{"path": "/etc/x"}, {"path": "/ws/inside"}])
    refused = {**READ, "output": "bash: /etc/y: Permission denied\n"}
    assert parse(failed, calls=[refused]).refused == (
        "exec_command: bash: /etc/y: Permission denied",
        "apply_patch: /etc/x: not written",
    )


def test_what_was_refused_to_a_command_of_a_script_is_told_once_whether_the_script_printed_it_or_not() -> None:
    said = "bash: /etc/y: Permission denied"
    script = {"name": "exec", "input": {"input": "await tools.exec_command({})"}, "output": f"Output:\n{said}\n"}
    ran = command("x", f"{said}\n", status=1)
    for reply in (parse(calls=[script]), parse(ran, calls=[{**script, "output": "Output:\n"}]), parse(ran, calls=[script])):
        assert reply.refused == (f"exec_command: {said}",)


@pytest.mark.parametrize(
    ("message", "kind", "pause"),
    [
        ("unexpected status 401 Unauthorized: no, url: http://x", ErrorKind.AUTH, None),
        ("exceeded retry limit, last status: 429 Too Many Requests", ErrorKind.RATE_LIMIT, None),
        ("Rate limit reached. Please try again in 1.5s.", ErrorKind.RATE_LIMIT, 1.5),
        ("Please try again in 20ms.", ErrorKind.RATE_LIMIT, 0.02),
        ("You've hit your usage limit, try again in 2 minutes", ErrorKind.RATE_LIMIT, 120),
        ("stream disconnected before completion", ErrorKind.REPORTED, None),
    ],
)
def test_a_turn_that_failed_is_never_an_answer(message: str, kind: ErrorKind, pause: float | None) -> None:
    with pytest.raises(AgentFailure) as caught:
        agent().parse(line(OPENING) + line({"type": "turn.failed", "error": {"message": message}}))
    assert caught.value.kind is kind
    assert caught.value.retry_after_s == (None if pause is None else pytest.approx(pause))


def test_a_missing_end_is_no_answer() -> None:
    with pytest.raises(AgentFailure, match="no end"):
        agent().parse(line(OPENING) + line(STARTED))


def test_a_dollar_calls_a_skill_by_its_whole_name() -> None:
    assert invoked("use $pdf-forms, please", ["pdf", "pdf-forms"]) == ("pdf-forms",)
    assert invoked("costs 5 $", ["pdf"]) == ()


def test_the_log_gives_every_call_with_its_output(tmp_path: Path) -> None:
    folder = tmp_path / ".codex/sessions/2026/11/26"
    folder.mkdir(parents=True)
    payloads = [
        {"cli_version": "0.171.0"},
        {"type": "function_call", "name": "exec_command", "arguments": '{"cmd": "ls"}', "call_id": "1"},
        {"type": "function_call_output", "call_id": "1", "output": "a\n"},
        {"type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin Patch", "call_id": "2"},
        {"model": "m"},
    ]
    lines = [json.dumps({"payload": payload}) for payload in payloads]
    (folder / "rollout-1.jsonl").write_text("\n".join([lines[0], "{torn", *lines[1:]]))
    calls = [
        {"name": "exec_command", "input": {"cmd": "ls"}, "output": "a\n"},
        {"name": "apply_patch", "input": {"input": "*** Begin Patch"}, "output": None},
    ]
    assert closing(tmp_path) == {"version": "0.171.0", "model": "m", "calls": calls}
    assert closing(tmp_path / "nowhere") == {}


def configured(home: Path, environment: dict[str, str], model: str | None = None) -> dict[str, Any]:
    session = Session("a prompt", model, home, home / "root", "package", 10, Given(environment))
    made = invocation(session)
    assert made.stdin == b"a prompt"
    assert made.environment == {"CODEX_HOME": str(home / ".codex")}
    return tomllib.loads((home / ".codex/config.toml").read_text())


def test_an_api_key_brings_its_own_provider_and_a_file_of_credentials_the_built_in_one(tmp_path: Path) -> None:
    key = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": 'http://x/"v1"'}
    config = configured(tmp_path, key, 'm"x\x7f')
    provider = config["model_providers"][config["model_provider"]]
    assert (provider["base_url"], provider["env_key"], config["model"]) == ('http://x/"v1"', "OPENAI_API_KEY", 'm"x\x7f')
    assert "k" not in provider.values()
    config = configured(tmp_path, {})
    assert "model_provider" not in config
    assert "model" not in config
    assert config["shell_environment_policy"] == {"inherit": "core"}
