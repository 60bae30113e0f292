"""An installation whose files cannot be read is an error of the machine with its place, not a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from selftune_build.errors import StoreError
from selftune_build.publish.archive import SUFFIX, ArchivedFile, pack
from selftune_build.publish.installation import Version, install
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
    whole = Path.read_bytes

    def refused(this: Path) -> bytes:
        if this == path:
            raise PermissionError(13, "Permission denied")
        return whole(this)

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(StoreError, match="Permission denied"):
        put(tmp_path, "two" if unreadable is not _archive else "one")
