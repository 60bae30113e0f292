"""Which evidence anybody's lock speaks of: every lock of every ref, stash and worktree of the repositories around a store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from selftune_build.errors import UndecidedError
from selftune_build.limits import LOCK_BYTES, WORKTREE_ENTRIES
from selftune_build.lock.parsing import read_lock
from selftune_build.model.lock import Row
from selftune_build.model.package import LOCK_FILE
from selftune_build.revision.named import NamedFiles
from selftune_build.revision.repository import is_bare
from selftune_build.store.reading import read_regular
from selftune_build.store.worktree import STORE_FOLDER, upwards

_SKIPPED = frozenset({".git", STORE_FOLDER, "node_modules"})


class Needed(Struct, frozen=True):
    """A row of some lock: which agent it asked, of which package it is, and where the lock stands."""

    package: str
    identity: dict[str, Any]
    arm: str
    row: Row
    place: str


class Needs(Struct, frozen=True):
    """All rows, and the places of locks of which not everything can be read: what those need nobody can tell."""

    rows: tuple[Needed, ...]
    opaque: tuple[str, ...]
    locks: int


def needs(folders: Iterable[Path]) -> Needs:
    """Read every lock. Raises UndecidedError where a repository or a folder cannot be read whole."""
    contents: dict[bytes, str] = {}
    for folder in folders:
        for place, content in _locks(folder):
            contents.setdefault(content, place)
    rows: list[Needed] = []
    opaque: list[str] = []
    for content, place in contents.items():
        reading = read_lock(content)
        if reading.problems:
            opaque.append(place)
        for lock in reading.locks:
            for entry in lock.agents.values():
                arms = ((arm, row) for case in entry.cases.values() for arm, row in case.items())
                rows += [Needed(lock.package, entry.identity, arm, row, place) for arm, row in arms]
    return Needs(tuple(rows), tuple(opaque), len(contents))


def _locks(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Where a lock stands, and its bytes. A folder in no repository is only looked through."""
    if not is_bare(folder) and not any(
        os.path.lexists(os.path.join(above, ".git")) for above in upwards(os.path.realpath(folder))
    ):
        yield from _on_disk(folder)
        return
    files = NamedFiles(folder, LOCK_FILE)
    yield from files.contents()
    for worktree in files.worktrees:
        yield from _on_disk(worktree)


def _on_disk(folder: Path) -> Iterator[tuple[str, bytes]]:
    looked = 0
    for above, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        looked += len(folders) + len(names)
        if looked > WORKTREE_ENTRIES:
            raise UndecidedError(f"{folder} holds more than {WORKTREE_ENTRIES} files and folders", hint="clean it up first")
        path = os.path.join(above, LOCK_FILE)
        if LOCK_FILE in names and not os.path.islink(path):
            try:
                yield path, read_regular(path, LOCK_BYTES)
            except OSError as error:
                _refuse(error)


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise UndecidedError(f"{error.filename} cannot be read: {error.strerror}; a lock may stand there") from error
