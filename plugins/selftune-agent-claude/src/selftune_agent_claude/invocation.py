"""How Claude Code is started for one sample: its arguments, its environment, and nothing of the user's set-up."""

from __future__ import annotations

import json

from selftune_build.agents.hosts import COMPLETE_PROMPT, Invocation, Session
from selftune_build.limits import HOST_ROUTING_TURNS

TOOLS = {
    "package": ("Bash", "Edit", "Glob", "Grep", "NotebookEdit", "Read", "Skill", "Write"),
    "routing": ("Read", "Skill"),
}
"""The tools a model is offered, by profile."""
_ASKED_EDITS = ("Edit", "NotebookEdit", "Write")
"""Allowed by the permission mode inside the workspace, refused outside: not listed as allowed, since that means anywhere."""
_SETTINGS = {
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_BUNDLED_SKILLS": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "CLAUDE_CODE_MAX_RETRIES": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}
"""One retry of its own, because only then its stream says how long a refused service asks to wait."""
_MEMORY = ("CLAUDE.md", "CLAUDE.local.md", ".claude/CLAUDE.md", ".claude/rules/**")
"""Where a folder may keep what the program reads from every folder above its own."""
_COMPLETE_TURNS = 4
"""A schema is answered by a call of a tool, which a model may have to correct."""


def invocation(session: Session) -> Invocation:
    """The command for a session; the prompt goes through stdin, where it may have any length and any first character."""
    arguments = [
        *("-p", "--output-format", "stream-json", "--verbose", "--no-session-persistence", "--strict-mcp-config"),
        *("--setting-sources", "project", "--settings", json.dumps(_settings(session))),
        *(_complete(session) if session.profile is None else _run(session)),
    ]
    if session.model is not None:
        arguments += ["--model", session.model]
    environment = {**_SETTINGS, "CLAUDE_CONFIG_DIR": str(session.home / ".claude")}
    return Invocation(tuple(arguments), environment, session.prompt.encode())


def _run(session: Session) -> list[str]:
    tools = TOOLS[session.profile or "package"]
    allowed = [tool for tool in tools if tool not in _ASKED_EDITS]
    turns, mode = session.max_turns, "acceptEdits"
    if session.profile == "routing":
        turns, mode = min(turns, HOST_ROUTING_TURNS), "dontAsk"
    lists = ["--tools", ",".join(tools), "--allowedTools", ",".join(allowed)]
    return [*lists, "--permission-mode", mode, "--max-turns", str(turns)]


def _complete(session: Session) -> list[str]:
    arguments = ["--tools", "", "--permission-mode", "dontAsk", "--disable-slash-commands", "--system-prompt", COMPLETE_PROMPT]
    if session.schema is None:
        return [*arguments, "--max-turns", "1"]
    return [*arguments, "--max-turns", str(_COMPLETE_TURNS), "--json-schema", json.dumps(session.schema)]


def _settings(session: Session) -> dict[str, object]:
    """Memory files of the folders above the workspace are those of whoever runs this, not of the case."""
    above = [str(folder / name) for folder in session.workspace.parents for name in _MEMORY]
    return {"claudeMdExcludes": above, "includeCoAuthoredBy": False}
