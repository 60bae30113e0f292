"""The event stream of Claude Code as a reply, and how the program is started."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_claude import selftune_agents
from selftune_agent_claude.agent import CLAUDE, invoked
from selftune_agent_claude.invocation import invocation

from selftune_build.agents.hosts import HostAgent, Opening, Session
from selftune_build.agents.hosts.login import Given
from selftune_build.agents.hosts.stream import line
from selftune_build.agents.protocol import AgentFailure, AgentSettings
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage

OPENING = Opening("/ws", {"pdf": ("The first line of the body.",), "tea": ("Another body altogether.",)})
INIT = {"type": "system", "subtype": "init", "claude_code_version": "2.1.197", "skills": ["pdf", "tea"], "model": "m"}
RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "result": "the answer",
    "stop_reason": "end_turn",
    "total_cost_usd": 0.00204,
    "usage": {"input_tokens": 3, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 100, "output_tokens": 7},
    "permission_denials": [],
}


def agent(model: str | None = None) -> HostAgent:
    made = CLAUDE.make(AgentSettings("claude", None, model, Path("/")))
    assert isinstance(made, HostAgent)
    return made


def used(name: str, given: dict[str, Any], result: str = "ok", error: bool = False) -> list[dict[str, Any]]:
    identifier = f"{name}-{json.dumps(given)}"
    block = {"type": "tool_use", "id": identifier, "name": name, "input": given}
    back = {"type": "tool_result", "tool_use_id": identifier, "content": [{"type": "text", "text": result}], "is_error": error}
    return [
        {"type": "assistant", "message": {"model": "served-model", "content": [block]}},
        {"type": "user", "message": {"content": [back]}},
    ]


def parse(*events: dict[str, Any], opening: Opening = OPENING, **result: Any) -> Reply:
    return agent().parse(line(opening) + b"".join(line(each) for each in (INIT, *events, {**RESULT, **result})))


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group="selftune_build.plugins", name="claude")
    assert point.load().selftune_agents() == selftune_agents() == [CLAUDE]


def test_the_identity_is_pinned() -> None:
    tools = {"package": ["Bash", "Edit", "Glob", "Grep", "NotebookEdit", "Read", "Skill", "Write"], "routing": ["Read", "Skill"]}
    prompt = "sha256:08940216fe8f7267068d2c97e6a4ea009b8d966c88ca39b1b629e4a656db534f"
    expected = {"plugin": "claude", "cache_version": "1", "model": "m", "profiles": tools, "system_prompt": prompt}
    assert agent("m").identity == expected


def test_offered_is_not_triggered_and_words_are_the_answer() -> None:
    reply = parse()
    assert (reply.output, reply.skills_used, reply.tool_calls, reply.files_read) == ("the answer", (), (), ())
    assert reply.usage == Usage(123, 7, "0.00204")
    assert reply.program == "claude 2.1.197"


def test_a_skill_is_activated_by_its_tool_by_its_file_or_by_a_command_that_prints_it() -> None:
    assert parse(*used("Skill", {"skill": "pdf"})).skills_used == ("pdf",)
    assert parse(*used("Skill", {"skill": "plugin:pdf"})).skills_used == ("pdf",)
    assert parse(*used("Read", {"file_path": "/ws/.claude/skills/tea/SKILL.md"})).skills_used == ("tea",)
    printed = used("Bash", {"command": "cat .claude/skills/*/SKILL.md"}, "---\nThe first line of the body.\n")
    assert parse(*printed).skills_used == ("pdf",)
    assert parse(opening=Opening("/ws", OPENING.skills, ("tea",))).skills_used == ("tea",)


def test_what_failed_or_only_resembles_it_is_no_activation() -> None:
    assert parse(*used("Skill", {"skill": "pdf"}, "Unknown skill", error=True)).skills_used == ()
    assert parse(used("Skill", {"skill": "pdf"})[0]).skills_used == ()
    assert parse(*used("Skill", {"skill": "deep-research"})).skills_used == ()
    assert parse(*used("Read", {"file_path": "/ws/.claude/skills/pdf/references/SKILL.md"})).skills_used == ()
    assert parse(*used("Bash", {"command": "ls .claude/skills/pdf/SKILL.md"}, ".claude/skills/pdf/SKILL.md")).skills_used == ()
    assert parse(*used("Grep", {"pattern": "x"}, "The first line of the body.")).skills_used == ()


def test_reads_calls_and_the_served_model_are_told() -> None:
    reply = parse(*used("Read", {"file_path": "/ws/a.md"}), *used("Read", {"file_path": "/ws/b.md"}, "no", error=True))
    assert reply.files_read == ("a.md",)
    assert reply.tool_calls == (ToolCall("Read", {"file_path": "/ws/a.md"}), ToolCall("Read", {"file_path": "/ws/b.md"}))
    assert reply.model == "served-model"


def test_refusals_are_told_by_the_program_and_by_the_kernel() -> None:
    denial = {"tool_name": "Write", "tool_use_id": "x", "tool_input": {"file_path": "/etc/x"}}
    reply = parse(*used("Bash", {"command": "x"}, "sh: /etc/y: Permission denied"), permission_denials=[denial])
    assert reply.refused == ("Write: /etc/x: not permitted", "Bash: sh: /etc/y: Permission denied")


def test_a_document_that_was_asked_for_is_the_answer() -> None:
    assert json.loads(parse(structured_output={"verdict": "yes"}).output) == {"verdict": "yes"}


def test_using_up_the_turns_is_an_answer() -> None:
    reply = parse(*used("Skill", {"skill": "pdf"}), subtype="error_max_turns", is_error=True, result=None, stop_reason="tool_use")
    assert (reply.output, reply.skills_used) == ("", ("pdf",))


@pytest.mark.parametrize(
    ("said", "result", "kind"),
    [
        ({}, {"api_error_status": 401}, ErrorKind.AUTH),
        ({"error": "authentication_failed"}, {"api_error_status": None}, ErrorKind.AUTH),
        ({}, {"api_error_status": 429}, ErrorKind.RATE_LIMIT),
        ({}, {"api_error_status": 529}, ErrorKind.REPORTED),
        ({}, {"api_error_status": None, "subtype": "error_during_execution", "result": None}, ErrorKind.REPORTED),
    ],
)
def test_an_error_of_the_service_is_never_an_answer(said: dict[str, Any], result: dict[str, Any], kind: ErrorKind) -> None:
    retry = {"type": "system", "subtype": "api_retry", "retry_delay_ms": 2500, "error_status": 429}
    spoken = {"type": "assistant", "message": {"model": "<synthetic>", "content": []}, **said}
    with pytest.raises(AgentFailure) as caught:
        parse(retry, spoken, is_error=True, **result)
    assert caught.value.kind is kind
    assert caught.value.retry_after_s == (2.5 if kind is ErrorKind.RATE_LIMIT else None)


def test_a_cut_stream_and_a_missing_end_are_no_answers() -> None:
    with pytest.raises(AgentFailure, match="cut"):
        parse(stop_reason=None)
    with pytest.raises(AgentFailure, match="no result"):
        agent().parse(line(OPENING) + line(INIT))


def test_a_slash_calls_a_skill_at_the_start_of_a_prompt_only() -> None:
    names = ["pdf", "pdf-forms"]
    assert invoked("/pdf-forms do it", names) == ("pdf-forms",)
    assert invoked("see /pdf for it", names) == invoked("/pdf/x", names) == ()


def session(profile: Any, **more: Any) -> Session:
    return Session("a prompt", "m", Path("/t/home"), Path("/t/root"), profile, 10, Given({}), **more)


def test_the_program_gets_its_tools_by_profile_and_nothing_of_the_users_settings() -> None:
    routing, package = (invocation(session(profile)).arguments for profile in ("routing", "package"))
    assert routing[routing.index("--tools") + 1] == routing[routing.index("--allowedTools") + 1] == "Read,Skill"
    assert routing[routing.index("--max-turns") + 1] == "3"
    allowed = package[package.index("--allowedTools") + 1].split(",")
    assert {"Write", "Edit", "NotebookEdit"}.isdisjoint(allowed)
    assert "a prompt" not in package
    assert invocation(session("package")).stdin == b"a prompt"
    settings = json.loads(package[package.index("--settings") + 1])
    assert {"/t/CLAUDE.md", "/CLAUDE.md", "/t/.claude/rules/**"} <= set(settings["claudeMdExcludes"])
    assert "/t/root/CLAUDE.md" not in settings["claudeMdExcludes"]


def test_completing_offers_no_tool_and_passes_the_schema_on() -> None:
    arguments = invocation(session(None, schema={"type": "object"})).arguments
    assert arguments[arguments.index("--tools") + 1] == ""
    assert arguments[arguments.index("--json-schema") + 1] == '{"type": "object"}'
