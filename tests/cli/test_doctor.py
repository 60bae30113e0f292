"""`selftune doctor`: what is there, what it says of itself, what to type next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.site_folder import SiteFolder

HOSTS = """
from selftune_build.agents.hosts import Login, LoginFile, Program, Variable, diagnose
from selftune_build.plugins import AgentType, hookimpl

def host(name, login, ask, told):
    program = Program(name, f"npm install --global @birds/{name}")
    return AgentType(name, "1", None, name, diagnose=lambda: diagnose(program, login, f"{name} auth login", ask, told))

LARK = Login(variables=(Variable("LARK_KEY"),), files=())
ROBIN = Login(variables=(Variable("ROBIN_KEY"),), files=(LoginFile("ROBIN_HOME", ".robin", "auth.json"),))

def said(outcome):
    return outcome.stdout.decode().strip() or None

@hookimpl
def selftune_agents():
    return [host("lark", LARK, ["auth", "status"], said), host("robin", ROBIN, ["login", "status"], said)]
"""
PROGRAMS = {
    "lark": """case "$1" in
--version) echo "2.1.197 (Lark)";;
auth) [ -n "$LARK_KEY" ] && echo api_key;;
*) touch "$HOME/asked";; esac""",
    "robin": """case "$1" in
--version) echo "robin-cli 0.171.0";;
login) [ -n "$ROBIN_KEY" ] && echo ROBIN_KEY; [ -f "${ROBIN_HOME:-$HOME/.robin}/auth.json" ] && echo "Logged in with x";;
*) touch "$HOME/asked";; esac""",
}


class Machine:
    def __init__(self, folder: Path) -> None:
        self.home, self.programs = folder / "home", folder / "bin"
        self.home.mkdir()
        self.programs.mkdir()
        self.site = SiteFolder(folder / "site")
        self.site.install("selftune-agent-birds", HOSTS)

    def install(self, name: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{PROGRAMS[name]}\n")
        path.chmod(0o755)

    def doctor(self, *arguments: str, place: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "HOME": str(self.home),
            "PATH": f"{self.programs}{os.pathsep}/usr/bin:/bin",
            **self.site.environment,
            **more,
        }
        command = [sys.executable, "-m", "selftune_build", "doctor", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=place)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_is_not_installed_is_named_with_the_command_that_installs_it(machine: Machine) -> None:
    ended = machine.doctor("lark", "robin")
    assert ended.returncode == 3
    assert "lark: not ready" in ended.stdout
    assert "next: npm install --global @birds/lark" in ended.stdout
    assert "next: npm install --global @birds/robin" in ended.stdout


def test_a_program_without_a_login_is_told_apart_from_one_that_is_ready(machine: Machine) -> None:
    machine.install("lark")
    ended = machine.doctor("lark")
    assert ended.returncode == 3
    assert "lark 2.1.197: not ready" in ended.stdout
    assert "next: lark auth login" in ended.stdout
    ended = machine.doctor("lark", LARK_KEY="a-key")
    assert ended.returncode == 0
    assert "lark 2.1.197: ready" in ended.stdout
    assert "login: api_key" in ended.stdout
    assert "a-key" not in ended.stdout


def test_the_users_own_folder_of_the_host_is_the_one_looked_at(machine: Machine) -> None:
    machine.install("robin")
    elsewhere = machine.home / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "auth.json").write_text("{}")
    assert machine.doctor("robin").returncode == 3
    ended = machine.doctor("robin", ROBIN_HOME=str(elsewhere))
    assert (ended.returncode, "login: Logged in with x" in ended.stdout) == (0, True)


def test_json_says_the_same_and_one_ready_host_is_enough(machine: Machine) -> None:
    machine.install("robin")
    ended = machine.doctor("--json", ROBIN_KEY="a-key")
    document = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert document["schema"] == "selftune.doctor/1"
    assert document["agents"]["robin"]["ready"] is True
    assert document["agents"]["robin"]["login"] == "ROBIN_KEY"
    assert document["agents"]["lark"]["problems"] == ["lark is not on PATH"]


def test_no_model_is_asked(machine: Machine) -> None:
    machine.install("lark")
    machine.install("robin")
    machine.doctor()
    assert not (machine.home / "asked").exists()


def test_an_agent_nobody_supplies_is_not_found(machine: Machine) -> None:
    ended = machine.doctor("nobody")
    assert ended.returncode == 3
    assert "selftune plugins list" in ended.stderr


def test_a_command_that_the_workspace_declares_is_an_agent_like_any_other(machine: Machine, tmp_path: Path) -> None:
    skill = tmp_path / "pdf"
    skill.mkdir()
    (skill / "SKILL.md").write_text("---\nname: pdf\ndescription: Fills forms.\n---\nFill.\n")
    agents = "agents:\n  house: {type: command, argv: [cat]}\n  gone: {type: command, argv: [sh, tools/gone.sh]}\n"
    (skill / "selftune.yaml").write_text(f"version: 1\n{agents}")
    ended = machine.doctor(place=skill)
    assert ended.returncode == 0  # no host is installed, and the command is enough
    assert "house: ready\n" in ended.stdout
    assert "next: selftune build verify --agent house\n" in ended.stdout
    assert (machine.doctor("house", place=skill).returncode, machine.doctor("gone", place=skill).returncode) == (0, 3)
    document = json.loads(machine.doctor("gone", "--json", place=skill).stdout)
    assert list(document["agents"]) == ["gone"]
    assert "tools/gone.sh of the agent `gone` is not in the workspace" in document["agents"]["gone"]["problems"][0]


def test_a_mistyped_agent_is_answered_with_what_was_meant(machine: Machine) -> None:
    ended = machine.doctor("lar")
    assert (ended.returncode, "did you mean 'lark'?" in ended.stderr) == (3, True)
