"""The agent type `codex`, put together."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_agent_codex.invocation import TOOLS, invocation
from selftune_agent_codex.reading import reply, usage
from selftune_agent_codex.rollout import closing
from selftune_build.agents.hosts import Host, Login, LoginFile, Program, Variable, called_names, diagnose, type_of
from selftune_build.agents.protocol import Diagnosis
from selftune_build.process import Outcome

PROGRAM = Program("codex", "npm install --global @openai/codex")
LOGIN = Login(
    variables=(Variable("OPENAI_API_KEY"), Variable("OPENAI_BASE_URL", secret=False)),
    files=(LoginFile("CODEX_HOME", ".codex", "auth.json"),),
)


def invoked(prompt: str, names: Iterable[str]) -> tuple[str, ...]:
    """`$name` anywhere in a prompt puts the body of the skill before the model at once."""
    return called_names(prompt, names, r"\${}(?![\w-])")


HOST = Host(
    id="codex",
    cache_version="1",
    program=PROGRAM,
    login=LOGIN,
    skills_folder=".agents/skills",
    profiles={name: list(tools) for name, tools in TOOLS.items()},
    invocation=invocation,
    reply=reply,
    usage=usage,
    invoked=invoked,
    closing=closing,
)


def examine() -> Diagnosis:
    """What `selftune doctor` says about it."""
    return diagnose(PROGRAM, LOGIN, "codex login", ["login", "status"], _login_told)


def _login_told(outcome: Outcome) -> str | None:
    """Its status command answers on stderr; an API key in the environment it does not know of, although we pass it on."""
    if outcome.exit_status == 0:
        lines = [line for line in (outcome.stdout + outcome.stderr).decode("utf-8", "replace").splitlines() if "ogged in" in line]
        return lines[-1].strip() if lines else "logged in"
    return "OPENAI_API_KEY" if any(variable.secret for variable in LOGIN.values()) else None


CODEX = type_of(HOST, "Codex", examine)
