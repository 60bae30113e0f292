"""The agent type `pi`, put together."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_agent_pi.invocation import SKILLS_FOLDER, TOOLS, invocation
from selftune_agent_pi.reading import REPEATED, reply, usage
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

PROGRAM = Program("pi", "npm install --global @earendil-works/pi-coding-agent")
LOGIN = Login(
    variables=(
        Variable("ANTHROPIC_API_KEY"),
        Variable("ANTHROPIC_OAUTH_TOKEN"),
        Variable("GEMINI_API_KEY"),
        Variable("OPENAI_API_KEY"),
        Variable("OPENROUTER_API_KEY"),
        Variable("OPENAI_BASE_URL", secret=False),
    ),
    files=(LoginFile("PI_CODING_AGENT_DIR", ".pi/agent", "auth.json"),),
)


def invoked(prompt: str, names: Iterable[str]) -> tuple[str, ...]:
    """`/skill:name` at the start of a prompt puts the body of the skill before the model at once."""
    return called_names(prompt, names, r"\A/skill:{}(?: |\Z)")


HOST = Host(
    id="pi",
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
    repeated=REPEATED,
    system_prompt=digest_bytes(COMPLETE_PROMPT.encode()),
)


def examine() -> Diagnosis:
    """What `selftune doctor` says about it."""
    status = ["--offline", "--no-extensions", "--list-models"]
    return diagnose(PROGRAM, LOGIN, "pi", status, _login_told)


def _login_told(outcome: Outcome) -> str | None:
    """It lists the models that it has a login for, in a table, on stderr."""
    rows = [line.split() for line in (outcome.stdout + outcome.stderr).decode("utf-8", "replace").splitlines()]
    if outcome.exit_status != 0 or not rows or rows[0][:2] != ["provider", "model"]:
        return None
    return "models of " + ", ".join(dict.fromkeys(row[0] for row in rows[1:] if row))


PI = type_of(HOST, "pi", examine)
