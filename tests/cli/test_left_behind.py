"""Files that count and that git does not take along."""

from __future__ import annotations

import pytest

from tests.cli.repository import committed, git
from tests.property.workspace import Workspace


@pytest.fixture
def kept(built: Workspace) -> Workspace:
    """The kitchen in a repository that ignores drafts, in general and in a folder."""
    built.write(".gitignore", "*.draft\n")
    built.write("brew/references/.gitignore", "secret.md\n")
    committed(built.root)
    return built


def told(workspace: Workspace) -> list[tuple[str, str, str]]:
    """Code, severity and message of what is said of git after a build."""
    findings = workspace.build("brew").package("brew")["findings"]
    return [
        (each["code"], each["severity"], each["message"])
        for each in findings
        if each["code"] in ("ignored-file", "untracked-file")
    ]


def message(what: str, names: str) -> str:
    return f"{what} {names}, and the lock counts on it: CI will not have that"


def test_a_file_that_git_ignores_is_a_warning_when_the_lock_is_written(kept: Workspace) -> None:
    kept.write("brew/a.draft", "x\n")
    kept.write("brew/references/secret.md", "x\n")
    kept.write("brew/references/new.md", "x\n")
    assert told(kept) == [
        ("ignored-file", "warning", message("git ignores", "a.draft, references/secret.md")),
        ("untracked-file", "note", message("git does not track yet", "references/new.md")),
    ]
    assert told(kept) == []  # nothing is written, nothing is looked at


def test_what_is_added_is_no_finding(kept: Workspace) -> None:
    kept.write("brew/a.draft", "x\n")
    kept.write("brew/references/new.md", "x\n")
    git(kept.root, "add", "-f", "brew")
    assert told(kept) == []


def test_a_lock_that_git_ignores_is_told(kept: Workspace) -> None:
    git(kept.root, "rm", "-q", "--cached", "brew/selftune.lock")
    kept.write(".git/info/exclude", "selftune.lock\n")
    kept.write("brew/new.md", "x\n")
    git(kept.root, "add", "brew/new.md")
    assert told(kept) == [("ignored-file", "warning", message("git ignores", "selftune.lock"))]


def test_a_folder_that_git_ignores_is_ignored_whole(kept: Workspace) -> None:
    kept.write(".gitignore", "out/\n")
    kept.write("brew/out/a.md", "x\n")
    assert told(kept)[0] == ("ignored-file", "warning", message("git ignores", "out/a.md"))


def test_a_worktree_has_an_index_of_its_own(kept: Workspace) -> None:
    other = kept.root.parent / "other"
    git(kept.root, "worktree", "add", "-q", str(other))
    linked = Workspace(other, kept.ledger)
    linked.write("brew/new.md", "x\n")
    assert told(linked) == [("untracked-file", "note", message("git does not track yet", "new.md"))]


def test_without_a_repository_or_with_a_broken_one_nothing_is_told(built: Workspace) -> None:
    built.write("brew/new.md", "x\n")
    assert told(built) == []
    committed(built.root)
    built.write(".git/index", "rubbish")
    built.write("brew/newer.md", "x\n")
    assert told(built) == []
