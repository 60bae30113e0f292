"""The agent type `gemini`, put together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from selftune_agent_gemini.invocation import KEY, OAUTH_FILE, SKILLS_FOLDER, TOOLS, invocation
from selftune_agent_gemini.reading import reply, usage
from selftune_build.agents.hosts import (
    COMPLETE_PROMPT,
    Host,
    HostAgent,
    Login,
    LoginFile,
    Program,
    Variable,
    called_names,
    diagnose,
)
from selftune_build.agents.protocol import AgentSettings, AgentType, Diagnosis
from selftune_build.fingerprint.digest import digest_bytes

CACHE_VERSION = "1"
PROGRAM = Program("gemini", "npm install --global @google/gemini-cli")
LOGIN = Login(
    variables=(Variable(KEY), Variable("GOOGLE_GEMINI_BASE_URL", secret=False)),
    files=(LoginFile("GEMINI_CLI_HOME", "", OAUTH_FILE),),
)


def invoked(prompt: str, names: Iterable[str]) -> tuple[str, ...]:
    """`@` and the path of a skill's SKILL.md or folder puts the body before the model at once."""
    return called_names(prompt, names, rf"@\S*{SKILLS_FOLDER}/{{}}/?(?:SKILL\.md)?(?:\s|\Z)".replace(".gemini", r"\.gemini"))


def closing(home: Path) -> dict[str, Any]:
    """The version of the program, which its stream does not tell."""
    return {"version": PROGRAM.version()}


HOST = Host(
    id="gemini",
    cache_version=CACHE_VERSION,
    program=PROGRAM,
    login=LOGIN,
    skills_folder=SKILLS_FOLDER,
    profiles={name: list(tools) for name, tools in TOOLS.items()},
    invocation=invocation,
    reply=reply,
    usage=usage,
    invoked=invoked,
    closing=closing,
    shows_listing=True,
    system_prompt=digest_bytes(COMPLETE_PROMPT.encode()),
)


def make(settings: AgentSettings) -> HostAgent:
    """The agent for these settings. Raises InputError for those that do not fit."""
    return HostAgent(HOST, settings)


def examine() -> Diagnosis:
    """What `selftune doctor` says about it; the program has no command that tells how it would log in."""
    return diagnose(PROGRAM, LOGIN, "gemini")


GEMINI = AgentType(
    "gemini", CACHE_VERSION, make, "Gemini CLI, run for each sample in a home of its own", PROGRAM.install, diagnose=examine
)
