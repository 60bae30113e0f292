"""How opencode is started for one sample: its arguments, its settings, its plugin, and nothing of the user's set-up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selftune_build.agents.hosts import COMPLETE_PROMPT, URL, Invocation, Session, is_of_endpoint, with_schema
from selftune_build.limits import HOST_ROUTING_TURNS

TOOLS = {
    "package": ("apply_patch", "bash", "edit", "glob", "grep", "read", "skill", "write"),
    "routing": ("read", "skill"),
}
"""The tools a model is offered, by profile: `apply_patch` to those that it suits, `edit` and `write` to the others."""
SKILLS_FOLDER = ".opencode/skills"
BUNDLED = "customize-opencode"
"""The skill that the program brings along: it would compete."""
_ENDPOINT = "endpoint"
"""The name under which the program knows the endpoint in the environment."""
_PROVIDERS = ("anthropic", "google", "openai", "opencode", "openrouter")
"""Those whose keys are passed on, as opencode names them in front of a model."""
_WATCH = Path(__file__).with_name("watch.js")
_SETTINGS = {"autoupdate": False, "formatter": False, "lsp": False, "share": "disabled", "snapshot": False}
_INSTALLED = {"packages": {"": {"dependencies": {"@opencode-ai/plugin": "*"}}}}
"""What the program looks for before it fetches that package from npm, which it does for every folder with settings."""
_ENVIRONMENT = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    "OPENCODE_DISABLE_FFF": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
    "OPENCODE_EXPERIMENTAL_DISABLE_FILEWATCHER": "1",
}
"""FFF is an index of all files, which opens every one at start: then no access time would tell what was read for the task."""


def invocation(session: Session) -> Invocation:
    """The command for a session; the prompt goes through stdin, where it may have any length and any first character.

    Settings of a project are off, since the program would fetch a package into the workspace for them: the folder with the staged
    skills and the case's own AGENTS.md are named instead.
    """
    folder = session.home / ".config" / "opencode"
    (folder / "node_modules").mkdir(mode=0o700, parents=True)
    (folder / "package-lock.json").write_text(json.dumps(_INSTALLED), encoding="utf-8")
    (folder / "opencode.json").write_text(json.dumps(_settings(session)), encoding="utf-8")
    arguments = ["run", "--format", "json", "--title", "selftune"]
    if session.model is not None:
        arguments += ["--model", f"{_ENDPOINT}/{session.model}" if is_of_endpoint(session, _PROVIDERS) else session.model]
    return Invocation(tuple(arguments), _ENVIRONMENT, with_schema(session.prompt, session.schema).encode())


def _settings(session: Session) -> dict[str, Any]:
    common = {**_SETTINGS, "plugin": [_WATCH.as_uri()], "provider": _providers(session)}
    if session.profile is None:
        return {**common, "agent": {"build": {"prompt": COMPLETE_PROMPT}}, "permission": {"*": "deny"}}
    turns = min(session.max_turns, HOST_ROUTING_TURNS) if session.profile == "routing" else session.max_turns
    return {
        **common,
        "agent": {"build": {"steps": turns}},
        "instructions": [str(session.workspace / "AGENTS.md")],
        "permission": _permission(session, TOOLS[session.profile]),
        "skills": {"paths": [str(session.workspace / SKILLS_FOLDER)]},
    }


def _permission(session: Session, tools: tuple[str, ...]) -> dict[str, Any]:
    """These tools and no other. Outside of the workspace the kernel says what may be written, and not a rule about paths."""
    is_staged = (session.workspace / SKILLS_FOLDER / BUNDLED).is_dir()
    skills = {"*": "allow", **({} if is_staged else {BUNDLED: "deny"})}
    return {"*": "deny", **dict.fromkeys(tools, "allow"), "external_directory": "allow", "skill": skills}


def _providers(session: Session) -> dict[str, Any]:
    """Where the program sends what is meant for OpenAI. A model that it cannot know is asked by Chat Completions, which every
    compatible server speaks."""
    url = session.login.environment.get(URL)
    if url is None:
        return {}
    if not is_of_endpoint(session, _PROVIDERS):
        return {"openai": {"options": {"baseURL": url}}}
    options = {"apiKey": "{env:OPENAI_API_KEY}", "baseURL": url}
    return {_ENDPOINT: {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {session.model: {}}}}
