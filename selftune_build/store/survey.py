"""What lies in a store, told by names and `lstat` alone: nothing is opened and no link is followed.

A name says what a file ought to be, never what it is: whoever reads it decides that.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import StoreError


class Kind(StrEnum):
    """What an entry is by its place and name."""

    KEY = "key"
    ARCHIVE = "archive"
    ATTEMPT = "attempt"
    CALL = "call"
    ENVELOPE = "envelope"
    RECORD = "record"
    TRACES = "traces"
    STATE = "state"
    UNSENT = "unsent"
    POOL = "pool"
    MARK = "mark"
    ASIDE = "aside"
    TEMPORARY = "temporary"
    LINK = "link"
    SPECIAL = "special"
    """Neither file nor folder nor link."""
    UNREADABLE = "unreadable"
    """A folder that cannot be listed."""
    FOREIGN = "foreign"


class Entry(Struct, frozen=True):
    """One thing in the store; `path` is relative to it, with `/` between its parts."""

    path: str
    kind: Kind
    size: int
    mode: int
    owner: int
    changed_ns: int
    """Modification time, nanoseconds since 1970."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path without its last part."""
        return self.path.rpartition("/")[0]


_POOL = r"pools/[a-z0-9-]{1,40}-[0-9a-f]{12}"
_FOLDERS = re.compile(
    r"samples(/[0-9a-f]{2}(/[0-9a-f]{64})?)?|records(/[0-9a-f]{2})?|index|unsent|candidates|dist|audits|pools|" + _POOL
)
AUDITS = "audits"
"""Folder of the stores of audits, one for each nonce: none of their samples counts here."""
_OTHERS_FOLDERS = ("candidates", "dist", AUDITS)
"""Patches of `selftune mutate` and files of `selftune publish`, looked after by what makes them, and stores of their own."""
_NONCE = re.compile(r"[0-9a-f]+")

_SAMPLE = r"samples/(?P<start>[0-9a-f]{2})/(?P<key>(?P=start)[0-9a-f]{62})/"
_KINDS = {
    Kind.KEY: re.compile(_SAMPLE + r"key\.json"),
    Kind.ARCHIVE: re.compile(_SAMPLE + r"[0-9a-f]{64}\.zst"),
    Kind.ATTEMPT: re.compile(_SAMPLE + r"[0-9a-f]{64}\.[0-9]{1,9}\.err\.zst"),
    Kind.CALL: re.compile(_SAMPLE + r"[0-9a-f]{64}\.wip"),
    Kind.ENVELOPE: re.compile(_SAMPLE + r"[0-9a-f]{64}\.dsse"),
    Kind.RECORD: re.compile(r"records/(?P<start>[0-9a-f]{2})/(?P=start)[0-9a-f]{62}\.json"),
    Kind.TRACES: re.compile(r"index/[0-9a-f]{16}\.sqlite(-journal|-wal|-shm)?"),
    Kind.STATE: re.compile(r"index/[0-9a-f]{32}\.(?:state|memory)"),
    Kind.UNSENT: re.compile(r"unsent/[0-9a-f]{16}\.[0-9]{1,10}"),
    Kind.POOL: re.compile(_POOL + r"/(state\.json|guard|[1-9][0-9]{0,9}\.slot)"),
    Kind.MARK: re.compile(r"\.gitignore|CACHEDIR\.TAG"),
    Kind.ASIDE: re.compile(r"(.*/)?[^/]+\.corrupt-[0-9]{1,9}"),
    Kind.TEMPORARY: re.compile(r"(.*/)?\.[^/]+\.[0-9]+-[0-9]+\.tmp"),
}


def survey(store: Path) -> list[Entry]:
    """Everything in a store that is no folder in its place, sorted by path; nothing where there is none. Raises StoreError."""
    try:
        return sorted(_below(str(store), ""), key=lambda entry: entry.path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"cannot list {store}: {error.strerror}", hint="make it readable for this user") from error


def audits(store: Path) -> list[str]:
    """The stores of audits in a store, relative to it and sorted. Raises StoreError."""
    try:
        with os.scandir(store / AUDITS) as found:
            names = [entry.name for entry in found if entry.is_dir(follow_symlinks=False) and _NONCE.fullmatch(entry.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"cannot list {store / AUDITS}: {error.strerror}", hint="make it readable for this user") from error
    return [f"{AUDITS}/{name}" for name in sorted(names)]


def _below(root: str, folder: str) -> Iterator[Entry]:
    with os.scandir(os.path.join(root, folder)) as found:
        entries = list(found)
    for entry in entries:
        path = f"{folder}/{entry.name}" if folder else entry.name
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        kind = _kind(path, status.st_mode)
        if kind is not None:
            yield _entry(path, kind, status)
        elif path not in _OTHERS_FOLDERS:
            yield from _inside(root, path, status)


def _inside(root: str, path: str, status: os.stat_result) -> Iterator[Entry]:
    try:
        yield from _below(root, path)
    except FileNotFoundError:
        return
    except OSError:
        yield _entry(path, Kind.UNREADABLE, status)


def _kind(path: str, mode: int) -> Kind | None:
    """None for a folder in its place."""
    if stat.S_ISDIR(mode):
        return None if _FOLDERS.fullmatch(path) else Kind.FOREIGN
    if _KINDS[Kind.ASIDE].fullmatch(path):
        return Kind.ASIDE
    if stat.S_ISLNK(mode):
        return Kind.LINK
    if not stat.S_ISREG(mode):
        return Kind.SPECIAL
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(path)), Kind.FOREIGN)


def _entry(path: str, kind: Kind, status: os.stat_result) -> Entry:
    return Entry(path, kind, status.st_size, status.st_mode, status.st_uid, status.st_mtime_ns)
