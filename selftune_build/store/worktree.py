"""The root of a repository's main worktree, found by reading files, never by running git. Standard library only: the no-op path
uses it."""

from __future__ import annotations

import os
import stat

from selftune_build.probe import probed

STORE_VARIABLE = "SELFTUNE_STORE"
STORE_FOLDER = ".selftune"

_POINTER_MAX_BYTES = 8192


def upwards(folder: str) -> list[str]:
    """A folder and all above it, nearest first."""
    found = [folder]
    while (above := os.path.dirname(found[-1])) != found[-1]:
        found.append(above)
    return found


def main_worktree(folder: str) -> str | None:
    """The root of the main worktree of the repository around `folder`; its own worktree's root where there is no main one.

    A `.git` that belongs to somebody else than the folder or the user is not looked at.
    """
    probed(folder)
    for candidate in upwards(folder):
        marker = os.path.join(candidate, ".git")
        probed(marker)
        if not _trusted(marker, folder):
            continue
        if os.path.isdir(marker):
            return candidate
        return _main_of_linked(marker) or candidate
    return None


def _trusted(marker: str, folder: str) -> bool:
    try:
        owner = os.lstat(marker).st_uid
        return owner in (os.geteuid(), os.stat(folder).st_uid)
    except OSError:
        return False


def _main_of_linked(marker: str) -> str | None:
    """Follow `.git` file → private folder → `commondir`, and only where the private folder points back (gitrepository-layout)."""
    private = _pointed(marker, os.path.dirname(marker), "gitdir:")
    if private is None:
        return None
    common = _pointed(os.path.join(private, "commondir"), private)
    back = _pointed(os.path.join(private, "gitdir"), private)
    if common is None or back is None or os.path.realpath(back) != os.path.realpath(marker):
        return None
    common = os.path.realpath(common)
    probed(common)
    return os.path.dirname(common) if os.path.basename(common) == ".git" and os.path.isdir(common) else None


def _pointed(file: str, base: str, prefix: str = "") -> str | None:
    """The path a one-line pointer file names, or None where it is not one."""
    try:
        text = os.fsdecode(_start_of(file)).strip()
    except OSError:
        return None
    if not text.startswith(prefix) or "\0" in text or "\n" in text:
        return None
    named = text.removeprefix(prefix).strip()
    return os.path.join(base, named) if named else None


def _start_of(file: str) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _POINTER_MAX_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
