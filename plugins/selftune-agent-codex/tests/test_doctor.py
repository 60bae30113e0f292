"""`selftune doctor` asks Codex itself whether somebody is logged in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from selftune_build.testing import Finished, SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

PROGRAM = """#!/bin/sh
case "$1" in
--version) echo "codex-cli 0.171.0";;
login) [ -f "${CODEX_HOME:-$HOME/.codex}/auth.json" ] || { echo "Not logged in" >&2; exit 1; }; echo "Logged in with x" >&2;;
*) touch "$HOME/asked";;
esac
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user who has Codex and has not logged in."""
    program = tmp_path / "home/bin/codex"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM)
    program.chmod(0o755)
    return tmp_path / "home"


def doctor(workspace: SkillWorkspace, home: Path, **more: str) -> Finished:
    """With no program on PATH but Codex, and no key of whoever runs the tests."""
    path = f"{home / 'bin'}{os.pathsep}/usr/bin:/bin"
    own = {"HOME": str(home), "PATH": path, "OPENAI_API_KEY": "", "CODEX_API_KEY": "", "CODEX_HOME": str(home / ".codex")}
    return workspace.write({}).run("doctor", "codex", environment={**own, **more})


def test_where_it_is_not_installed_the_command_that_installs_it_is_told(skill_workspace: SkillWorkspace, home: Path) -> None:
    (home / "bin/codex").unlink()
    ended = doctor(skill_workspace, home)
    assert (ended.status, "next: npm install --global @openai/codex" in ended.stdout) == (3, True)


def test_the_users_own_folder_of_it_is_the_one_looked_at_and_no_model_is_asked(
    skill_workspace: SkillWorkspace, home: Path
) -> None:
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "auth.json").write_text("{}")
    assert doctor(skill_workspace, home).status == 3
    ended = doctor(skill_workspace, home, CODEX_HOME=str(elsewhere))
    assert (ended.status, "login: Logged in with x" in ended.stdout) == (0, True)
    assert not (home / "asked").exists()


def test_a_key_in_the_environment_is_named_and_not_shown(skill_workspace: SkillWorkspace, home: Path) -> None:
    ended = doctor(skill_workspace, home, OPENAI_API_KEY="a-key")
    assert (ended.status, "login: OPENAI_API_KEY" in ended.stdout, "a-key" in ended.stdout) == (0, True, False)
