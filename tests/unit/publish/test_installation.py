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


def _version(text: str) -> tuple[bytes, Version]:
    archive = pack("brew", [ArchivedFile("SKILL.md", text.encode())])
    return archive, Version(sha256(archive), "tree", "lock", "2026-01-01")


def test_force_over_an_edited_installation_keeps_the_edit_and_the_way_back(tmp_path: Path) -> None:
    put(tmp_path, "one")
    for number, text in enumerate(("edited", "edited again"), start=1):
        (tmp_path / "brew/SKILL.md").write_text(text)
        receipt = install(tmp_path, *_version("two"), force=True)
        assert receipt.aside == f".selftune/aside/brew-{number}"
        assert (tmp_path / receipt.aside / "SKILL.md").read_text() == text
        assert (tmp_path / "brew/SKILL.md").read_text() == "two"
    assert rollback(tmp_path, "brew").aside is None
    assert (tmp_path / "brew/SKILL.md").read_text() == "one"


@pytest.mark.parametrize("kind", ["folder", "file", "link that leads nowhere"])
def test_what_nobody_published_is_kept_aside_by_force_and_rollback_says_where(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "brew"
    if kind == "folder":
        place.mkdir()
        (place / "notes.md").write_text("mine")
    elif kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to("nowhere")
    with pytest.raises(UsageError, match="was not installed by"):
        install(tmp_path, *_version("one"))
    assert install(tmp_path, *_version("one"), force=True) == install(tmp_path, *_version("one"))
    kept = tmp_path / ".selftune/aside/brew-1"
    with pytest.raises(UsageError) as refused:
        rollback(tmp_path, "brew")
    assert str(kept) in str(refused.value.hint)
    if kind == "folder":
        assert (kept / "notes.md").read_text() == "mine"
    else:
        assert os.readlink(kept) == "nowhere" if kept.is_symlink() else kept.read_text() == "mine"
    assert sorted(path.name for path in (tmp_path / ".selftune").iterdir()) == ["archives", "aside", "receipts"]


FORCED = KILLED.replace("import rollback", "import install").replace(
    'rollback(Path(sys.argv[1]), "brew")',
    """from selftune_build.publish.archive import ArchivedFile, pack
from selftune_build.publish.installation import Version
from selftune_build.publish.statement import sha256
archive = pack("brew", [ArchivedFile("SKILL.md", b"two")])
install(Path(sys.argv[1]), archive, Version(sha256(archive), "tree", "lock", "2026-01-01"), force=True)""",
)


def test_a_forced_installation_that_is_killed_loses_nothing_that_was_there(tmp_path: Path) -> None:
    for stop in range(0, 150, 7):
        folder = tmp_path / str(stop)
        put(folder, "one")
        (folder / "brew/SKILL.md").write_text("edited")
        done = subprocess.run([sys.executable, "-c", FORCED, str(folder), str(stop)], check=False)
        receipt = install(folder, *_version("two"), force=True)
        assert (folder / "brew/SKILL.md").read_text() == "two"
        assert (folder / str(receipt.aside) / "SKILL.md").read_text() == "edited"
        rollback(folder, "brew")
        assert (folder / "brew/SKILL.md").read_text() == "one"
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
