"""How Gemini CLI is started for one sample: its settings, its policy, its environment, and nothing of the user's set-up."""

from __future__ import annotations

import json
from typing import Any

from selftune_build.agents.hosts import COMPLETE_PROMPT, Invocation, Session, stop_search
from selftune_build.limits import HOST_ROUTING_TURNS

TOOLS = {
    "package": (
        "activate_skill",
        "glob",
        "grep_search",
        "list_directory",
        "read_file",
        "replace",
        "run_shell_command",
        "write_file",
    ),
    "routing": ("activate_skill", "read_file"),
}
"""The tools a model is offered, by profile."""
SKILLS_FOLDER = ".gemini/skills"
KEY = "GEMINI_API_KEY"
OAUTH_FILE = ".gemini/oauth_creds.json"
BUNDLED = ("antigravity-support", "skill-creator")
"""The skills that the program brings along: they would compete."""
_SETTINGS = {
    "advanced": {"ignoreLocalEnv": True},
    "context": {"includeDirectoryTree": False},
    "experimental": {"enableAgents": False},
    "general": {
        "enableAutoUpdate": False,
        "enableAutoUpdateNotification": False,
        "maxAttempts": 1,
        "topicUpdateNarration": False,
    },
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
}
"""`includeDirectoryTree` would show every request the file names of every skill. One attempt: the engine's own retries are
counted and kept, those of the program would be seen by nobody."""
_RULES = """\
[[rule]]
toolName = {allowed}
decision = "allow"
priority = 900
allowRedirection = true

[[rule]]
toolName = "*"
decision = "deny"
priority = 800
"""
_NO_RULES = '[[rule]]\ntoolName = "*"\ndecision = "deny"\npriority = 800\n'
_ENVIRONMENT = {"GEMINI_CLI_NO_RELAUNCH": "true", "GEMINI_SANDBOX": "false", "GEMINI_TELEMETRY_ENABLED": "false"}


def invocation(session: Session) -> Invocation:
    """The command for a session; the prompt goes through stdin, where it may have any length and any first character.

    Settings of the machine are looked for where there are none.
    """
    folder = session.home / ".gemini"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(_settings(session)), encoding="utf-8")
    (folder / "policy.toml").write_text(_policy(session), encoding="utf-8")
    stop_search(session, ".gemini")
    arguments = ["--output-format", "stream-json", "--approval-mode", "default", "--skip-trust", "--extensions", "none"]
    arguments += ["--policy", str(folder / "policy.toml")]
    if session.model is not None:
        arguments += ["--model", session.model]
    environment = {
        **_ENVIRONMENT,
        "GEMINI_CLI_HOME": str(session.home),
        "GEMINI_CLI_SYSTEM_DEFAULTS_PATH": str(folder / "none.json"),
        "GEMINI_CLI_SYSTEM_SETTINGS_PATH": str(folder / "none.json"),
    }
    if session.profile is None:
        (folder / "system.md").write_text(COMPLETE_PROMPT, encoding="utf-8")
        environment["GEMINI_SYSTEM_MD"] = str(folder / "system.md")
    return Invocation(tuple(arguments), environment, session.prompt.encode())


def _policy(session: Session) -> str:
    """Without it the program offers headless no tool that it would ask a person about, `activate_skill` among them."""
    tools = TOOLS[session.profile] if session.profile else ()
    return _RULES.format(allowed=json.dumps(tools)) if tools else _NO_RULES


def _settings(session: Session) -> dict[str, Any]:
    login: dict[str, Any] = {"folderTrust": {"enabled": False}}
    if KEY in session.login.environment:
        login["auth"] = {"selectedType": "gemini-api-key"}
    elif session.login.has_file:
        login["auth"] = {"selectedType": "oauth-personal"}
    return {**_SETTINGS, "security": login, **(_complete(session) if session.profile is None else _run(session))}


def _run(session: Session) -> dict[str, Any]:
    profile = session.profile or "package"
    turns = min(session.max_turns, HOST_ROUTING_TURNS) if profile == "routing" else session.max_turns
    staged = session.workspace / SKILLS_FOLDER
    disabled = [name for name in BUNDLED if not (staged / name).is_dir()]
    return {
        "model": {"maxSessionTurns": turns},
        "skills": {"disabled": disabled, "enabled": True},
        "tools": {"core": list(TOOLS[profile])},
    }


def _complete(session: Session) -> dict[str, Any]:
    settings: dict[str, Any] = {"skills": {"enabled": False}, "tools": {"core": []}}
    if session.schema is not None:
        form = {"responseMimeType": "application/json", "responseJsonSchema": session.schema}
        override = {"match": {"overrideScope": "core"}, "modelConfig": {"generateContentConfig": form}}
        settings["modelConfigs"] = {"overrides": [override]}
    return settings
