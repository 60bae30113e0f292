"""What a run left in its folder: read back without following links out, and removed whatever was done to it."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from selftune_build.agents.protocol import AgentFailure
from selftune_build.errors import refuse_machine
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.limits import STAGE_CHANGED_MAX_BYTES, STAGE_DEPTH_MAX, STAGE_FILES_MAX
from selftune_build.model.sample import ErrorKind, FileChange

_SKIPPED_FOLDERS = frozenset((".git", "__pycache__"))
_REMOVAL_ROUNDS = 3


def changed_files(root: Path, before: Mapping[str, str], skipped: frozenset[str]) -> tuple[FileChange, ...]:
    """Files below `root` that differ from the digests in `before`, and those that are gone, sorted by path.

    A symbolic link counts as the file it leads to inside `root`, else not at all. Raises AgentFailure(FLOOD) beyond
    `STAGE_FILES_MAX` files and folders, `STAGE_DEPTH_MAX` levels or `STAGE_CHANGED_MAX_BYTES` of changes; StoreError where the
    machine refuses to read them, which says nothing about the run.
    """
    changes: list[FileChange] = []
    seen: set[str] = set()
    room = STAGE_CHANGED_MAX_BYTES
    for path, entry in _files(root, skipped):
        content = _content(root, entry)
        if content is None:
            continue
        seen.add(path)
        if before.get(path) != digest_bytes(content):
            room -= len(content)
            if room < 0:
                raise _flood(f"more than {STAGE_CHANGED_MAX_BYTES} bytes")
            changes.append(FileChange(path, content, executable=os.access(entry.path, os.X_OK)))
    changes.extend(FileChange(path, None) for path in before if path not in seen)
    return tuple(sorted(changes, key=lambda change: change.path))


def remove_folder(base: Path) -> None:
    """Remove a folder of ours with all that is in it; never follows a link, never recurses, gives up quietly."""
    for _ in range(_REMOVAL_ROUNDS):
        try:
            _remove(base)
            return
        except FileNotFoundError:
            if not base.exists():
                return
        except OSError:
            continue


def _files(root: Path, skipped: frozenset[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file and link with its slash-separated path."""
    pending = [("", root, 0)]
    count = 0
    while pending:
        prefix, folder, depth = pending.pop()
        if depth > STAGE_DEPTH_MAX:
            raise _flood(f"folders more than {STAGE_DEPTH_MAX} deep")
        for entry in _entries(folder):
            count += 1
            if count > STAGE_FILES_MAX:
                raise _flood(f"more than {STAGE_FILES_MAX} files and folders")
            path = prefix + os.fsencode(entry.name).decode("utf-8", "replace")
            if not entry.is_dir(follow_symlinks=False):
                yield path, entry
            elif entry.name not in _SKIPPED_FOLDERS and path not in skipped:
                pending.append((f"{path}/", Path(entry.path), depth + 1))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder that may have been made unreadable, or too deep for the system to reach."""
    try:
        try:
            return list(os.scandir(folder))
        except PermissionError:
            folder.chmod(0o700)
            return list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []  # removed, by the run itself or by what it has left running
    except OSError as error:
        refuse_machine(error, folder)
        raise _flood(f"a folder that cannot be read ({error.strerror})") from error


def _content(root: Path, entry: os.DirEntry[str]) -> bytes | None:
    """The bytes of a regular file inside `root`, None for anything else."""
    path = Path(os.path.realpath(entry.path)) if entry.is_symlink() else Path(entry.path)
    if not path.is_relative_to(root):
        return None
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return None
        if found.st_size > STAGE_CHANGED_MAX_BYTES:
            raise _flood(f"more than {STAGE_CHANGED_MAX_BYTES} bytes")
        if not os.access(path, os.R_OK):
            path.chmod(stat.S_IMODE(found.st_mode) | stat.S_IRUSR)
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        refuse_machine(error, path)
        raise


def _flood(amount: str) -> AgentFailure:
    return AgentFailure(ErrorKind.FLOOD, f"the run left {amount} in its workspace")


def _remove(base: Path) -> None:
    """Folders are moved up to `base` before they are emptied: no path gets longer than a kernel takes, however deep they lie."""
    serial = itertools.count()
    pending = [base]
    while pending:
        folder = pending.pop()
        folder.chmod(0o700)
        for entry in list(os.scandir(folder)):
            if entry.is_dir(follow_symlinks=False):
                os.chmod(entry.path, 0o700)
                moved = base / f".removed-{os.getpid()}-{next(serial)}"
                os.rename(entry.path, moved)
                pending.append(moved)
            else:
                os.unlink(entry.path)
        if folder != base:
            folder.rmdir()
    base.rmdir()
