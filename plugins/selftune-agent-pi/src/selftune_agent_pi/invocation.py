"""How pi is started for one sample: its arguments, its settings, and nothing of the user's set-up."""

from __future__ import annotations

import json
from typing import Any

from selftune_build.agents.hosts import COMPLETE_PROMPT, URL, Invocation, Session, is_of_endpoint, with_schema

TOOLS = {"package": ("bash", "edit", "read", "write"), "routing": ("read",)}
"""The tools a model is offered, by profile."""
SKILLS_FOLDER = ".pi/skills"
_PROVIDERS = ("anthropic", "google", "openai", "openrouter")
"""Those whose keys are passed on, as pi names them in front of a model."""
_SETTINGS = {"enableInstallTelemetry": False, "retry": {"enabled": False, "provider": {"maxRetries": 0}}}
"""The engine's own retries are counted and kept, those of the program would be seen by nobody."""
_ENVIRONMENT = {"PI_OFFLINE": "1", "PI_SKIP_VERSION_CHECK": "1", "PI_TELEMETRY": "0"}


def invocation(session: Session) -> Invocation:
    """The command for a session; the prompt goes through stdin, where it may have any length and any first character.

    Skills are named by their folder: that offers them alone, and newer versions leave those of a project out that nobody
    has approved. Context files it would take from every folder up to the root.
    """
    folder = session.home / ".pi" / "agent"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(_SETTINGS), encoding="utf-8")
    (folder / "models.json").write_text(json.dumps({"providers": _providers(session)}), encoding="utf-8")
    arguments = ["--print", "--mode", "json", "--no-session", "--offline", "--no-extensions", "--no-context-files", "--no-skills"]
    if session.profile is None:
        arguments += ["--no-tools", "--system-prompt", COMPLETE_PROMPT]
    else:
        arguments += ["--tools", ",".join(TOOLS[session.profile]), "--skill", str(session.workspace / SKILLS_FOLDER)]
    if session.model is not None:
        arguments += [*(("--provider", "openai") if is_of_endpoint(session, _PROVIDERS) else ()), "--model", session.model]
    environment = {**_ENVIRONMENT, "PI_CODING_AGENT_DIR": str(folder)}
    return Invocation(tuple(arguments), environment, with_schema(session.prompt, session.schema).encode())


def _providers(session: Session) -> dict[str, Any]:
    """Where pi sends what is meant for OpenAI. A model that it cannot know is asked by Chat Completions, which every compatible
    server speaks."""
    url = session.login.environment.get(URL)
    if url is None:
        return {}
    if not is_of_endpoint(session, _PROVIDERS):
        return {"openai": {"baseUrl": url}}
    chat = {"api": "openai-completions", "apiKey": "OPENAI_API_KEY", "models": [{"id": session.model}]}
    return {"openai": {"baseUrl": url, **chat}}
