"""From a login to evidence: `selftune doctor` says what to type, and that works without a line of configuration."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable

import pytest

from selftune_build.testing.model_server import Answer, Conversation, Say, use_skill
from tests.hosts.hosts import HOSTS, SECRET, Bench, trigger

OAUTH = {"accessToken": SECRET, "refreshToken": "r" * 20, "expiresAt": 4_000_000_000_000, "scopes": ["user:inference"]}


def by_variable(bench: Bench) -> dict[str, str]:
    return bench.environment()


LEFT_BEHIND = {
    "claude": (".claude/.credentials.json", {"claudeAiOauth": {**OAUTH, "subscriptionType": "max"}}),
    "codex": (".codex/auth.json", {"OPENAI_API_KEY": SECRET}),
    "opencode": (".local/share/opencode/auth.json", {"openai": {"type": "api", "key": SECRET}}),
    "pi": (".pi/agent/auth.json", {"openai": {"type": "api_key", "key": SECRET}}),
}
"""By host the file that its own login leaves behind. That of Gemini CLI has to be renewed at Google before it is of any use."""


def by_file(bench: Bench) -> dict[str, str]:
    """Logged in with the program's own command: it left a file behind, and no variable holds a key."""
    name, content = LEFT_BEHIND[bench.host]
    path = bench.user / name
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    environment = bench.environment()
    return {name: value for name, value in environment.items() if not name.endswith("_API_KEY")}


WAYS = [pytest.param(host, by_variable, id=f"{host}-by_variable") for host in HOSTS]
WAYS += [pytest.param(host, by_file, id=f"{host}-by_file") for host in LEFT_BEHIND]


def judged(conversation: Conversation) -> Answer | None:
    """What the small model says that Gemini CLI asks, where nobody names a model, which one to ask."""
    asked = conversation.protocol == "gemini" and conversation.schema is not None
    return Say('{"complexity_reasoning": "it is short", "complexity_score": 1}') if asked else None


@pytest.mark.parametrize(("host", "log_in"), WAYS, indirect=["host"])
def test_whoever_is_logged_in_types_what_the_doctor_says_and_has_live_evidence(
    bench: Bench, log_in: Callable[[Bench], dict[str, str]]
) -> None:
    (bench.workspace / "selftune.yaml").unlink()
    bench.cases(*(trigger(f"c{number}", f"Fill in form {number}") for number in range(5)))
    working = use_skill("zebra", lambda conversation, skill: Say("done"))
    bench.server.script = lambda conversation: judged(conversation) or working(conversation)
    environment = log_in(bench)
    package = bench.workspace / "skills/pdf-forms"

    def typed(command: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "selftune_build", *shlex.split(command)[1:]]
        return subprocess.run(words, cwd=package, env=environment, capture_output=True, text=True, timeout=300)

    said = typed(f"selftune doctor {bench.host}")
    assert said.returncode == 0, said.stdout
    assert f"{bench.host} " in said.stdout
    assert "ready" in said.stdout
    command = said.stdout.rpartition("next: ")[2].strip()
    assert command == f"selftune build verify --agent {bench.host}"
    ended = typed(f"{command} --json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (found,) = json.loads(ended.stdout)["packages"]
    assert (found["agent"], found["origin"], found["verdict"]) == (bench.host, "live", "pass")
    assert all(SECRET.encode() not in path.read_bytes() for path in bench.workspace.rglob("*") if path.is_file())
