"""The event stream of Qwen Code as a reply, and how the program is started."""

from __future__ import annotations

import json
import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_qwen import selftune_agents
from selftune_agent_qwen.agent import QWEN, invoked
from selftune_agent_qwen.invocation import invocation

from selftune_build.agents.hosts import HostAgent, Invocation, Opening, Session
from selftune_build.agents.hosts.login import Given
from selftune_build.agents.hosts.stream import CLOSING, line
from selftune_build.agents.protocol import AgentFailure, AgentSettings
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage

OPENING = Opening("/ws", {"pdf": ("The first line of the body.",), "tea": ("Another body altogether.",)})
INIT = {"type": "system", "subtype": "init", "qwen_code_version": "0.15.10", "slash_commands": ["pdf", "tea"]}
COUNTS = {"input_tokens": 101, "output_tokens": 7, "cache_read_input_tokens": 20, "total_tokens": 108}
RESULT = {"type": "result", "subtype": "success", "is_error": False, "result": "the answer", "num_turns": 2, "usage": COUNTS}


def agent(model: str | None = None) -> HostAgent:
    made = QWEN.make(AgentSettings("qwen", None, model, Path("/")))
    assert isinstance(made, HostAgent)
    return made


def said(text: str, **counts: int) -> dict[str, Any]:
    message = {"model": "asked", "content": [{"type": "text", "text": text}], "usage": {**COUNTS, **counts}}
    return {"type": "assistant", "message": message}


def used(name: str, given: dict[str, Any], content: str = "ok", error: bool = False) -> list[dict[str, Any]]:
    call = {"type": "tool_use", "id": name, "name": name, "input": given}
    back = {"type": "tool_result", "tool_use_id": name, "content": content, "is_error": error}
    return [
        {"type": "assistant", "message": {"content": [call], "usage": COUNTS}},
        {"type": "user", "message": {"content": [back]}},
    ]


def parse(*events: dict[str, Any], opening: Opening = OPENING, **result: Any) -> Reply:
    return agent().parse(line(opening) + b"".join(line(each) for each in (INIT, *events, {**RESULT, **result})))


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group="selftune_build.plugins", name="qwen")
    assert point.load().selftune_agents() == selftune_agents() == [QWEN]


def test_the_identity_is_pinned() -> None:
    looking = ["edit", "glob", "grep_search", "list_directory", "read_file"]
    tools = {"package": [*looking, "run_shell_command", "skill", "write_file"], "routing": ["read_file", "skill"]}
    prompt = "sha256:1bc2910ab60dfa17de981d1c541193b90597eb947c6fcfabb7e0a555ae03a33c"
    expected = {"plugin": "qwen", "cache_version": "1", "model": "m", "profiles": tools, "system_prompt": prompt}
    assert agent("m").identity == expected


def test_the_result_is_the_answer_and_offered_is_not_triggered() -> None:
    reply = parse(*used("glob", {"pattern": "*"}))
    assert (reply.output, reply.skills_used, reply.files_read) == ("the answer", (), ())
    assert reply.tool_calls == (ToolCall("glob", {"pattern": "*"}),)
    assert reply.usage == Usage(101, 7, unpriced=True, turns=2)
    assert (reply.model, reply.program) == (None, "qwen 0.15.10")


def test_a_document_that_was_asked_for_is_the_answer() -> None:
    assert json.loads(parse(structured_result={"verdict": "yes"}).output) == {"verdict": "yes"}


def test_a_skill_is_activated_by_its_tool_by_its_file_by_a_command_or_by_the_prompt() -> None:
    assert parse(*used("skill", {"skill": "pdf"})).skills_used == ("pdf",)
    read = parse(*used("read_file", {"file_path": "/ws/.qwen/skills/tea/SKILL.md"}))
    assert (read.skills_used, read.files_read) == (("tea",), (".qwen/skills/tea/SKILL.md",))
    printed = used("run_shell_command", {"command": "cat .qwen/skills/*/SKILL.md"}, "The first line of the body.")
    assert parse(*printed).skills_used == ("pdf",)
    assert parse(opening=Opening("/ws", OPENING.skills, ("tea",))).skills_used == ("tea",)


def test_what_failed_is_no_activation() -> None:
    assert parse(*used("skill", {"skill": "pdf"}, "not found", error=True)).skills_used == ()
    assert parse(used("skill", {"skill": "pdf"})[0]).skills_used == ()
    assert parse(*used("skill", {"skill": "review"})).skills_used == ()


def test_refusals_of_the_kernel_are_told() -> None:
    outside = used("write_file", {"file_path": "/etc/x"}, "EACCES: permission denied", error=True)
    refused = used("run_shell_command", {"command": "x"}, "bash: /etc/y: Permission denied")
    expected = ("write_file: /etc/x: not written", "run_shell_command: bash: /etc/y: Permission denied")
    assert parse(*outside, *refused).refused == expected


def test_using_up_the_turns_is_an_answer() -> None:
    def ended(status: int) -> Reply:
        lines = (INIT, said("I look"), *used("skill", {"skill": "pdf"}), {"type": CLOSING, "exit_status": status})
        return agent().parse(line(OPENING) + b"".join(map(line, lines)))

    reply = ended(53)
    assert (reply.output, reply.skills_used) == ("I look", ("pdf",))
    assert reply.usage == Usage(202, 14, unpriced=True)
    with pytest.raises(AgentFailure, match="no result"):
        ended(1)


@pytest.mark.parametrize(
    ("status", "pause", "kind"),
    [
        (401, None, ErrorKind.AUTH),
        (429, None, ErrorKind.RATE_LIMIT),
        (429, "7", ErrorKind.RATE_LIMIT),
        (500, None, ErrorKind.REPORTED),
    ],
)
def test_a_refusal_for_which_the_program_was_ended_is_told(status: int, pause: str | None, kind: ErrorKind) -> None:
    body = '{"error": {"message": "not now"}}'
    told = {"type": "selftune.refused", "status": status, "retry_after": pause, "message": body}
    with pytest.raises(AgentFailure, match=r"^not now$") as caught:
        agent().parse(line(OPENING) + line(INIT) + line(told))
    assert (caught.value.kind, caught.value.retry_after_s) == (kind, None if pause is None else 7)


def test_an_error_that_stands_in_the_place_of_an_answer_is_none() -> None:
    text = "The beginning[API Error: Model stream ended without a finish reason.]"
    with pytest.raises(AgentFailure, match="without a finish reason") as caught:
        parse(said(text, input_tokens=0, output_tokens=0), result=text)
    assert caught.value.kind is ErrorKind.REPORTED
    assert parse(said(text), result=text).output == text


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("[API Error: 401 no]", ErrorKind.AUTH),
        (
            "[API Error: 429 slow down]\nPossible quota limitations in place or slow response times detected.",
            ErrorKind.RATE_LIMIT,
        ),
        ("402 no money", ErrorKind.REPORTED),
        (None, ErrorKind.REPORTED),
    ],
)
def test_an_error_that_is_called_one_has_its_kind(message: str | None, kind: ErrorKind) -> None:
    with pytest.raises(AgentFailure) as caught:
        parse(subtype="error_during_execution", is_error=True, result=None, error={"message": message})
    assert caught.value.kind is kind


def test_a_prompt_calls_a_skill_by_a_slash_at_its_start_or_by_its_path() -> None:
    names = ["pdf", "pdf-forms"]
    assert invoked("/pdf-forms do it", names) == invoked("see @.qwen/skills/pdf-forms/SKILL.md now", names) == ("pdf-forms",)
    assert invoked("see /pdf for it", names) == invoked(".qwen/skills/pdf/SKILL.md", names) == ()


def started(folder: Path, profile: Any, login: dict[str, str] | None = None, **more: Any) -> tuple[Invocation, Any]:
    home, root = folder / "home", folder / "root"
    for made in (home, root):
        made.mkdir(parents=True, exist_ok=True)
    invoked = invocation(Session("a prompt", "m", home, root, profile, 10, Given(login or {}), **more))
    assert invoked.stdin == b"a prompt"
    return invoked, json.loads((home / ".qwen/settings.json").read_text())


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program as npm installs it, with two skills of its own."""
    package = tmp_path / "package"
    for name in ("batch", "review"):
        (package / "bundled" / name).mkdir(parents=True)
    (package / "cli.js").write_text("#!/bin/sh\n")
    (package / "cli.js").chmod(0o755)
    (package / "bin").mkdir()
    (package / "bin/qwen").symlink_to(package / "cli.js")
    monkeypatch.setenv("PATH", str(package / "bin"), prepend=os.pathsep)
    return package


def test_the_tools_of_a_profile_are_offered_and_no_other(program: Path, tmp_path: Path) -> None:
    made, settings = started(tmp_path / "a", "routing")
    assert settings["tools"]["core"] == ["read_file", "skill"]
    assert {"agent", "tool_search", "monitor"} <= set(settings["permissions"]["deny"])
    assert made.arguments[made.arguments.index("--max-session-turns") + 1] == "3"
    assert made.arguments[made.arguments.index("--append-system-prompt") + 1] == f"Working directory: {tmp_path}/a/root"
    made, settings = started(tmp_path / "b", "package")
    assert {"run_shell_command", "write_file"} <= set(settings["tools"]["core"])
    assert made.arguments[made.arguments.index("--max-session-turns") + 1] == "10"
    assert made.arguments[-2:] == ("--model", "m")


def test_bundled_skills_are_hidden_but_for_one_that_is_staged_under_that_name(program: Path, tmp_path: Path) -> None:
    (tmp_path / "a/root/.qwen/skills/review").mkdir(parents=True)
    _, settings = started(tmp_path / "a", "package")
    assert settings["slashCommands"]["disabled"] == ["batch"]
    (shadow,) = (tmp_path / "a/home/.qwen/skills").iterdir()
    assert "disable-model-invocation: true" in (shadow / "SKILL.md").read_text()


def test_nothing_of_the_machine_or_of_a_folder_above_is_found(program: Path, tmp_path: Path) -> None:
    made, settings = started(tmp_path / "a", "package")
    assert (tmp_path / "a/.qwen/.env").read_bytes() == b""
    assert not Path(made.environment["QWEN_CODE_SYSTEM_SETTINGS_PATH"]).exists()
    assert settings["model"] == {"generationConfig": {"maxRetries": 0}, "skipStartupContext": True}
    assert made.environment["NODE_OPTIONS"].startswith("--import=file://")


def test_the_login_decides_how_it_authenticates(program: Path, tmp_path: Path) -> None:
    def chosen(name: str, login: dict[str, str]) -> Any:
        return started(tmp_path / name, "package", login)[1]["security"].get("auth")

    assert chosen("a", {"OPENAI_API_KEY": "k", "GEMINI_API_KEY": "k"}) == {"selectedType": "openai"}
    assert chosen("b", {"ANTHROPIC_API_KEY": "k"}) == {"selectedType": "anthropic"}
    assert chosen("c", {}) is None


def test_completing_offers_no_tool_and_passes_the_schema_on(program: Path, tmp_path: Path) -> None:
    made, settings = started(tmp_path / "a", None, schema={"type": "object"})
    assert settings["tools"]["core"] == ["structured_output"]
    assert made.arguments[made.arguments.index("--json-schema") + 1] == '{"type": "object"}'
    assert "--json-schema" not in started(tmp_path / "b", None)[0].arguments
