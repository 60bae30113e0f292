"""How Copilot CLI is started for one sample: its arguments, its settings, its environment, and nothing of the user's set-up."""

from __future__ import annotations

import json
import os
from pathlib import Path

from selftune_build.agents.hosts import COMPLETE_PROMPT, Invocation, Program, Session, with_schema

PROGRAM = Program("copilot", "npm install --global @github/copilot")
TOOLS = {
    "package": ("bash", "create", "edit", "glob", "grep", "skill", "view"),
    "routing": ("skill", "view"),
}
"""The tools a model is offered, by profile."""
SKILLS_FOLDER = ".github/skills"
ENDPOINT = "COPILOT_PROVIDER_BASE_URL"
MODEL = "COPILOT_MODEL"
_NO_TOOL = "none"
"""A name in the list of tools, since an empty one allows them all."""
_AGENT = "answer"
_AGENT_FILE = f"---\nname: {_AGENT}\ndescription: Answers one request.\n---\n\n{COMPLETE_PROMPT}\n"
"""The system prompt of the program cannot be replaced, only added to."""
_BUNDLED = ("customize-cloud-agent", "github-pr-media")
"""The skills that the program brings along: they would compete."""
_ARGUMENTS = (
    *("--output-format", "json", "--allow-all-tools", "--allow-all-paths", "--no-auto-update", "--no-color", "--no-ask-user"),
    *("--disable-builtin-mcps", "--no-custom-instructions", "--disable-client-telemetry"),
)
_SETTINGS = {"includeCoAuthoredBy": False, "memory": False}


def invocation(session: Session) -> Invocation:
    """The command for a session; the prompt goes through stdin, where it may have any length and any first character."""
    folder = session.home / ".copilot"
    folder.mkdir(mode=0o700)
    hidden = [name for name in _BUNDLED if not (session.workspace / SKILLS_FOLDER / name).is_dir()]
    (folder / "settings.json").write_text(json.dumps({**_SETTINGS, "disabledSkills": hidden}), encoding="utf-8")
    _reuse_program(session.home)
    tools = (_NO_TOOL,) if session.profile is None else TOOLS[session.profile]
    arguments = [*_ARGUMENTS, f"--available-tools={','.join(tools)}"]
    if session.profile is None:
        (folder / "agents").mkdir()
        (folder / "agents" / f"{_AGENT}.agent.md").write_text(_AGENT_FILE, encoding="utf-8")
        arguments += ["--agent", _AGENT]
    return Invocation(tuple(arguments), _environment(session, folder), with_schema(session.prompt, session.schema).encode())


def _environment(session: Session, folder: Path) -> dict[str, str]:
    """An endpoint of one's own is asked without GitHub."""
    offline = {"COPILOT_OFFLINE": "true"} if ENDPOINT in session.login.environment else {}
    model = {} if session.model is None else {MODEL: session.model}
    return {**offline, **model, "COPILOT_AUTO_UPDATE": "false", "COPILOT_HOME": str(folder)}


def _reuse_program(home: Path) -> None:
    """The program unpacks itself, 235 MB, into every new home that does not have it: what the user's has of this version will do,
    which no sample can write to."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for found in (cache / "copilot" / "pkg").glob(f"*/{PROGRAM.version()}"):
        place = home / ".cache" / "copilot" / "pkg" / found.parent.name
        place.mkdir(parents=True)
        (place / found.name).symlink_to(found)
