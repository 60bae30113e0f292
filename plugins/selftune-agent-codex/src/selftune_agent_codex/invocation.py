"""How Codex is started for one sample: its arguments, its own configuration file, and nothing of the user's set-up."""

from __future__ import annotations

import json

from selftune_build.agents.hosts import Invocation, Session

TOOLS = {
    "package": ("apply_patch", "exec_command", "view_image"),
    "routing": ("exec_command", "view_image"),
}
"""By profile, the tools that can act. Codex offers all of them always; under `routing` the kernel refuses every write."""
KEY = "OPENAI_API_KEY"
_CONFIG = """\
check_for_update_on_startup = false
web_search = "disabled"

[shell_environment_policy]
inherit = "core"

[analytics]
enabled = false

[feedback]
enabled = false

[history]
persistence = "none"

[skills.bundled]
enabled = false

[features]
apps = false
plugins = false
remote_plugin = false
shell_snapshot = false
unbounded_connection_retries = false
"""
_PROVIDER = """
[model_providers.selftune]
name = "selftune"
base_url = {url}
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""
"""For an API key: the engine's own retries are counted and kept, those of the program would be seen by nobody."""
_SERVICE = "https://api.openai.com/v1"


def invocation(session: Session) -> Invocation:
    """The command for a session, without the program's own sandbox.

    That one mounts the skills read-only, and on such a mount a read moves no access time: nobody would see which files
    were read.

    So it is off, and the kernel confines the program as a whole. The prompt goes through stdin, where it may have any length
    and any first character.
    """
    folder = session.home / ".codex"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "config.toml").write_text(_config(session), encoding="utf-8")
    arguments = ["exec", "--json", "--skip-git-repo-check", "-C", str(session.workspace)]
    arguments += ["--dangerously-bypass-approvals-and-sandbox"]
    if session.schema is not None:
        schema = session.home / "schema.json"
        schema.write_text(json.dumps(session.schema), encoding="utf-8")
        arguments += ["--output-schema", str(schema)]
    return Invocation((*arguments, "-"), {"CODEX_HOME": str(folder)}, session.prompt.encode())


def _config(session: Session) -> str:
    head, tail = "", ""
    if session.model is not None:
        head += f"model = {_quoted(session.model)}\n"
    url = session.login.environment.get("OPENAI_BASE_URL")
    if KEY in session.login.environment:
        head += 'model_provider = "selftune"\n'
        tail = _PROVIDER.format(url=_quoted(url or _SERVICE))
    elif url is not None:
        head += f"openai_base_url = {_quoted(url)}\n"
    return head + _CONFIG + tail


def _quoted(text: str) -> str:
    """A basic string of TOML, which JSON's strings are, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
