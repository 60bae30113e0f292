"""Packages that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selftune_build.engine import package_files
from selftune_build.engine.load import load_universe
from selftune_build.model.manifest import Manifest


def skills(root: Path) -> None:
    """A workspace of two skills."""
    (root / "selftune.yaml").write_text('version: 1\nworkspace: {members: ["*"]}\n')
    for name in ("bake", "brew"):
        (root / name).mkdir()
        (root / name / "SKILL.md").write_text(f"---\nname: {name}\ndescription: Does it.\n---\nDo it.\n")


def test_a_skill_that_went_since_it_was_found_breaks_its_package_and_no_other(tmp_path: Path) -> None:
    skills(tmp_path)

    def removing(member: str, manifest: Manifest) -> Manifest:
        if member == "brew":
            (tmp_path / "brew" / "SKILL.md").unlink()
        return manifest

    universe = load_universe(tmp_path, standards=removing)
    assert [package.name for package in universe.packages] == ["bake"]
    (broken,) = universe.broken
    assert (broken.path, str(broken.error.at)) == ("brew", "brew/SKILL.md")
    assert broken.error.message == "the file cannot be read: No such file or directory"


def test_so_does_one_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skills(tmp_path)
    whole = package_files._bounded

    def refused(path: Path, limit: int, shown: str, *more: Any) -> bytes:
        if shown == "brew/SKILL.md":
            raise PermissionError(13, "Permission denied")
        return whole(path, limit, shown, *more)

    monkeypatch.setattr(package_files, "_bounded", refused)
    universe = load_universe(tmp_path)
    assert [package.name for package in universe.packages] == ["bake"]
    assert [each.error.message for each in universe.broken] == ["the file cannot be read: Permission denied"]
