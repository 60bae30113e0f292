"""A repository with one skill package in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.fingerprint.folders import write


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder that is a git repository as far as links are concerned."""
    (tmp_path / ".git").mkdir()
    write(tmp_path / "skills/pdf/SKILL.md", b"---\nname: pdf\n---\n")
    return tmp_path


@pytest.fixture
def package(repository: Path) -> Path:
    """The skill folder in it."""
    return repository / "skills/pdf"
