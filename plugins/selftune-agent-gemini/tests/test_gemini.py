"""The event stream of Gemini CLI as a reply, and how the program is started."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_gemini import selftune_agents
from selftune_agent_gemini.agent import GEMINI, LOGIN, invoked
from selftune_agent_gemini.invocation import BUNDLED, invocation

from selftune_build.agents.hosts import HostAgent, Invocation, Opening, Session
from selftune_build.agents.hosts.login import Given, given
from selftune_build.agents.hosts.stream import CLOSING, line
from selftune_build.agents.protocol import AgentFailure, AgentSettings
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage

OPENING = Opening("/ws", {"pdf": ("The first line of the body.",), "tea": ("Another body altogether.",)})
INIT = {"type": "init", "session_id": "s", "model": "auto"}
STATS = {"total_tokens": 118, "input_tokens": 101, "output_tokens": 7, "cached": 0, "tool_calls": 1, "models": {"served": {}}}


def agent(model: str | None = None) -> HostAgent:
    made = GEMINI.make(AgentSettings("gemini", None, model, Path("/")))
    assert isinstance(made, HostAgent)
    return made


def used(name: str, given: dict[str, Any], output: str = "", status: str = "success") -> list[dict[str, Any]]:
    identifier = f"{name}-{json.dumps(given)}"
    return [
        {"type": "tool_use", "tool_name": name, "tool_id": identifier, "parameters": given},
        {"type": "tool_result", "tool_id": identifier, "status": status, "output": output},
    ]


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": text, "delta": True}


def parse(*events: dict[str, Any], opening: Opening = OPENING, exit_status: int = 0, **result: Any) -> Reply:
    end = {"type": "result", "status": "success", "stats": STATS, **result}
    closing = {"version": "0.61.0", "exit_status": exit_status, "type": CLOSING}
    return agent().parse(line(opening) + b"".join(line(each) for each in (INIT, *events, end, closing)))


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group="selftune_build.plugins", name="gemini")
    assert point.load().selftune_agents() == selftune_agents() == [GEMINI]


def test_the_identity_is_pinned() -> None:
    looking = ["activate_skill", "glob", "grep_search", "list_directory", "read_file"]
    acting = ["replace", "run_shell_command", "write_file"]
    tools = {"package": looking + acting, "routing": ["activate_skill", "read_file"]}
    prompt = "sha256:08940216fe8f7267068d2c97e6a4ea009b8d966c88ca39b1b629e4a656db534f"
    expected = {"plugin": "gemini", "cache_version": "1", "model": "m", "profiles": tools, "system_prompt": prompt}
    assert agent("m").identity == expected
    assert agent().traits.shows_listing


def test_the_pieces_after_the_last_call_are_the_answer_and_offered_is_not_triggered() -> None:
    reply = parse(said("first"), *used("glob", {"pattern": "*"}), said("the "), said("answer"))
    assert (reply.output, reply.skills_used, reply.files_read) == ("the answer", (), ())
    assert reply.tool_calls == (ToolCall("glob", {"pattern": "*"}),)
    assert (reply.usage, reply.model, reply.program) == (Usage(101, 17, unpriced=True), "served", "gemini 0.61.0")
    assert parse(said("only"), *used("glob", {"pattern": "*"})).output == "only"


def test_every_model_that_answered_is_named() -> None:
    assert parse(stats={**STATS, "models": {"pro": {}, "flash": {}}}).model == "flash, pro"


def test_a_skill_is_activated_by_its_tool_by_its_file_by_a_command_or_by_the_prompt() -> None:
    assert parse(*used("activate_skill", {"name": "pdf"})).skills_used == ("pdf",)
    read = parse(*used("read_file", {"file_path": ".gemini/skills/tea/SKILL.md"}))
    assert (read.skills_used, read.files_read) == (("tea",), (".gemini/skills/tea/SKILL.md",))
    printed = used("run_shell_command", {"command": "cat .gemini/skills/*/SKILL.md"}, "The first line of the body.")
    assert parse(*printed).skills_used == ("pdf",)
    assert parse(opening=Opening("/ws", OPENING.skills, ("tea",))).skills_used == ("tea",)


def test_what_failed_is_no_activation() -> None:
    assert parse(*used("activate_skill", {"name": "pdf"}, "not found", "error")).skills_used == ()
    assert parse(used("activate_skill", {"name": "pdf"})[0]).skills_used == ()
    assert parse(*used("activate_skill", {"name": "skill-creator"})).skills_used == ()


def test_refusals_are_told_by_the_program_and_by_the_kernel() -> None:
    outside = used("write_file", {"file_path": "/etc/x"}, "Path not in workspace", "error")
    refused = used("run_shell_command", {"command": "x"}, "sh: /etc/y: Permission denied")
    expected = ("write_file: /etc/x: not written", "run_shell_command: sh: /etc/y: Permission denied")
    assert parse(*outside, *refused).refused == expected


def test_using_up_the_turns_is_an_answer() -> None:
    error = {"type": "FatalTurnLimitedError", "message": "Reached max session turns"}
    reply = parse(*used("activate_skill", {"name": "pdf"}), status="error", error=error, exit_status=53)
    assert reply.skills_used == ("pdf",)


@pytest.mark.parametrize(
    ("message", "exit_status", "kind", "pause"),
    [
        ('[API Error: {"error":{"code":401,"message":"no"}}]', 145, ErrorKind.AUTH, None),
        ("[API Error: no]", 147, ErrorKind.AUTH, None),
        (
            '[API Error: {"error":{"code":400,"message":"API key not valid."}}]',
            144,
            ErrorKind.AUTH,
            None,
        ),
        ("[API Error: slow down\nSuggested retry after 7s.]", 173, ErrorKind.RATE_LIMIT, 7),
        ("[API Error: slow down]", 173, ErrorKind.RATE_LIMIT, None),
        ("[API Error: broken]", 247, ErrorKind.REPORTED, None),
    ],
)
def test_an_error_of_the_service_is_never_an_answer(message: str, exit_status: int, kind: ErrorKind, pause: float | None) -> None:
    with pytest.raises(AgentFailure) as caught:
        parse(status="error", error={"type": "unknown", "message": message}, exit_status=exit_status)
    assert (caught.value.kind, caught.value.retry_after_s) == (kind, pause)


def test_a_cut_stream_a_missing_end_and_a_missing_login_are_no_answers() -> None:
    with pytest.raises(AgentFailure, match="without a finish reason"):
        parse(said("half"), {"type": "error", "message": "Model stream ended without a finish reason."}, status="error")
    with pytest.raises(AgentFailure, match="no result"):
        agent().parse(line(OPENING) + line(INIT))
    with pytest.raises(AgentFailure, match="no login") as caught:
        agent().parse(line(OPENING) + line({"exit_status": 41, "type": CLOSING}))
    assert caught.value.kind is ErrorKind.AUTH


def test_an_at_sign_and_the_path_of_a_skill_puts_its_body_into_the_prompt() -> None:
    names = ["pdf", "pdf-forms"]
    assert invoked("see @.gemini/skills/pdf-forms/SKILL.md now", names) == ("pdf-forms",)
    assert invoked("@.gemini/skills/pdf/", names) == invoked("@/ws/.gemini/skills/pdf", names) == ("pdf",)
    assert invoked("@.gemini/skills/pdf/references/SKILL.md", names) == invoked(".gemini/skills/pdf/SKILL.md", names) == ()


def started(tmp_path: Path, profile: Any, login: Given | None = None, **more: Any) -> tuple[Invocation, dict[str, Any]]:
    home, root = tmp_path / "home", tmp_path / "root"
    for folder in (home, root):
        folder.mkdir(exist_ok=True)
    made = invocation(Session("a prompt", "m", home, root, profile, 10, login or Given({"GEMINI_API_KEY": "k"}), **more))
    assert made.stdin == b"a prompt"
    return made, json.loads((home / ".gemini/settings.json").read_text())


def test_the_tools_of_a_profile_are_allowed_and_no_other(tmp_path: Path) -> None:
    made, settings = started(tmp_path, "routing")
    rules = tomllib.loads((tmp_path / "home/.gemini/policy.toml").read_text())["rule"]
    assert [(rule["toolName"], rule["decision"]) for rule in rules] == [(["activate_skill", "read_file"], "allow"), ("*", "deny")]
    assert rules[0]["priority"] > rules[1]["priority"]
    assert settings["tools"]["core"] == rules[0]["toolName"]
    assert settings["model"]["maxSessionTurns"] == 3
    assert started(tmp_path, "package")[1]["model"]["maxSessionTurns"] == 10
    assert "a prompt" not in made.arguments
    assert made.arguments[-2:] == ("--model", "m")


def test_bundled_skills_are_off_but_for_one_that_is_staged_under_that_name(tmp_path: Path) -> None:
    assert started(tmp_path, "package")[1]["skills"]["disabled"] == list(BUNDLED)
    (tmp_path / "root/.gemini/skills/skill-creator").mkdir(parents=True)
    assert started(tmp_path, "package")[1]["skills"]["disabled"] == ["antigravity-support"]


def test_no_file_of_variables_above_the_workspace_is_found(tmp_path: Path) -> None:
    made, settings = started(tmp_path, "package")
    assert (tmp_path / ".gemini/.env").read_bytes() == b""
    assert settings["advanced"] == {"ignoreLocalEnv": True}
    assert not Path(made.environment["GEMINI_CLI_SYSTEM_SETTINGS_PATH"]).exists()


def test_the_login_decides_how_it_authenticates(tmp_path: Path) -> None:
    def chosen(login: Given) -> Any:
        return started(tmp_path, "package", login)[1]["security"].get("auth")

    assert chosen(Given({"GEMINI_API_KEY": "k"})) == {"selectedType": "gemini-api-key"}
    assert chosen(Given({}, has_file=True)) == {"selectedType": "oauth-personal"}
    assert chosen(Given({})) is None


def test_the_file_of_a_login_is_copied_to_where_the_program_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_CLI_HOME", str(tmp_path / "user"))
    (tmp_path / "user/.gemini").mkdir(parents=True)
    (tmp_path / "user/.gemini/oauth_creds.json").write_text('{"refresh_token": "0123456789abcdef"}')
    home = tmp_path / "home"
    home.mkdir()
    with given(LOGIN, home) as login:
        assert login.has_file
        assert b"0123456789abcdef" in login.secrets
        assert (home / ".gemini/oauth_creds.json").exists()
    assert not (home / ".gemini/oauth_creds.json").exists()


def test_completing_offers_no_tool_and_passes_the_schema_on(tmp_path: Path) -> None:
    made, settings = started(tmp_path, None, schema={"type": "object"})
    (rule,) = tomllib.loads((tmp_path / "home/.gemini/policy.toml").read_text())["rule"]
    assert (rule["toolName"], rule["decision"]) == ("*", "deny")
    assert (settings["tools"], settings["skills"]) == ({"core": []}, {"enabled": False})
    (override,) = settings["modelConfigs"]["overrides"]
    assert override["modelConfig"]["generateContentConfig"]["responseJsonSchema"] == {"type": "object"}
    assert Path(made.environment["GEMINI_SYSTEM_MD"]).read_text().startswith("You answer one request")
