"""Overlays: a tree that is read with files laid over it is the tree that these files would make."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random

import pytest

from selftune_build.fingerprint.disk import DISK, Disk, Laid
from selftune_build.fingerprint.tree import Tree, scan

PATHS = ("a.md", "b/c.md", "b/d/e.md", "f/g.md", "new/h.md", "new/i/j.md", "B.md", "bin/run")


def laid_out(root: Path, chance: Random) -> None:
    """Some files, and links to files and folders that are there or not."""
    for path in PATHS:
        if chance.random() < 0.6:
            write(root / path, Laid(path.encode(), chance.random() < 0.3))
    for name, target in (
        ("to-file", "b/c.md"),
        ("to-folder", "b"),
        ("to-new", "new"),
        ("to-nothing", "nowhere"),
        ("f/up", "../b/d"),
    ):
        if chance.random() < 0.5:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(target)


def write(path: Path, laid: Laid) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(laid.content)
    path.chmod(0o755 if laid.executable else 0o644)


def overlay(root: Path, chance: Random) -> dict[str, Laid | None]:
    """Some of the files otherwise, by their path in the package; a file that is changed keeps its mode."""
    made: dict[str, Laid | None] = {}
    for path in PATHS:
        there = (root / path).is_file()
        if chance.random() < 0.5:
            executable = os.access(root / path, os.X_OK) if there else chance.random() < 0.3
            made[path] = None if there and chance.random() < 0.4 else Laid(b"other " + path.encode(), executable)
    return made


def apply(root: Path, made: dict[str, Laid | None]) -> None:
    """Write them, and leave no empty folder, as git does."""
    for path, laid in made.items():
        if laid is not None:
            write(root / path, laid)
            continue
        (root / path).unlink()
        folder = (root / path).parent
        while folder != root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def scanned(root: Path, disk: Disk = DISK) -> Tree:
    return scan(root, ["f/up/**", "bin/*", "nothing/*"], root, disk=disk)


@pytest.mark.parametrize("seed", range(60))
def test_a_tree_with_an_overlay_is_the_tree_that_it_makes(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    root = tmp_path / "package"
    root.mkdir()
    laid_out(root, chance)
    made = overlay(root, chance)
    disk = Disk({str(root / path): laid for path, laid in made.items()})
    before = scanned(root)
    laid_over = scanned(root, disk)
    held = disk.contents(root, [file.path for file in laid_over.files])
    assert scanned(root) == before
    apply(root, made)
    assert laid_over == scanned(root)
    wanted = {file.path: (root / file.path).read_bytes() for file in laid_over.files}
    assert held == {path: content for path, content in wanted.items() if content.startswith(b"other ")}
    shutil.rmtree(root)


def test_a_file_that_was_taken_away_cannot_be_read_and_others_lie_as_they_are(tmp_path: Path) -> None:
    root = tmp_path / "package"
    write(root / "a.md", Laid(b"a"))
    (root / "link").symlink_to("a.md")
    disk = Disk({str(root / "a.md"): None})
    for name in ("a.md", "link"):
        with pytest.raises(FileNotFoundError):
            disk.laid(root / name)
    assert disk.laid(root / "other") is None
    with pytest.raises(FileNotFoundError):
        disk.followed(str(root / "link"))
