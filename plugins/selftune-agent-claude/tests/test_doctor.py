"""`selftune doctor` asks Claude Code itself whether somebody is logged in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from selftune_build.testing import Finished, SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

PROGRAM = """#!/bin/sh
case "$1" in
--version) echo "2.1.197 (Claude Code)";;
auth) [ -n "$ANTHROPIC_API_KEY" ] && s=true || s=false; echo "{\\"loggedIn\\": $s, \\"authMethod\\": \\"api_key\\"}";;
*) touch "$HOME/asked";;
esac
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home/bin").mkdir(parents=True)
    return tmp_path / "home"


def doctor(workspace: SkillWorkspace, home: Path, key: str = "") -> Finished:
    """With an empty PATH but for the programs in the home."""
    path = f"{home / 'bin'}{os.pathsep}/usr/bin:/bin"
    return workspace.write({}).run("doctor", "claude", environment={"HOME": str(home), "PATH": path, "ANTHROPIC_API_KEY": key})


def test_where_it_is_not_installed_the_command_that_installs_it_is_told(skill_workspace: SkillWorkspace, home: Path) -> None:
    ended = doctor(skill_workspace, home)
    assert (ended.status, "claude: not ready" in ended.stdout) == (3, True)
    assert "next: npm install --global @anthropic-ai/claude-code" in ended.stdout


def test_without_a_login_it_is_not_ready_and_no_model_is_asked(skill_workspace: SkillWorkspace, home: Path) -> None:
    (home / "bin/claude").write_text(PROGRAM)
    (home / "bin/claude").chmod(0o755)
    ended = doctor(skill_workspace, home)
    assert (ended.status, "claude 2.1.197: not ready" in ended.stdout) == (3, True)
    assert "next: claude auth login" in ended.stdout
    ended = doctor(skill_workspace, home, "a-key")
    assert (ended.status, "claude 2.1.197: ready" in ended.stdout, "login: api_key" in ended.stdout) == (0, True, True)
    assert "a-key" not in ended.stdout
    assert not (home / "asked").exists()
