"""Where the store is: one for all worktrees of a repository, found by reading files, never by running git."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from selftune_build.errors import StoreError
from selftune_build.model.location import Location
from selftune_build.store.atomic import store_errors, write_atomic

STORE_VARIABLE = "SELFTUNE_STORE"
STORE_FOLDER = ".selftune"

_POINTER_MAX_BYTES = 8192
_MARKS = {
    ".gitignore": b"*\n",
    # https://bford.info/cachedir/ asks for exactly this first line.
    "CACHEDIR.TAG": b"Signature: 8a477f597d28d172789f06886806bc55\n# Samples of selftune-build: paid for, so keep them.\n",
}


def find_store(workspace_root: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the store of a workspace is or would be; reads only."""
    named = environment.get(STORE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    root = Path(os.path.realpath(workspace_root))
    return (main_worktree(root) or root) / STORE_FOLDER


def open_store(workspace_root: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The store's folder, made where it is missing, with the marks that keep it out of git and of backups. Raises StoreError."""
    folder = find_store(workspace_root, environment)
    if folder.is_symlink() and not environment.get(STORE_VARIABLE):
        hint = f"a checkout must not choose the store: name the folder in ${STORE_VARIABLE}"
        raise StoreError(f"{folder} is a symbolic link", at=Location(str(folder)), hint=hint)
    with store_errors("create the store", folder):
        folder.mkdir(parents=True, exist_ok=True)
        missing = [name for name in _MARKS if not (folder / name).exists()]
    for name in missing:
        write_atomic(folder / name, _MARKS[name], durable=False)
    return folder


def main_worktree(folder: Path) -> Path | None:
    """The root of the main worktree of the repository around `folder`; its own worktree's root where there is no main one.

    A `.git` that belongs to somebody else than the folder or the user is not looked at.
    """
    for candidate in (folder, *folder.parents):
        marker = candidate / ".git"
        if not _trusted(marker, folder):
            continue
        if marker.is_dir():
            return candidate
        return _main_of_linked(marker) or candidate
    return None


def _trusted(marker: Path, folder: Path) -> bool:
    try:
        owner = marker.lstat().st_uid
        return owner in (os.geteuid(), folder.stat().st_uid)
    except OSError:
        return False


def _main_of_linked(marker: Path) -> Path | None:
    """Follow `.git` file → private folder → `commondir`, and only where the private folder points back (gitrepository-layout)."""
    private = _pointed(marker, marker.parent, "gitdir:")
    if private is None:
        return None
    common = _pointed(private / "commondir", private)
    back = _pointed(private / "gitdir", private)
    if common is None or back is None or os.path.realpath(back) != os.path.realpath(marker):
        return None
    common = Path(os.path.realpath(common))
    return common.parent if common.name == ".git" and common.is_dir() else None


def _pointed(file: Path, base: Path, prefix: str = "") -> Path | None:
    """The path a one-line pointer file names, or None where it is not one."""
    try:
        with file.open("rb") as opened:
            text = os.fsdecode(opened.read(_POINTER_MAX_BYTES)).strip()
    except OSError:
        return None
    if not text.startswith(prefix) or "\0" in text or "\n" in text:
        return None
    named = text.removeprefix(prefix).strip()
    return base / named if named else None
