"""Paid results by static key (DESIGN section 9).

```
samples/ab/<static key>/key.json                     what the key was made of; its guard admits one paying process
samples/ab/<static key>/<call_id>.wip                a call in flight
samples/ab/<static key>/<call_id>.zst                a finished sample, immutable
samples/ab/<static key>/<call_id>.<number>.err.zst   a failed attempt; numbers count from 1
samples/ab/<static key>/<any of them>.corrupt-<N>    damaged, moved aside, never deleted
```

Names are the 64 hexadecimal digits of the digest without its tag `sha256:` (`ab` the first two of them); there is no other tag.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from selftune_build.errors import StoreError
from selftune_build.model.location import Location
from selftune_build.store.archive import Archive, Attempt, DamagedRecord, Intent, NewerRecord, decode
from selftune_build.store.atomic import store_errors, sync_folder
from selftune_build.store.guard import guarded_file
from selftune_build.store.orphan import Orphan, Recovery, adopt
from selftune_build.store.pool import Pools
from selftune_build.store.quarantine import move_aside
from selftune_build.store.wip import ARCHIVE_SUFFIX, ATTEMPT_SUFFIX, WIP_SUFFIX, Call, begin_call, read_intent

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_ATTEMPT_NAME = re.compile(r"([0-9]{1,9})\.err\.zst")
_ARCHIVE_NAME_LENGTH = 64 + len(ARCHIVE_SUFFIX)

_Record = TypeVar("_Record", Archive, Attempt)


def _ignore(_message: str) -> None:
    """Nobody listens."""


class SampleStore:
    """The samples below one store folder. Reading needs no guard; `warn` hears of every file that is moved aside."""

    def __init__(self, root: Path, warn: Callable[[str], None] = _ignore) -> None:
        self._samples = root / "samples"
        self._warn = warn
        self._root = root
        self._synced: set[Path] = set()
        self._waited_for: set[str] = set()

    @cached_property
    def pools(self) -> Pools:
        """What the services that are asked put up with, for all who share this store."""
        return Pools(self._root)

    def folder(self, static_key: str) -> Path:
        """Where the samples of a static key are or would be."""
        stem = _stem(static_key)
        return self._samples / stem[:2] / stem

    def claim(
        self,
        static_key: str,
        explanation: bytes,
        waiting: Callable[[str], None] = _ignore,
        cancel: threading.Event | None = None,
        about: str = "",
    ) -> AbstractContextManager[None]:
        """Be the one who pays for this static key; `explanation` is the JSON of what it was made of.

        Where somebody else has the claim, the entry blocks, and `waiting` is told once for each who that is, for how long, and
        which samples it is `about`: read the archives again afterwards. Raises StoreError, and UndecidedError when `cancel` is
        set while waiting.
        """
        folder = self.folder(static_key)

        def tell(who: str, where: str) -> None:
            if who not in self._waited_for:
                self._waited_for.add(who)
                what = f" as {about}" if about else ""
                waiting(f"{who} is working on the same samples{what}{_since(folder)}{where}; waiting for it")

        with store_errors("create", folder):
            folder.mkdir(parents=True, exist_ok=True)
        return guarded_file(folder / "key.json", explanation, tell, cancel)

    def archives(self, static_key: str) -> list[Archive]:
        """Every finished sample, sorted by index; damaged files are moved aside and reported. Raises StoreError."""
        folder = self.folder(static_key)
        names = [name for name in _names(folder) if _is_archive(name)]
        found = [self._read(f"{folder}/{name}", Archive) for name in names]
        return sorted((archive for archive in found if archive is not None), key=lambda each: (each.index, each.call_id))

    def count(self, static_key: str) -> int:
        """How many finished samples there are, told by the names alone. Raises StoreError."""
        return sum(_is_archive(name) for name in _names(self.folder(static_key)))

    def place(self, static_key: str, call_id: str) -> Path:
        """The file of a finished sample, there or not."""
        return self.folder(static_key) / (_stem(call_id) + ARCHIVE_SUFFIX)

    def in_flight(self, static_key: str, call_id: str) -> Path:
        """The file of a call in flight, there or not."""
        return self.folder(static_key) / (_stem(call_id) + WIP_SUFFIX)

    def tries(self, static_key: str, call_id: str) -> int:
        """The number of the last failed attempt at a call, 0 without any. Raises StoreError."""
        return _next_number(self.folder(static_key), call_id) - 1

    def attempts(self, static_key: str, call_id: str) -> list[Attempt]:
        """The failed attempts of one call, by number. Raises StoreError."""
        folder = self.folder(static_key)
        start = f"{folder}/{_stem(call_id)}"
        found = [self._read(f"{start}.{number}{ATTEMPT_SUFFIX}", Attempt) for number in _attempt_numbers(folder, call_id)]
        return [attempt for attempt in found if attempt is not None]

    def begin(self, static_key: str, intent: Intent, durable: bool = True) -> Call:
        """Note down what is about to be asked. Raises StoreError before anything was sent. Needs the claim."""
        folder = self.folder(static_key)
        with store_errors("create", folder):
            folder.mkdir(parents=True, exist_ok=True)
            if durable:
                self._make_names_durable(folder)
        path = self.in_flight(static_key, intent.call_id)
        return begin_call(path, intent, durable, partial(_next_number, folder, intent.call_id))

    def orphans(
        self,
        static_key: str,
        is_answer: Callable[[bytes], bool],
        waiting: Callable[[str], None] = _ignore,
        cancel: threading.Event | None = None,
    ) -> list[Orphan]:
        """What calls of earlier processes have left, waiting for those still being answered. Needs the claim. Raises StoreError.

        An answered orphan waits for its `call.commit` or `call.fail`; an unanswered one is already kept as an attempt of
        kind `unknown`.
        """
        recovery = Recovery(is_answer, waiting, self._warn, cancel)
        folder = self.folder(static_key)
        paths = [folder / name for name in sorted(_names(folder)) if name.endswith(WIP_SUFFIX)]
        found = [adopt(path, recovery, partial(self.attempts, static_key), partial(_next_number, folder)) for path in paths]
        return [orphan for orphan in found if orphan is not None]

    def _read(self, path: str, kind: type[_Record]) -> _Record | None:
        """One record, or None where the file is damaged or gone meanwhile."""
        try:
            with store_errors("read", path), open(path, "rb") as opened:  # noqa: PTH123 - read ten thousand times
                content = opened.read()
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise
        try:
            record = decode(content, kind)
            if not path.endswith(f"/{place_of(record)}"):
                raise DamagedRecord("belongs to another call")
        except DamagedRecord as error:
            move_aside(Path(path), str(error), self._warn)
            return None
        except NewerRecord as error:
            raise StoreError(f"{path} {error}", at=Location(path), hint="use the newer version of selftune-build") from error
        return record

    def _make_names_durable(self, folder: Path) -> None:
        """Sync the folders above a key's folder, once for each: a power cut must not take the way to a paid result."""
        if folder in self._synced:
            return
        sync_folder(folder.parent)
        for parent in {self._samples, self._samples.parent} - self._synced:
            sync_folder(parent)
        self._synced.update((folder, self._samples, self._samples.parent))


def _since(folder: Path) -> str:
    """Since when a call of a key has been in flight, as a clock on the wall says it; empty where none is."""
    with suppress(OSError, ValueError):
        started = [_started(folder / name) for name in os.listdir(folder) if name.endswith(WIP_SUFFIX)]
        return f" since {min(started).astimezone():%H:%M:%S}"
    return ""


def _started(call: Path) -> datetime:
    """When a call in flight was sent. Raises OSError and ValueError."""
    with call.open("rb") as opened:
        intent = read_intent(opened.fileno())
    if intent is None:
        raise ValueError("nothing was sent")
    return datetime.fromisoformat(intent.started)


def _stem(digest: str) -> str:
    """A digest as a file name: its hexadecimal digits. Raises ValueError for anything but sha256."""
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise ValueError(f"not a sha256 digest: {digest[:80]!r}")
    return found[1]


def place_of(record: Archive | Attempt) -> str:
    """The path, relative to the store, at which a record has to be."""
    key, call = record.static_key.removeprefix("sha256:"), record.call_id.removeprefix("sha256:")
    suffix = ARCHIVE_SUFFIX if isinstance(record, Archive) else f".{record.number}{ATTEMPT_SUFFIX}"
    return f"samples/{key[:2]}/{key}/{call}{suffix}"


def _is_archive(name: str) -> bool:
    return len(name) == _ARCHIVE_NAME_LENGTH and name.endswith(ARCHIVE_SUFFIX)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError:
        with store_errors("list", folder):
            raise


def _attempt_numbers(folder: Path, call_id: str) -> list[int]:
    """The numbers of the attempts kept of one call, damaged ones included."""
    start = _stem(call_id) + "."
    return sorted(
        int(found[1]) for name in _names(folder) if name.startswith(start) and (found := _ATTEMPT_NAME.match(name, len(start)))
    )


def _next_number(folder: Path, call_id: str) -> int:
    return max(_attempt_numbers(folder, call_id), default=0) + 1
