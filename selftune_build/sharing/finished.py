"""The finished samples of a store by their places, one start of a key at a time: however many there are, a part of them is small.

Only names count, as for `store.survey`: nothing is opened, no link is followed, and what cannot be listed has none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from selftune_build.errors import StoreError
from selftune_build.sharing.places import SAMPLES
from selftune_build.store.wip import ARCHIVE_SUFFIX

_START = re.compile(r"[0-9a-f]{2}")
_KEY = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-f]{64}" + re.escape(ARCHIVE_SUFFIX))


def starts(store: Path) -> list[str]:
    """The folders `samples/ab` of a store, sorted. Raises StoreError where there is a store that cannot be listed."""
    try:
        with os.scandir(store) as found:
            next(found, None)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"cannot list {store}: {error.strerror}", hint="make it readable for this user") from error
    return [f"{SAMPLES}/{name}" for name in _folders(os.path.join(store, SAMPLES)) if _START.fullmatch(name)]


def finished(store: Path, start: str, since_ns: int = 0) -> Iterator[str]:
    """The paths of the finished samples below one of `starts` that were written since a time, sorted by key and then by name."""
    for key in _folders(os.path.join(store, start)):
        if _KEY.fullmatch(key) and key.startswith(start[-2:]):
            for name in sorted(_files(os.path.join(store, start, key), since_ns)):
                yield f"{start}/{key}/{name}"


def _folders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return sorted(each.name for each in found if each.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _files(folder: str, since_ns: int) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            for each in found:
                if _NAME.fullmatch(each.name) and each.is_file(follow_symlinks=False) and _is_since(each, since_ns):
                    yield each.name
    except OSError:
        return


def _is_since(each: os.DirEntry[str], since_ns: int) -> bool:
    return not since_ns or each.stat(follow_symlinks=False).st_mtime_ns >= since_ns
