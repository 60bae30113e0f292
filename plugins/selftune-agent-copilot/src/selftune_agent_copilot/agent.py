"""The agent type `copilot`, put together."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_agent_copilot.invocation import ENDPOINT, MODEL, PROGRAM, SKILLS_FOLDER, TOOLS, invocation
from selftune_agent_copilot.reading import REPEATED, closing, reply, usage, waiting
from selftune_build.agents.hosts import COMPLETE_PROMPT, Host, Login, Variable, diagnose, type_of
from selftune_build.agents.protocol import Diagnosis
from selftune_build.fingerprint.digest import digest_bytes

LOGIN = Login(
    variables=(
        Variable("COPILOT_GITHUB_TOKEN"),
        Variable("GH_TOKEN"),
        Variable("GITHUB_TOKEN"),
        Variable("COPILOT_PROVIDER_API_KEY"),
        Variable("COPILOT_PROVIDER_BEARER_TOKEN"),
        Variable(ENDPOINT, secret=False),
        Variable("COPILOT_PROVIDER_TYPE", secret=False),
        Variable("COPILOT_PROVIDER_WIRE_API", secret=False),
        Variable(MODEL, secret=False),
    ),
)
"""Variables alone: the file in which the program may keep a token holds more than that, and most systems have it in a keyring."""


def invoked(prompt: str, names: Iterable[str]) -> tuple[str, ...]:
    """None: without a screen the program takes every prompt as words."""
    return ()


HOST = Host(
    id="copilot",
    cache_version="1",
    program=PROGRAM,
    login=LOGIN,
    skills_folder=SKILLS_FOLDER,
    profiles={name: list(tools) for name, tools in TOOLS.items()},
    invocation=invocation,
    reply=reply,
    usage=usage,
    invoked=invoked,
    closing=closing,
    waiting=waiting,
    repeated=REPEATED,
    system_prompt=digest_bytes(COMPLETE_PROMPT.encode()),
)


def examine() -> Diagnosis:
    """What `selftune doctor` says about it; the program has no command that tells how it would log in."""
    return diagnose(PROGRAM, LOGIN, "export COPILOT_GITHUB_TOKEN=TOKEN")


COPILOT = type_of(HOST, "GitHub Copilot CLI", examine)
