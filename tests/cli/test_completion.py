"""Completion, as a shell asks for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.property.workspace import Workspace


def asked(workspace: Workspace, *words: str) -> list[str]:
    """What would complete the last word, by the protocol of the script for bash."""
    variables = {"_SELFTUNE_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    status, stdout, _ = workspace.selftune(environment={**workspace.environment, **variables})
    assert status == 0
    return [line.partition(",")[2] for line in stdout.splitlines()]


def test_commands_options_stages_and_packages_are_completed(built: Workspace) -> None:
    there = ("-C", str(built.root))
    assert asked(built, "selftune", "sta") == ["status"]
    assert asked(built, "selftune", "build", "--lock") == ["--locked"]
    assert asked(built, "selftune", "build", *there, "b") == ["baseline", "bake", "brew"]
    assert asked(built, "selftune", "explain", *there, "brew:re") == ["brew:replay"]
    assert asked(built, "selftune", "eval", "gen") == ["generate"]


def test_a_folder_that_is_no_workspace_completes_stages_and_breaks_nothing(built: Workspace, tmp_path: Path) -> None:
    (tmp_path / "selftune.yaml").write_text("version: [")
    assert asked(built, "selftune", "build", "-C", str(tmp_path), "ver") == ["verify"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(built: Workspace, shell: str) -> None:
    status, script, _ = built.selftune("completion", shell)
    assert status == 0
    assert f"_SELFTUNE_COMPLETE={shell}_complete" in script


def test_bash_takes_the_script_and_completes_by_it(built: Workspace, tmp_path: Path) -> None:
    _, script, _ = built.selftune("completion", "bash")
    (tmp_path / "selftune").write_text('#!/bin/sh\nexec "' + sys.executable + '" -m selftune_build "$@"\n')
    (tmp_path / "selftune").chmod(0o755)
    ask = "COMP_WORDS=(selftune stat); COMP_CWORD=1; _selftune_completion selftune; echo ${COMPREPLY[@]}"
    environment = {**built.environment, "PATH": f"{tmp_path}:{built.environment['PATH']}"}
    done = subprocess.run(["bash", "-c", f"{script}\n{ask}"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "status\n"
