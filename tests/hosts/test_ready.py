"""From a login to evidence: `selftune doctor` says what to type, and that works without a line of configuration."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable

import pytest

from selftune_build.testing.model_server import Say, use_skill
from tests.hosts.hosts import SECRET, Bench, trigger

OAUTH = {"accessToken": SECRET, "refreshToken": "r" * 20, "expiresAt": 4_000_000_000_000, "scopes": ["user:inference"]}


def by_variable(bench: Bench) -> dict[str, str]:
    return bench.environment()


def by_file(bench: Bench) -> dict[str, str]:
    """Logged in with the program's own command: it left a file behind, and no variable holds a key."""
    if bench.host == "claude":
        path, content = bench.user / ".claude/.credentials.json", {"claudeAiOauth": {**OAUTH, "subscriptionType": "max"}}
    else:
        path, content = bench.user / ".codex/auth.json", {"OPENAI_API_KEY": SECRET}
    path.parent.mkdir()
    path.write_text(json.dumps(content))
    environment = bench.environment()
    return {name: value for name, value in environment.items() if not name.endswith("_API_KEY")}


@pytest.mark.parametrize("log_in", [by_variable, by_file])
def test_whoever_is_logged_in_types_what_the_doctor_says_and_has_live_evidence(
    bench: Bench, log_in: Callable[[Bench], dict[str, str]]
) -> None:
    (bench.workspace / "selftune.yaml").unlink()
    bench.cases(*(trigger(f"c{number}", f"Fill in form {number}") for number in range(5)))
    bench.server.script = use_skill("zebra", lambda conversation, skill: Say("done"))
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
