"""A real repository, made by git."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.repository import committed, git


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository of three commits on `main`, a branch `topic` that left after the second, and an annotated tag on the first."""
    folder = tmp_path / "clone"
    (folder / "skills/pdf/references").mkdir(parents=True)
    (folder / "skills/pdf/SKILL.md").write_text("one\n")
    (folder / "skills/pdf/references/a.md").write_text("a\n")
    (folder / "README.md").write_text("read me\n")
    committed(folder, "first")
    git(folder, "tag", "-a", "v1", "-m", "version one")
    (folder / "skills/pdf/SKILL.md").write_text("two\n")
    committed(folder, "second")
    git(folder, "checkout", "-qb", "topic/deep")
    (folder / "skills/pdf/references/b.md").write_text("b\n")
    committed(folder, "on the branch")
    git(folder, "checkout", "-q", "main")
    (folder / "README.md").write_text("read me first\n")
    committed(folder, "third")
    return folder
