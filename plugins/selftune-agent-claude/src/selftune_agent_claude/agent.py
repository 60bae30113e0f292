"""The agent type `claude`, put together."""

from __future__ import annotations

import json
from collections.abc import Iterable

from selftune_agent_claude.invocation import TOOLS, invocation
from selftune_agent_claude.reading import reply, usage, waiting
from selftune_build.agents.hosts import (
    COMPLETE_PROMPT,
    Host,
    Login,
    LoginFile,
    Program,
    Variable,
    called_names,
    diagnose,
    type_of,
)
from selftune_build.agents.protocol import Diagnosis
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.process import Outcome

PROGRAM = Program("claude", "npm install --global @anthropic-ai/claude-code")
LOGIN = Login(
    variables=(
        Variable("ANTHROPIC_API_KEY", descriptor="CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR"),
        Variable("CLAUDE_CODE_OAUTH_TOKEN", descriptor="CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR"),
        Variable("ANTHROPIC_AUTH_TOKEN"),
        Variable("ANTHROPIC_BASE_URL", secret=False),
    ),
    files=(LoginFile("CLAUDE_CONFIG_DIR", ".claude", ".credentials.json"),),
)


def invoked(prompt: str, names: Iterable[str]) -> tuple[str, ...]:
    """`/name` at the start of a prompt puts the body of the skill before the model at once."""
    return called_names(prompt, names, r"\A\s*/{}(?:\s|\Z)")


HOST = Host(
    id="claude",
    cache_version="1",
    program=PROGRAM,
    login=LOGIN,
    skills_folder=".claude/skills",
    profiles={name: list(tools) for name, tools in TOOLS.items()},
    invocation=invocation,
    reply=reply,
    usage=usage,
    invoked=invoked,
    waiting=waiting,
    system_prompt=digest_bytes(COMPLETE_PROMPT.encode()),
)


def examine() -> Diagnosis:
    """What `selftune doctor` says about it."""
    return diagnose(PROGRAM, LOGIN, "claude auth login", ["auth", "status"], _login_told)


def _login_told(outcome: Outcome) -> str | None:
    try:
        told = json.loads(outcome.stdout)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("loggedIn") is not True:
        return None
    source = told.get("apiKeySource")
    return f"{told.get('authMethod', 'logged in')}{f' ({source})' if source else ''}"


CLAUDE = type_of(HOST, "Claude Code", examine)
