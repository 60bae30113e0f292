"""Where samples from elsewhere go: into a store, or into memory for whoever only looks at what they would change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from selftune_build.sharing.parcel import Parcel
from selftune_build.store.archive import Archive
from selftune_build.store.asked import render_asked
from selftune_build.store.atomic import write_atomic, write_new
from selftune_build.store.call_checks import ENVELOPE_SUFFIX
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore, place_of
from selftune_build.store.wip import ARCHIVE_SUFFIX

Records = Mapping[str, Mapping[str, Any]]


class Sink(Protocol):
    """Takes parcels that were judged, from several threads."""

    def has(self, call: str) -> bool:
        """Whether a sample is here, by its place without the end of the file name."""

    def record(self, digest: str) -> Mapping[str, Any] | None:
        """A record that is here."""

    def put(self, parcel: Parcel, inputs: Mapping[str, Any], records: Records) -> None:
        """Keep a parcel with what its key was made of and all records that it names. Raises StoreError."""


class Kept:
    """A store; nothing in it is replaced."""

    def __init__(self, store: Path, waiting: Callable[[str], None], stop: threading.Event | None = None) -> None:
        self._store, self._waiting, self._stop = store, waiting, stop
        self._records = RecordStore(store)

    def has(self, call: str) -> bool:
        """As `Sink.has`."""
        return (self._store / (call + ARCHIVE_SUFFIX)).exists()

    def record(self, digest: str) -> Mapping[str, Any] | None:
        """As `Sink.record`."""
        return self._records.read(digest)

    def put(self, parcel: Parcel, inputs: Mapping[str, Any], records: Records) -> None:
        """Records, then what was signed, then the sample: whatever interrupts it, no sample is here without what it needs."""
        self._write(records)
        sample = parcel.sample
        path = self._store / place_of(sample)
        with SampleStore(self._store).claim(sample.static_key, render_asked(inputs), self._waiting, self._stop):
            if not path.exists():
                write_atomic(path.with_suffix(ENVELOPE_SUFFIX), parcel.line)
                write_new(path, parcel.archive)
        self._write(records)  # nothing named them until now, and who looked for garbage may have found them

    def _write(self, records: Records) -> None:
        for digest, record in records.items():
            self._records.write(digest, record, durable=True)


class Lent:
    """A store as it would be with samples from elsewhere, which are kept in memory: nothing is written."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._records = RecordStore(store)
        self.archives: dict[str, list[Archive]] = {}
        """What is not in the store, by static key."""
        self._calls: set[str] = set()
        self.records: dict[str, Mapping[str, Any]] = {}

    def has(self, call: str) -> bool:
        """As `Sink.has`."""
        return call in self._calls or (self._store / (call + ARCHIVE_SUFFIX)).exists()

    def record(self, digest: str) -> Mapping[str, Any] | None:
        """As `Sink.record`."""
        return self.records.get(digest) or self._records.read(digest)

    def put(self, parcel: Parcel, inputs: Mapping[str, Any], records: Records) -> None:
        """As `Sink.put`."""
        self.records.update(records)
        self._calls.add(place_of(parcel.sample).removesuffix(ARCHIVE_SUFFIX))
        self.archives.setdefault(parcel.sample.static_key, []).append(parcel.sample)


class LentSamples(SampleStore):
    """The samples of a store and those that are lent to it."""

    def __init__(self, root: Path, lent: Lent, warn: Callable[[str], None]) -> None:
        super().__init__(root, warn)
        self._lent = lent

    def archives(self, static_key: str) -> list[Archive]:
        """As `SampleStore.archives`."""
        every = [*super().archives(static_key), *self._lent.archives.get(static_key, ())]
        return sorted(every, key=lambda each: (each.index, each.call_id))

    def count(self, static_key: str) -> int:
        """As `SampleStore.count`."""
        return super().count(static_key) + len(self._lent.archives.get(static_key, ()))


class LentRecords(RecordStore):
    """The records of a store and those that are lent to it."""

    def __init__(self, root: Path, lent: Lent) -> None:
        super().__init__(root)
        self._lent = lent

    def read(self, digest: str) -> Mapping[str, Any] | None:
        """As `RecordStore.read`."""
        return self._lent.records.get(digest) or super().read(digest)
