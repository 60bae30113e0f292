"""How Qwen Code is started for one sample: its arguments, its settings, its environment, and nothing of the user's set-up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from selftune_build.agents.hosts import COMPLETE_PROMPT, Invocation, Program, Session, stop_search, watched
from selftune_build.limits import HOST_ROUTING_TURNS

PROGRAM = Program("qwen", "npm install --global @qwen-code/qwen-code")
TOOLS = {
    "package": ("edit", "glob", "grep_search", "list_directory", "read_file", "run_shell_command", "skill", "write_file"),
    "routing": ("read_file", "skill"),
}
"""The tools a model is offered, by profile."""
SKILLS_FOLDER = ".qwen/skills"
_FOLDER = ".qwen"
_OTHER_TOOLS = (
    *("agent", "ask_user_question", "enter_plan_mode", "enter_worktree", "exit_plan_mode", "exit_worktree", "get_goal"),
    *("list_agents", "monitor", "record_artifact", "report_findings", "save_memory", "send_message", "task_stop"),
    *("todo_write", "tool_call", "tool_search", "update_goal", "web_fetch", "web_search"),
)
"""Those that the list of tools does not hold back, in 0.15 or in 0.24."""
_ANSWER_TOOL = "structured_output"
"""The tool with which a model answers a schema; a name in the list of tools, since an empty one allows them all."""
_AUTH = (("OPENAI_API_KEY", "openai"), ("ANTHROPIC_API_KEY", "anthropic"), ("GEMINI_API_KEY", "gemini"))
"""How it authenticates, by the first variable that is passed on."""
_SETTINGS = {
    "general": {"enableAutoUpdate": False},
    "ide": {"enabled": False},
    "memory": {"enableAutoSkill": False, "enableManagedAutoDream": False, "enableManagedAutoMemory": False},
    "permissions": {"deny": list(_OTHER_TOOLS)},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
}
_SHADOW = "---\nname: {name}\ndescription: Off.\ndisable-model-invocation: true\n---\n\nOff.\n"
"""A skill of the user, which hides a bundled one of the same name, and which no model can see."""
PLACE = "Working directory: {workspace}"
"""What is left of the context that the program gives at the start: the rest lists every file of every skill."""


def invocation(session: Session) -> Invocation:
    """The command for a session; the prompt goes through stdin, where it may have any length and any first character.

    Settings of the machine are looked for where there are none.
    """
    folder = session.home / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    names = [] if session.profile is None else [name for name in bundled() if not _is_staged(session, name)]
    for name in names:
        (folder / "skills" / name).mkdir(parents=True)
        (folder / "skills" / name / "SKILL.md").write_text(_SHADOW.format(name=name), encoding="utf-8")
    (folder / "settings.json").write_text(json.dumps(_settings(session, names)), encoding="utf-8")
    stop_search(session, _FOLDER)
    arguments = ["--output-format", "stream-json", "--approval-mode", "yolo", "--extensions", "none"]
    arguments += _complete(session) if session.profile is None else _run(session)
    if session.model is not None:
        arguments += ["--model", session.model]
    nowhere = str(folder / "none.json")
    system = {f"QWEN_CODE_SYSTEM_{name}_PATH": nowhere for name in ("DEFAULTS", "SETTINGS")}
    environment = {**watched(), **system, "QWEN_CODE_NO_RELAUNCH": "true", "QWEN_HOME": str(folder)}
    return Invocation(tuple(arguments), environment, session.prompt.encode())


def bundled() -> list[str]:
    """The skills that the program brings along: they would compete."""
    path = PROGRAM.path()
    folder = Path(os.path.realpath(path)).with_name("bundled") if path else None
    return sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder and folder.is_dir() else []


def _is_staged(session: Session, name: str) -> bool:
    return (session.workspace / SKILLS_FOLDER / name).is_dir()


def _run(session: Session) -> list[str]:
    turns = min(session.max_turns, HOST_ROUTING_TURNS) if session.profile == "routing" else session.max_turns
    return ["--max-session-turns", str(turns), "--append-system-prompt", PLACE.format(workspace=session.workspace)]


def _complete(session: Session) -> list[str]:
    schema = [] if session.schema is None else ["--json-schema", json.dumps(session.schema)]
    return ["--system-prompt", COMPLETE_PROMPT, *schema]


def _settings(session: Session, hidden: list[str]) -> dict[str, Any]:
    tools = TOOLS[session.profile] if session.profile else (_ANSWER_TOOL,)
    security: dict[str, Any] = {"folderTrust": {"enabled": False}}
    passed = next((kind for name, kind in _AUTH if name in session.login.environment), None)
    if passed is not None:
        security["auth"] = {"selectedType": passed}
    return {
        **_SETTINGS,
        "model": {"generationConfig": {"maxRetries": 0}, "skipStartupContext": True},
        "security": security,
        "slashCommands": {"disabled": hidden},
        "tools": {"core": list(tools)},
    }
