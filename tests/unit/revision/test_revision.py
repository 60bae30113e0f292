"""Commits read as git itself reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from selftune_build.errors import SelftuneError, UndecidedError, UsageError
from selftune_build.revision.revision import list_at, merge_base, open_revision, read_at
from tests.cli.repository import committed, git

NAMES = ["HEAD", "@", "main", "topic/deep", "heads/topic/deep", "refs/heads/main", "v1", "tags/v1", "HEAD~1", "main~2", "v1^{}",
         "topic/deep~1", "HEAD^", "HEAD^0", "HEAD~1^", "topic/deep^1~1", "v1^{commit}"]  # fmt: skip


@pytest.fixture(params=["loose", "packed", "worktree", "borrowed", "sha256"])
def kept(request: pytest.FixtureRequest, clone: Path, tmp_path: Path) -> Path:
    """The same history in the ways that git keeps it."""
    if request.param == "packed":
        for name in range(40):  # enough alike that git makes deltas of them
            (clone / "long.md").write_text("".join(f"line {line} {line * 7919}\n" for line in range(400)) + f"end {name}\n")
            committed(clone, f"long {name}")
        git(clone, "gc", "-q", "--aggressive")
        assert list((clone / ".git/objects/pack").glob("*.pack"))
        assert (clone / ".git/packed-refs").exists()
    if request.param == "worktree":
        git(clone, "worktree", "add", "-q", str(tmp_path / "linked"), "topic/deep")
        return tmp_path / "linked"
    if request.param == "borrowed":
        git(tmp_path, "clone", "-q", "--shared", str(clone), str(tmp_path / "shared"))
        git(tmp_path / "shared", "branch", "topic/deep", "origin/topic/deep")
        return tmp_path / "shared"
    if request.param == "sha256":
        other = tmp_path / "sha256"
        git(tmp_path, "init", "-q", "--object-format=sha256", str(other))
        (other / "skills/pdf").mkdir(parents=True)
        for text in ("one\n", "two\n", "three\n"):
            (other / "skills/pdf/SKILL.md").write_text(text)
            last = committed(other, text)
        git(other, "tag", "-a", "v1", "-m", "one", "HEAD~2")
        git(other, "branch", "topic/deep", last)
        return other
    return clone


@pytest.mark.parametrize("name", NAMES)
def test_a_name_means_the_commit_that_git_means(kept: Path, name: str) -> None:
    assert open_revision(kept, name).commit == git(kept, "rev-parse", f"{name}^{{commit}}")


def test_a_tag_is_not_taken_for_the_branch_of_its_name(clone: Path) -> None:
    """Whoever may push a tag may not choose the policy by that; git would take the tag."""
    git(clone, "update-ref", "refs/remotes/origin/main", "HEAD~1")
    git(clone, "tag", "origin/main", "HEAD~1")
    assert open_revision(clone, "origin/main").commit == git(clone, "rev-parse", "HEAD~1")
    git(clone, "tag", "-f", "origin/main", "HEAD")
    with pytest.raises(UsageError, match="both refs/tags/origin/main and refs/remotes/origin/main") as told:
        open_revision(clone, "origin/main")
    assert told.value.hint == "write out which of them: refs/remotes/origin/main"
    assert open_revision(clone, "refs/remotes/origin/main").commit == git(clone, "rev-parse", "HEAD~1")


def test_a_branch_that_is_called_like_a_commit_is_not_taken_for_it(clone: Path) -> None:
    commit = git(clone, "rev-parse", "HEAD~1")
    git(clone, "update-ref", f"refs/heads/{commit}", "HEAD")
    assert open_revision(clone, commit).commit == commit


def test_digits_mean_the_commit_that_begins_with_them(kept: Path) -> None:
    commit = git(kept, "rev-parse", "HEAD~1")
    short = git(kept, "rev-parse", "--short", "HEAD~1")
    assert {open_revision(kept, digits).commit for digits in (commit, short, commit[:15], commit.upper())} == {commit}


def test_files_and_their_bytes_are_those_of_git(kept: Path) -> None:
    for name in ("HEAD", "v1", "topic/deep"):
        there = git(kept, "ls-tree", "-r", "--name-only", name).splitlines()
        assert list_at(kept, name) == sorted(there)
        for path in there:
            assert read_at(kept, name, path) == (git(kept, "show", f"{name}:{path}") + "\n").encode()


def test_the_commit_where_two_branches_parted_is_that_of_git(kept: Path) -> None:
    for one, other in (("HEAD", "topic/deep"), ("topic/deep", "HEAD"), ("v1", "HEAD"), ("HEAD", "HEAD")):
        assert merge_base(kept, one, other) == git(kept, "merge-base", one, other)


def test_paths_are_those_of_the_folder_that_is_asked_about(clone: Path) -> None:
    folder = clone / "skills"
    assert list_at(folder, "main") == ["pdf/SKILL.md", "pdf/references/a.md"]
    assert list_at(folder, "main", "pdf/references") == ["pdf/references/a.md"]
    assert list_at(folder, "main", "nowhere") == []
    assert read_at(folder, "main", "pdf/SKILL.md") == b"two\n"
    assert read_at(folder, "main", "pdf/SKILL.md", limit=1) == b"tw"
    for nothing in ("README.md", "pdf", "../README.md", "pdf/SKILL.md/x", ""):
        assert read_at(folder, "main", nothing) is None


def test_links_and_folders_are_no_files(clone: Path) -> None:
    (clone / "link").symlink_to("README.md")
    commit = committed(clone)
    assert read_at(clone, commit, "link") is None
    assert "link" in list_at(clone, commit)


def test_what_the_working_tree_has_otherwise_is_told_path_by_path(clone: Path) -> None:
    (clone / "link").symlink_to("README.md")
    (clone / "tool.py").write_text("pass\n")
    committed(clone)
    base = open_revision(clone, "HEAD")
    paths = [*base.files(), "new.md"]
    assert base.changed(paths) == []
    (clone / "new.md").write_text("new\n")
    (clone / "README.md").unlink()
    (clone / "tool.py").chmod(0o755)
    (clone / "link").unlink()
    (clone / "link").symlink_to("skills")
    (clone / "skills/pdf/references/a.md").write_text("b\n")
    assert base.changed(paths) == ["README.md", "link", "skills/pdf/references/a.md", "tool.py", "new.md"]
    (clone / "tool.py").chmod(0o644)
    (clone / "skills/pdf/references/a.md").write_text("a\n")
    assert base.changed(paths) == ["README.md", "link", "new.md"]


def test_a_file_that_became_a_link_or_a_folder_has_changed(clone: Path) -> None:
    base = open_revision(clone, "HEAD")
    (clone / "README.md").unlink()
    (clone / "README.md").symlink_to("/dev/zero")
    assert base.changed(["README.md"]) == ["README.md"]
    (clone / "README.md").unlink()
    os.mkfifo(clone / "README.md")
    assert base.changed(["README.md"]) == ["README.md"]


# What cannot be told


@pytest.mark.parametrize("name", ["", " ", "-x", "main..topic", "a b", "main:README.md", "../../etc", "HEAD~99999999999",
                                  "x" * 999, "main@{1}", "\x1b[2J", "refs/../x", "a//b", ".git", "HEAD^^^{tree}"])  # fmt: skip
def test_what_is_no_name_of_a_commit_is_a_mistake_of_usage(clone: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_revision(clone, name)
    assert caught.value.message.isprintable()


def test_a_name_that_nobody_has_is_a_mistake_of_usage(clone: Path) -> None:
    for name in ("mian", "0" * 12, "deadbeef"):
        with pytest.raises(UsageError, match="there is no revision"):
            open_revision(clone, name)
    with pytest.raises(UsageError, match="is no commit"):
        open_revision(clone, git(clone, "rev-parse", "HEAD:README.md"))
    with pytest.raises(UsageError, match="has 0 parents"):
        open_revision(clone, "HEAD~9")


def fix(caught: pytest.ExceptionInfo[SelftuneError]) -> str:
    """The command that an error proposes; it has to be undecided, not wrong."""
    assert (type(caught.value), caught.value.exit_status, caught.value.code) == (UndecidedError, 3, "history-missing")
    assert caught.value.hint is not None
    return caught.value.hint


def test_history_that_a_shallow_clone_left_out_is_undecided_and_the_command_brings_it(clone: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", "--single-branch", "--branch=topic/deep", clone.as_uri(), str(shallow))
    whole = git(clone, "rev-parse", "HEAD")
    for name, command in (
        ("origin/main", "git fetch origin +refs/heads/main:refs/remotes/origin/main"),
        (whole, f"git fetch origin {whole}"),
        ("v1", "git fetch --unshallow origin"),
        ("HEAD~1", "git fetch --unshallow origin"),
    ):
        with pytest.raises(UndecidedError) as caught:
            open_revision(shallow, name)
        assert fix(caught) == command
    git(shallow, "fetch", "-q", "--depth=1", "origin", "+refs/heads/main:refs/remotes/origin/main")
    assert read_at(shallow, "origin/main", "README.md") == b"read me first\n"
    with pytest.raises(UndecidedError) as caught:
        merge_base(shallow, "origin/main")
    git(shallow, *fix(caught).split()[1:], "-q")
    git(shallow, "fetch", "-q", "origin", "+refs/heads/main:refs/remotes/origin/main")
    assert merge_base(shallow, "origin/main") == git(clone, "merge-base", "main", "topic/deep")


def test_a_file_that_a_partial_clone_left_out_is_undecided(clone: Path, tmp_path: Path) -> None:
    git(clone, "config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", clone.as_uri(), str(partial))
    assert "README.md" in list_at(partial, "HEAD")
    with pytest.raises(UndecidedError) as caught:
        read_at(partial, "HEAD", "README.md")
    assert fix(caught).startswith("git fetch")


def test_a_folder_of_no_repository_is_undecided(tmp_path: Path) -> None:
    with pytest.raises(UndecidedError, match="is in no git repository"):
        open_revision(tmp_path, "HEAD")


def test_a_submodule_is_a_repository_of_its_own(clone: Path, tmp_path: Path) -> None:
    around = tmp_path / "around"
    around.mkdir()
    committed(around)
    git(around, "submodule", "--quiet", "add", str(clone), "inner")
    assert open_revision(around / "inner/skills", "HEAD").commit == git(clone, "rev-parse", "HEAD")
    commit = committed(around)
    assert open_revision(around, "HEAD").commit == commit
    assert list_at(around, "HEAD") == [".gitmodules", "inner"]


def test_unrelated_histories_have_nothing_in_common(clone: Path) -> None:
    git(clone, "checkout", "-q", "--orphan", "alone")
    committed(clone, "alone")
    with pytest.raises(UndecidedError, match="no commit in common"):
        merge_base(clone, "main")
