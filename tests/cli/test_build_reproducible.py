"""The lock is a function of tree and evidence: who builds, where, and in which order changes no byte of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.property.kitchen import BREW, kitchen
from tests.property.workspace import Workspace

LATTE = BREW[1]["prompt"]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture
def cloned(built: Workspace, tmp_path: Path) -> Workspace:
    """A fresh clone of a repository whose locks are committed, without a store."""
    git(built.root, "init")
    git(built.root, "add", "-A")
    git(built.root, "commit", "-m", "skills and their locks")
    git(tmp_path, "clone", str(built.root), "clone")
    clone = Workspace(tmp_path / "clone", tmp_path / "ledger of the clone")
    assert not (clone.root / ".selftune").exists()
    assert len(clone.locks()) == 2
    return clone


def test_a_deleted_lock_comes_back_byte_for_byte_without_a_call(built: Workspace) -> None:
    before = built.locks()
    for name in before:
        built.lock_path(name).unlink()
    assert built.build().calls == []
    assert built.locks() == before


def test_a_deleted_lock_and_a_deleted_store_give_the_same_bytes_again(built: Workspace) -> None:
    before = built.locks()
    for name in before:
        built.lock_path(name).unlink()
    built.remove_store()
    assert len(built.build().calls) == 8
    assert built.locks() == before


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
        {"TZ": "Pacific/Kiritimati"},
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4711"},
        {"HOME": "/nonexistent"},
        {"PYTHONUTF8": "0", "LC_ALL": "POSIX"},
        {"USER": "somebody", "LOGNAME": "somebody", "HOSTNAME": "elsewhere"},
    ],
    ids=lambda environment: " ".join(f"{name}={value}" for name, value in environment.items()),
)
def test_another_environment_writes_the_same_bytes(environment: dict[str, str], built: Workspace, tmp_path: Path) -> None:
    other = kitchen(tmp_path / "another folder" / "wörkspace", tmp_path / "other ledger")
    assert len(other.build(environment=environment).calls) == 8
    assert other.locks() == built.locks()


@pytest.mark.parametrize("jobs", ["1", "8"])
def test_another_number_of_jobs_writes_the_same_bytes(jobs: str, fresh: Workspace, built_kitchen: Path) -> None:
    assert len(fresh.build("-j", jobs).calls) == 8
    assert fresh.locks() == Workspace(built_kitchen / "workspace", built_kitchen / "ledger").locks()


def test_another_umask_writes_the_same_bytes(built: Workspace, tmp_path: Path) -> None:
    with umask(0o077):
        other = kitchen(tmp_path / "private", tmp_path / "other ledger")
        other.build()
    assert other.locks() == built.locks()


def test_a_store_elsewhere_writes_the_same_bytes_and_leaves_no_store_here(
    fresh: Workspace, built_kitchen: Path, tmp_path: Path
) -> None:
    elsewhere = {"SELFTUNE_STORE": str(tmp_path / "elsewhere")}
    fresh.build(environment=elsewhere)
    assert fresh.locks() == Workspace(built_kitchen / "workspace", built_kitchen / "ledger").locks()
    assert not (fresh.root / ".selftune").exists()
    assert fresh.build(environment=elsewhere).calls == []


def test_three_samples_in_any_number_of_jobs_write_the_same_bytes(tmp_path: Path) -> None:
    locks = []
    for jobs in ("1", "8"):
        sampled = kitchen(tmp_path / jobs, tmp_path / f"ledger {jobs}", deterministic=False)
        assert len(sampled.build("-j", jobs).calls) == 24
        locks.append(sampled.locks())
    assert locks[0] == locks[1]


def test_packages_built_one_at_a_time_have_the_locks_of_a_build_of_all(fresh: Workspace, built_kitchen: Path) -> None:
    fresh.build("brew")
    fresh.build("bake")
    assert fresh.locks() == Workspace(built_kitchen / "workspace", built_kitchen / "ledger").locks()


def test_stages_built_one_at_a_time_have_the_locks_of_a_build_of_all(fresh: Workspace, built_kitchen: Path) -> None:
    for stage in ("replay", "baseline", "verify"):
        last = fresh.build(stage)
    assert last.calls == []
    assert fresh.locks() == Workspace(built_kitchen / "workspace", built_kitchen / "ledger").locks()


def test_a_fresh_clone_keeps_every_row_byte_for_byte_without_a_call(cloned: Workspace) -> None:
    before = cloned.locks()
    first = cloned.build()
    assert first.calls == []
    assert first.status == 0
    assert set(first.states.values()) == {"up-to-date"}
    assert cloned.locks() == before


def test_a_fresh_clone_asks_only_what_its_edit_made_stale(cloned: Workspace) -> None:
    before = cloned.rows("brew")
    cloned.write("brew/references/milk.md", "Froth the milk.\n")
    assert cloned.build().prompts == [LATTE]
    after = cloned.rows("brew")
    assert {(case, arm) for case in after for arm in after[case] if after[case][arm] != before[case][arm]} == {
        ("latte", "with_skill")
    }


def test_a_fresh_clone_that_changes_a_check_samples_that_case_anew_and_no_other(cloned: Workspace) -> None:
    cloned.edit("brew/evals/evals.yaml", "Steam", "Whisk")
    assert cloned.build().prompts == [LATTE, LATTE]


def test_a_worktree_of_the_same_repository_finds_what_the_main_one_paid_for(built: Workspace, tmp_path: Path) -> None:
    git(built.root, "init")
    git(built.root, "add", "-A", ":!*/selftune.lock")
    git(built.root, "commit", "-m", "skills without locks")
    git(built.root, "worktree", "add", str(tmp_path / "second"))
    second = Workspace(tmp_path / "second", tmp_path / "second ledger")
    assert second.build().calls == []
    assert second.locks() == built.locks()
    assert not (second.root / ".selftune").exists()


def test_a_moved_workspace_finds_its_store_and_has_nothing_to_do(built: Workspace, tmp_path: Path) -> None:
    before = built.locks()
    shutil.move(built.root, tmp_path / "moved")
    moved = Workspace(tmp_path / "moved", tmp_path / "ledger")
    again = moved.build()
    assert again.calls == []
    assert set(again.states.values()) == {"up-to-date"}
    assert moved.locks() == before
