"""The event stream of opencode as a reply, and how the program is started."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_opencode import selftune_agents
from selftune_agent_opencode.agent import HOST, OPENCODE, PROGRAM, _login_told
from selftune_agent_opencode.invocation import invocation

from selftune_build.agents.hosts import HostAgent, Invocation, Opening, Session
from selftune_build.agents.hosts.login import Given
from selftune_build.agents.hosts.stream import CLOSING, line
from selftune_build.agents.protocol import AgentFailure, AgentSettings
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage
from selftune_build.process import Outcome

OPENING = Opening("/ws", {"pdf": ("The first line of the body.",), "tea": ("Another body altogether.",)})
TOKENS = {"total": 131, "input": 101, "output": 5, "reasoning": 2, "cache": {"read": 20, "write": 3}}


def agent(model: str | None = None) -> HostAgent:
    made = OPENCODE.make(AgentSettings("opencode", None, model, Path("/")))
    assert isinstance(made, HostAgent)
    return made


def step(reason: str = "stop", **more: Any) -> dict[str, Any]:
    return {"type": "step_finish", "part": {"reason": reason, "tokens": TOKENS, "cost": 0.00102, **more}}


def said(text: str, message: str = "m") -> dict[str, Any]:
    return {"type": "text", "part": {"messageID": message, "text": text}}


def used(name: str, given: dict[str, Any], output: str = "ok", **state: Any) -> list[dict[str, Any]]:
    done = {"status": "completed", "input": given, "output": output, "metadata": {}, **state}
    return [{"type": "tool_use", "part": {"tool": name, "callID": "1", "state": done}}, step("tool-calls")]


def parse(*events: dict[str, Any], opening: Opening = OPENING) -> Reply:
    closing = {"version": "1.18.33", "type": CLOSING}
    return agent().parse(line(opening) + b"".join(line(each) for each in ({"type": "step_start"}, *events, closing)))


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group="selftune_build.plugins", name="opencode")
    assert point.load().selftune_agents() == selftune_agents() == [OPENCODE]


def test_the_identity_is_pinned() -> None:
    package = ["apply_patch", "bash", "edit", "glob", "grep", "read", "skill", "write"]
    tools = {"package": package, "routing": ["read", "skill"]}
    prompt = "sha256:08940216fe8f7267068d2c97e6a4ea009b8d966c88ca39b1b629e4a656db534f"
    expected = {"plugin": "opencode", "cache_version": "1", "model": "m", "profiles": tools, "system_prompt": prompt}
    assert agent("m").identity == expected
    assert agent().traits.shows_listing


def test_the_last_message_is_the_answer_and_what_was_used_is_summed() -> None:
    reply = parse(said("first"), *used("bash", {"command": "ls"}), said("the ", "n"), said("answer", "n"), step())
    assert (reply.output, reply.skills_used, reply.files_read) == ("the answer", (), ())
    assert reply.tool_calls == (ToolCall("bash", {"command": "ls"}),)
    assert reply.usage == Usage(248, 14, "0.00204", turns=2)
    assert (reply.model, reply.program) == (None, "opencode 1.18.33")
    assert parse(said("words", "n"), *used("bash", {"command": "ls"}), step()).output == "words"


def test_a_price_that_is_not_known_is_said_to_be() -> None:
    assert parse(said("x"), step(cost=0)).usage == Usage(124, 7, "0", unpriced=True, turns=1)


def test_a_skill_is_activated_by_its_tool_by_its_file_or_by_a_command() -> None:
    assert parse(*used("skill", {"name": "pdf"}), said("x"), step()).skills_used == ("pdf",)
    read = parse(*used("read", {"filePath": "/ws/.opencode/skills/tea/SKILL.md"}), said("x"), step())
    assert (read.skills_used, read.files_read) == (("tea",), (".opencode/skills/tea/SKILL.md",))
    printed = used("bash", {"command": "cat .opencode/skills/*/SKILL.md"}, "The first line of the body.")
    assert parse(*printed, said("x"), step()).skills_used == ("pdf",)


def test_what_failed_is_no_activation() -> None:
    failed = used("skill", {"name": "pdf"}, "", status="error", error="Skill not found")
    assert parse(*failed, said("pdf would be it"), step()).skills_used == ()
    body = used(
        "bash", {"command": "cat .opencode/skills/pdf/SKILL.md; exit 1"}, "The first line of the body.", metadata={"exit": 1}
    )
    assert parse(*body, said("x"), step()).skills_used == ()
    assert parse(*used("skill", {"name": "customize-opencode"}), said("x"), step()).skills_used == ()


def test_refusals_of_the_kernel_are_told() -> None:
    outside = used("write", {"filePath": "/etc/x", "content": "y"}, "", status="error", error="EACCES: permission denied")
    refused = used("bash", {"command": "x"}, "sh: /etc/y: Permission denied", metadata={"exit": 1})
    expected = ("write: /etc/x: not written", "bash: sh: /etc/y: Permission denied")
    assert parse(*outside, *refused, said("x"), step()).refused == expected


@pytest.mark.parametrize(
    ("status", "headers", "kind", "pause"),
    [
        (401, {}, ErrorKind.AUTH, None),
        (429, {}, ErrorKind.RATE_LIMIT, None),
        (429, {"retry-after": "7"}, ErrorKind.RATE_LIMIT, 7),
        (500, {"retry-after": "7"}, ErrorKind.REPORTED, None),
        (None, None, ErrorKind.REPORTED, None),
    ],
)
def test_an_error_of_the_service_is_never_an_answer(
    status: int | None, headers: dict[str, str] | None, kind: ErrorKind, pause: float | None
) -> None:
    by_program = {"type": "error", "error": {"name": "APIError", "data": {"statusCode": status, "responseHeaders": headers}}}
    by_plugin = {
        "type": "selftune.refused",
        "message": "no",
        "status": status,
        **{"retry_after": (headers or {}).get("retry-after")},
    }
    for told in (by_program, by_plugin):
        with pytest.raises(AgentFailure) as caught:
            parse(said("half of it"), step(), told)
        assert (caught.value.kind, caught.value.retry_after_s) == (kind, pause)


def test_a_cut_stream_and_a_missing_end_are_no_answers() -> None:
    for events in ((said("half"), step("unknown")), (said("half"), {"type": "selftune.cut"})):
        with pytest.raises(AgentFailure, match="was cut") as caught:
            parse(*events)
        assert caught.value.kind is ErrorKind.REPORTED
    for events in ((), (said("x"),), tuple(used("bash", {"command": "ls"}))):
        with pytest.raises(AgentFailure, match="no end"):
            parse(*events)


def test_no_prompt_calls_a_skill() -> None:
    assert HOST.invoked("/pdf do it", ["pdf"]) == ()


def test_it_needs_ripgrep_without_which_no_skill_can_be_activated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("opencode", "rg"):
        assert f"`{name}` is not on PATH" in str(PROGRAM.missing())
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert PROGRAM.missing() is None


def test_whoever_has_a_credential_or_a_key_is_logged_in() -> None:
    rows = [
        "┌  Credentials \x1b[90m~/.local",
        "●  OpenAI \x1b[90mapi",
        "└  1 credentials",
        "●  Anthropic \x1b[90mANTHROPIC_API_KEY",
    ]
    table = "\n".join(rows).encode()
    assert _login_told(Outcome(0, table, b"", "exit")) == "OpenAI api, Anthropic ANTHROPIC_API_KEY"
    assert _login_told(Outcome(0, "┌  Credentials\n│\n└  0 credentials\n".encode(), b"", "exit")) is None
    assert _login_told(Outcome(1, table, b"", "exit")) is None


def started(home: Path, profile: Any, model: str | None = None, url: str | None = None, **more: Any) -> tuple[Invocation, Any]:
    home.mkdir()
    login = Given({} if url is None else {"OPENAI_BASE_URL": url})
    made = invocation(Session("a prompt", model, home, home.parent / "root", profile, 10, login, **more))
    return made, json.loads((home / ".config/opencode/opencode.json").read_text())


def test_the_tools_of_a_profile_are_allowed_and_no_other(tmp_path: Path) -> None:
    made, settings = started(tmp_path / "routing", "routing")
    skills = {"*": "allow", "customize-opencode": "deny"}
    assert settings["permission"] == {"*": "deny", "read": "allow", "external_directory": "allow", "skill": skills}
    assert settings["agent"] == {"build": {"steps": 3}}
    assert settings["skills"] == {"paths": [str(tmp_path / "root/.opencode/skills")]}
    assert (made.arguments, made.stdin) == (("run", "--format", "json", "--title", "selftune"), b"a prompt")
    assert made.environment["OPENCODE_DISABLE_FFF"] == made.environment["OPENCODE_DISABLE_PROJECT_CONFIG"] == "1"
    _, settings = started(tmp_path / "package", "package")
    assert {"apply_patch", "bash", "edit", "glob", "grep", "write"} <= set(settings["permission"])
    assert settings["agent"] == {"build": {"steps": 10}}


def test_the_bundled_skill_is_off_but_for_one_that_is_staged_under_that_name(tmp_path: Path) -> None:
    (tmp_path / "root/.opencode/skills/customize-opencode").mkdir(parents=True)
    assert started(tmp_path / "home", "package")[1]["permission"]["skill"] == {"*": "allow"}


def test_the_package_that_the_program_would_fetch_counts_as_installed(tmp_path: Path) -> None:
    started(tmp_path / "home", "package")
    folder = tmp_path / "home/.config/opencode"
    assert (folder / "node_modules").is_dir()
    assert "@opencode-ai/plugin" in json.loads((folder / "package-lock.json").read_text())["packages"][""]["dependencies"]


def test_the_program_is_watched_by_a_plugin_that_is_there(tmp_path: Path) -> None:
    (plugin,) = started(tmp_path / "home", "package")[1]["plugin"]
    assert "selftune.refused" in Path(plugin.removeprefix("file://")).read_text()


def test_an_endpoint_of_ones_own_is_asked_by_chat_completions_for_a_model_that_is_not_known(tmp_path: Path) -> None:
    made, settings = started(tmp_path / "a", "package", "local-model", "http://x/v1")
    endpoint = settings["provider"]["endpoint"]
    assert made.arguments[-1] == "endpoint/local-model"
    assert (endpoint["options"]["baseURL"], endpoint["models"]) == ("http://x/v1", {"local-model": {}})
    for number, model in enumerate(("openai/gpt-5.4", "anthropic/x")):
        made, settings = started(tmp_path / f"b{number}", "package", model, "http://x/v1")
        assert made.arguments[-1] == model
        assert settings["provider"] == {"openai": {"options": {"baseURL": "http://x/v1"}}}
    assert started(tmp_path / "c", "package", "openai/gpt-5.4")[1]["provider"] == {}


def test_completing_offers_no_tool_and_no_skill_and_asks_for_the_schema_in_words(tmp_path: Path) -> None:
    made, settings = started(tmp_path / "home", None, schema={"type": "object"})
    assert settings["permission"] == {"*": "deny"}
    assert "skills" not in settings
    assert settings["agent"]["build"]["prompt"].startswith("You answer one request")
    assert made.stdin.startswith(b"a prompt\n\n")
    assert made.stdin.endswith(b'{"type": "object"}')
