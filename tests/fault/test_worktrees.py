"""Worktrees of one repository, made by git: they share a store, and nothing is paid for twice, by the agent's own ledger."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.repository import committed, git
from tests.fault.workspace import Workspace, ended


class Repository:
    """The repository of one package, and a second worktree of it."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder)
        self.main, self.other = self.workspace.root, folder / "other"
        committed(self.main)
        git(self.main, "worktree", "add", "-q", str(self.other))

    def start(self, worktree: Path) -> subprocess.Popen[str]:
        """A build in one of the worktrees; nothing tells it where the store is."""
        environment = self.workspace.environment()
        del environment["SELFTUNE_STORE"]
        argv = [sys.executable, "-m", "selftune_build", "build", "-C", str(worktree), "-y", "-j", "4"]
        return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def build_both(self) -> None:
        """Two commands at the same time, one in each worktree."""
        for process in [self.start(self.main), self.start(self.other)]:
            ended(process)

    def locks(self) -> set[bytes]:
        return {(worktree / "selftune.lock").read_bytes() for worktree in (self.main, self.other)}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_two_commands_in_two_worktrees_pay_each_sample_once_and_write_one_lock(repository: Repository) -> None:
    repository.workspace.behave({"mode": "slow", "seconds": 0.2})
    repository.build_both()
    assert set(repository.workspace.calls().values()) == {1}
    assert len(repository.workspace.calls()) == repository.workspace.needed
    assert len(repository.locks()) == 1
    assert not (repository.other / ".selftune").exists()


def test_an_edit_in_one_worktree_is_paid_for_there_and_free_in_the_other_and_so_is_the_way_back(repository: Repository) -> None:
    repository.build_both()
    paid = len(repository.workspace.ledger())
    soil = repository.other / "references/soil.md"
    before = soil.read_text()
    soil.write_text("Sand.\n")
    repository.build_both()
    assert len(repository.locks()) == 2
    edited = len(repository.workspace.ledger())
    assert edited > paid
    (repository.main / "references/soil.md").write_text("Sand.\n")
    soil.write_text(before)
    repository.build_both()
    assert len(repository.locks()) == 2
    assert len(repository.workspace.ledger()) == edited
    assert set(repository.workspace.calls().values()) == {1}
