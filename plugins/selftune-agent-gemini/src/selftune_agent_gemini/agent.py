"""The agent type `gemini`, put together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selftune_agent_gemini.invocation import KEY, OAUTH_FILE, SKILLS_FOLDER, TOOLS, invocation
from selftune_agent_gemini.reading import reply, usage
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

PROGRAM = Program("gemini", "npm install --global @google/gemini-cli")
LOGIN = Login(
    variables=(Variable(KEY), Variable("GOOGLE_GEMINI_BASE_URL", secret=False)),
    files=(LoginFile("GEMINI_CLI_HOME", "", OAUTH_FILE),),
)


def invoked(prompt: str, names: Iterable[str]) -> tuple[str, ...]:
    """`@` and the path of a skill's SKILL.md or folder puts the body before the model at once."""
    return called_names(prompt, names, rf"@\S*{re.escape(SKILLS_FOLDER)}/{{}}/?(?:SKILL\.md)?(?:\s|\Z)")


HOST = Host(
    id="gemini",
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
    """What `selftune doctor` says about it; the program has no command that tells how it would log in."""
    return diagnose(PROGRAM, LOGIN, "gemini")


GEMINI = type_of(HOST, "Gemini CLI", examine)
