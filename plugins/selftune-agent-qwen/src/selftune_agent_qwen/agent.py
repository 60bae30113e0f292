"""The agent type `qwen`, put together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selftune_agent_qwen.invocation import PLACE, PROGRAM, SKILLS_FOLDER, TOOLS, invocation
from selftune_agent_qwen.reading import reply, usage
from selftune_build.agents.hosts import (
    COMPLETE_PROMPT,
    Host,
    Login,
    LoginFile,
    Variable,
    called_names,
    diagnose,
    type_of,
)
from selftune_build.agents.protocol import Diagnosis
from selftune_build.fingerprint.digest import digest_bytes

LOGIN = Login(
    variables=(
        Variable("OPENAI_API_KEY"),
        Variable("ANTHROPIC_API_KEY"),
        Variable("GEMINI_API_KEY"),
        Variable("ANTHROPIC_BASE_URL", secret=False),
        Variable("OPENAI_BASE_URL", secret=False),
    ),
    files=(LoginFile("QWEN_HOME", ".qwen", "oauth_creds.json"),),
)


def invoked(prompt: str, names: Iterable[str]) -> tuple[str, ...]:
    """`/name` at the start of a prompt puts the body of a skill before the model at once, and so does `@` with the path of its
    SKILL.md anywhere in it."""
    return called_names(prompt, names, rf"\A\s*/{{0}}(?:\s|\Z)|@\S*{re.escape(SKILLS_FOLDER)}/{{0}}/?(?:SKILL\.md)?(?:\s|\Z)")


HOST = Host(
    id="qwen",
    cache_version="1",
    program=PROGRAM,
    login=LOGIN,
    skills_folder=SKILLS_FOLDER,
    profiles={name: list(tools) for name, tools in TOOLS.items()},
    invocation=invocation,
    reply=reply,
    usage=usage,
    invoked=invoked,
    system_prompt=digest_bytes(f"{COMPLETE_PROMPT}\n{PLACE}".encode()),
)


def examine() -> Diagnosis:
    """What `selftune doctor` says about it; its own status command knows its settings alone, and no variable."""
    return diagnose(PROGRAM, LOGIN, "qwen")


QWEN = type_of(HOST, "Qwen Code", examine)
