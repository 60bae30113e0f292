"""Finding the one store that all worktrees of a repository share."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from selftune_build.errors import StoreError
from selftune_build.store.location import find_store, open_store


def git(folder: Path, *arguments: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "main"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def test_the_environment_names_the_store(tmp_path: Path) -> None:
    assert find_store(tmp_path, {"SELFTUNE_STORE": "/elsewhere/store"}) == Path("/elsewhere/store")


def test_a_relative_name_in_the_environment_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_store(Path("/w"), {"SELFTUNE_STORE": "shared"}) == tmp_path / "shared"


def test_an_empty_name_is_no_name(tmp_path: Path) -> None:
    assert find_store(tmp_path, {"SELFTUNE_STORE": ""}) == tmp_path / ".selftune"


def test_outside_a_repository_the_store_is_in_the_workspace(tmp_path: Path) -> None:
    assert find_store(tmp_path, {}) == tmp_path / ".selftune"


def test_inside_a_repository_it_is_at_its_root(repository: Path) -> None:
    (repository / "deep" / "workspace").mkdir(parents=True)
    assert find_store(repository / "deep" / "workspace", {}) == repository / ".selftune"


def test_worktrees_share_the_store_of_the_main_one(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"))
    assert find_store(tmp_path / "other", {}) == repository / ".selftune"


def test_a_worktree_of_a_bare_repository_keeps_its_own(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(tmp_path / "bare.git"))
    git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "linked"), "main")
    assert find_store(tmp_path / "linked", {}) == tmp_path / "linked" / ".selftune"


def test_a_submodule_is_a_repository_of_its_own(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(repository), str(tmp_path / "super"))
    git(tmp_path / "super", "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "part")
    assert find_store(tmp_path / "super" / "part", {}) == tmp_path / "super" / "part" / ".selftune"


def test_a_pointer_that_is_not_answered_leads_nowhere_else(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"))
    forged = tmp_path / "forged"
    forged.mkdir()
    (forged / ".git").write_bytes((tmp_path / "other" / ".git").read_bytes())
    assert find_store(forged, {}) == forged / ".selftune"


@pytest.mark.parametrize(
    "content", [b"", b"gitdir:", b"gitdir: \0", b"rubbish", b"gitdir: a\nb", b"\xff\xfe", b"gitdir: /nowhere"]
)
def test_a_damaged_pointer_counts_as_a_root(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".git").write_bytes(content)
    assert find_store(tmp_path, {}) == tmp_path / ".selftune"


def test_a_repository_of_somebody_else_above_us_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "workspace").mkdir()
    real = os.lstat

    def lstat(path: str) -> os.stat_result:
        found = list(real(path))
        return os.stat_result([*found[:4], found[4] + 1, *found[5:]]) if str(path).endswith("/.git") else real(path)

    assert find_store(tmp_path / "workspace", {}) == tmp_path / ".selftune"
    monkeypatch.setattr(os, "lstat", lstat)
    assert find_store(tmp_path / "workspace", {}) == tmp_path / "workspace" / ".selftune"


def test_finding_writes_nothing(tmp_path: Path) -> None:
    find_store(tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_opening_makes_a_folder_that_git_and_backups_pass_over(repository: Path) -> None:
    store = open_store(repository, {})
    assert (store / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert (store / "CACHEDIR.TAG").read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")
    status = subprocess.run(["git", "status", "--porcelain"], cwd=repository, check=True, capture_output=True)
    assert status.stdout == b""


def test_opening_again_leaves_the_marks_as_they_are(tmp_path: Path) -> None:
    store = open_store(tmp_path, {})
    (store / ".gitignore").write_text("*\n# mine\n", encoding="utf-8")
    assert open_store(tmp_path, {}) == store
    assert (store / ".gitignore").read_text(encoding="utf-8") == "*\n# mine\n"


def test_a_checkout_cannot_choose_the_store_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / ".selftune").symlink_to(tmp_path / "victim")
    with pytest.raises(StoreError, match="symbolic link"):
        open_store(tmp_path / "checkout", {})
    assert list((tmp_path / "victim").iterdir()) == []


def test_a_place_that_cannot_be_a_folder_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path, {"SELFTUNE_STORE": str(tmp_path / "file" / "store")})
    assert caught.value.exit_status == 4
