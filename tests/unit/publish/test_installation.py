"""An installation whose files cannot be read is an error of the machine with its place, not a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selftune_build.errors import SelftuneError, UsageError
from selftune_build.publish.archive import SUFFIX, ArchivedFile, pack
from selftune_build.publish.installation import Version, install, read_receipt, rollback
from selftune_build.publish.places import place_of
from selftune_build.publish.statement import sha256


def put(folder: Path, text: str) -> str:
    """Install a version; the digest of its archive."""
    archive = pack("brew", [ArchivedFile("SKILL.md", text.encode())])
    install(folder, archive, Version(sha256(archive), "tree", "lock", "2026-01-01"), force=True)
    return sha256(archive)


def _archive(folder: Path, digest: str) -> Path:
    return folder / ".selftune" / "archives" / f"{digest}{SUFFIX}"


def _receipt(folder: Path, _digest: str) -> Path:
    return folder / ".selftune" / "receipts" / "brew.json"


def _skill(folder: Path, _digest: str) -> Path:
    return folder / "brew" / "SKILL.md"


@pytest.mark.parametrize("unreadable", [_archive, _receipt, _skill])
def test_what_cannot_be_read_is_named(
    tmp_path: Path, unreadable: Callable[[Path, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = unreadable(tmp_path, put(tmp_path, "one"))
    whole = os.open

    def refused(this: str | Path, *flags: Any, **more: Any) -> int:
        if Path(this) == path:
            raise PermissionError(13, "Permission denied")
        return whole(this, *flags, **more)

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(SelftuneError, match=r"Permission denied|cannot be read"):
        put(tmp_path, "two" if unreadable is not _archive else "one")


def _other_archive(folder: Path, _digest: str) -> Path:
    archive = pack("brew", [ArchivedFile("SKILL.md", b"two")])
    return _archive(folder, sha256(archive))


@pytest.mark.parametrize("place", [_archive, _receipt, _skill, _other_archive])
@pytest.mark.parametrize("kind", ["pipe", "device", "elsewhere"])
def test_a_file_that_makes_a_reader_wait_or_leads_elsewhere_is_neither_read_nor_written_through(
    tmp_path: Path, place: Callable[[Path, str], Path], kind: str
) -> None:
    folder, outside = tmp_path / "skills", tmp_path / "outside"
    outside.write_text("mine")
    path = place(folder, put(folder, "one"))
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else outside)
    archive = pack("brew", [ArchivedFile("SKILL.md", b"two")])
    with pytest.raises(SelftuneError):
        install(folder, archive, Version(sha256(archive), "tree", "lock", "2026-01-01"))
    assert outside.read_text() == "mine"


KILLED = """
import os, sys
from pathlib import Path
from selftune_build.publish.installation import rollback
left = [int(sys.argv[2])]
def audit(event, arguments):
    if event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "open", "ctypes.call_function"):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), 9)
sys.addaudithook(audit)
rollback(Path(sys.argv[1]), "brew")
"""


def test_a_rollback_that_is_killed_leaves_one_of_the_two_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    for stop in range(0, 100, 3):
        folder = tmp_path / str(stop)
        put(folder, "one")
        put(folder, "two")
        done = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(stop)], check=False)
        if (folder / "brew/SKILL.md").read_text() == "two":
            rollback(folder, "brew")
        else:
            put(folder, "one")
        assert (folder / "brew/SKILL.md").read_text() == "one"
        assert read_receipt(folder, "brew").pending is None
        assert sorted(path.name for path in (folder / ".selftune").iterdir()) == ["archives", "receipts"]
        if done.returncode == 0:
            break
        assert done.returncode == -9
    assert stop > 20


def test_a_project_does_not_choose_a_place_outside_of_it(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    for each in (project, outside):
        each.mkdir()
    assert place_of("claude", project, user=False) == project / ".claude/skills"
    (project / ".agents").mkdir()
    (project / ".claude").symlink_to(".agents")
    assert place_of("claude", project, user=False) == project / ".claude/skills"
    (project / ".gemini").symlink_to(outside)
    with pytest.raises(UsageError, match="leads out of the project"):
        place_of("gemini", project, user=False)
