"""The agent type `opencode`, put together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selftune_agent_opencode.invocation import SKILLS_FOLDER, TOOLS, invocation
from selftune_agent_opencode.reading import reply, usage
from selftune_build.agents.hosts import (
    COMPLETE_PROMPT,
    Host,
    Login,
    LoginFile,
    Program,
    Variable,
    diagnose,
    type_of,
)
from selftune_build.agents.protocol import Diagnosis
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.process import Outcome

RIPGREP = Program("rg", "apt-get install ripgrep")
PROGRAM = Program("opencode", "npm install --global opencode-ai", needs=(RIPGREP,))
LOGIN = Login(
    variables=(
        Variable("ANTHROPIC_API_KEY"),
        Variable("GEMINI_API_KEY"),
        Variable("OPENAI_API_KEY"),
        Variable("OPENCODE_API_KEY"),
        Variable("OPENROUTER_API_KEY"),
        Variable("OPENAI_BASE_URL", secret=False),
    ),
    files=(LoginFile("XDG_DATA_HOME", ".local/share", "opencode/auth.json"),),
)
_ESCAPES = re.compile(r"\x1b\[\d*m")
_BULLET = "●"


def invoked(prompt: str, names: Iterable[str]) -> tuple[str, ...]:
    """None: without a screen the program takes every prompt as words."""
    return ()


HOST = Host(
    id="opencode",
    cache_version="1",
    program=PROGRAM,
    login=LOGIN,
    skills_folder=SKILLS_FOLDER,
    profiles={name: list(tools) for name, tools in TOOLS.items()},
    invocation=invocation,
    reply=reply,
    usage=usage,
    invoked=invoked,
    closing=PROGRAM.closing,
    shows_listing=True,
    system_prompt=digest_bytes(COMPLETE_PROMPT.encode()),
)


def examine() -> Diagnosis:
    """What `selftune doctor` says about it."""
    return diagnose(PROGRAM, LOGIN, "opencode auth login", ["auth", "list"], _login_told)


def _login_told(outcome: Outcome) -> str | None:
    """It lists what it would log in with, from its file and from variables, a line with a bullet each."""
    text = _ESCAPES.sub("", outcome.stdout.decode("utf-8", "replace"))
    lines = (line.strip() for line in text.splitlines())
    found = [" ".join(line.removeprefix(_BULLET).split()) for line in lines if line.startswith(_BULLET)]
    return ", ".join(found) if outcome.exit_status == 0 and found else None


OPENCODE = type_of(HOST, "opencode", examine)
