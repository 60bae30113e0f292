"""README's way from nothing to a gate that passes, typed as it stands there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.environments import CHECKOUT, build_wheel, new_environment

SECTION = (CHECKOUT / "README.md").read_text(encoding="utf-8").partition("\n## A gate of your own\n")[2].partition("\n## ")[0]
COMMANDS = [line for line in SECTION.partition("```\n")[2].partition("```")[0].splitlines() if line]
BUILD = COMMANDS[-1]


def test_there_are_five_commands_and_the_last_one_builds() -> None:
    assert len(COMMANDS) == 5
    assert COMMANDS[0].startswith("selftune plugins new --kind gate ")
    assert BUILD.startswith("selftune build verify ")


def typed(commands: list[str], python: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Commands typed into one shell in which the environment of this Python is active."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SELFTUNE"))}
    environment = {**kept, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(python.parents[1])}
    script = "\n".join(["set -e", *commands])
    return subprocess.run(["sh", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def gate_of(done: subprocess.CompletedProcess[str], name: str) -> tuple[int, dict[str, Any]]:
    report = json.loads(done.stdout[done.stdout.index('{\n "schema"') :])
    (package,) = report["packages"]
    (gate,) = [gate for gate in package["gates"] if gate["id"] == name]
    return done.returncode, {**gate, "problems": {each["code"] for each in package["problems"]}}


@pytest.mark.slow
def test_they_lead_from_an_empty_folder_to_a_gate_that_passes_also_locked(tmp_path: Path) -> None:
    python = new_environment(tmp_path / "venv", build_wheel(CHECKOUT, tmp_path / "wheel"))
    folder = tmp_path / "empty"
    folder.mkdir()
    name = COMMANDS[0].split()[-1]
    done = typed([*COMMANDS[:-1], f"{BUILD} --json"], python, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    status, gate = gate_of(done, name)
    assert (status, gate["verdict"], gate["problems"]) == (0, "pass", set())
    status, gate = gate_of(typed([COMMANDS[1], f"{BUILD} --locked --json"], python, folder), name)
    assert (status, gate["verdict"], gate["problems"]) == (0, "pass", set())
    typed([f"pip uninstall -q -y {COMMANDS[1].removeprefix('cd ')}"], python, folder)
    for command in (f"{BUILD} --json", f"{BUILD} --locked --json"):
        status, gate = gate_of(typed([COMMANDS[1], command], python, folder), name)
        assert (status, gate["verdict"], gate["problems"]) == (3, "inconclusive", {"plugin-missing"})
