"""Gives the samples of a store to a remote: what it has not got yet, and what every sample needs before the sample itself."""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from selftune_build.fingerprint.digest import canonical_json, digest_bytes, is_digest
from selftune_build.limits import KEY_JSON_BYTES, REMOTE_JOBS, REMOTE_TREE_RECORDS, SHARED_ENVELOPE_BYTES, STORE_ARCHIVE_MAX_BYTES
from selftune_build.sharing.finished import finished, starts
from selftune_build.sharing.origin import origin
from selftune_build.sharing.parcel import Statement, free_names, pack, read_statement
from selftune_build.sharing.places import Place, places_of
from selftune_build.sharing.remote import Remote, RemoteError
from selftune_build.signing.envelope import read as read_envelope
from selftune_build.store.archive import Archive, DamagedRecord, NewerRecord, decode
from selftune_build.store.asked import KEY_NAME, is_asked, is_free, read_asked, render_asked
from selftune_build.store.atomic import store_errors
from selftune_build.store.call_checks import ENVELOPE_SUFFIX, follows
from selftune_build.store.reading import read_bounded
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import place_of
from selftune_build.store.wip import ARCHIVE_SUFFIX

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner


_ARCHIVE = re.compile(r"[0-9a-f]{64}" + re.escape(ARCHIVE_SUFFIX))


class Pushed(Struct):
    """What became of the samples of a store; `unsound` ones are no use to anybody, and `store fsck` says why."""

    sent: int = 0
    there: int = 0
    free: int = 0
    unsound: int = 0
    failed: int = 0
    trouble: str = ""


class _Sample(Struct, frozen=True):
    sample: Archive
    content: bytes
    inputs: Mapping[str, object]
    records: Mapping[str, Mapping[str, object]]
    line: bytes | None


def push(
    store: Path,
    remote: Remote,
    tier: str,
    by: CryptoSigner | None,
    paths: Iterable[str] | None = None,
    stop: threading.Event | None = None,
) -> Pushed:
    """Send every sample that was paid for and is sound, or those at `paths` of the store.

    What the remote refuses is counted, with the first reason; nothing is raised for it, since what was sent is there.
    """
    sender = _Sender(store, remote, tier, by, stop or threading.Event())
    counted: Counter[str] = Counter()
    with ThreadPoolExecutor(REMOTE_JOBS) as pool:
        if paths is None:
            parts = pool.map(lambda start: sum(map(sender.send_all, _work(finished(store, start))), Counter()), starts(store))
        else:
            parts = pool.map(sender.send_all, _work(paths))
        for part in parts:
            counted += part
    return Pushed(**counted, trouble=sender.down)


def _work(paths: Iterable[str]) -> list[tuple[Place, list[str]]]:
    """What is sent with one listing each."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        groups.setdefault(path.rpartition("/")[0], []).append(path)
    return [(place, [path for key in sorted(place.keys or ()) for path in groups[key]]) for place in places_of(groups)]


def archives_in(store: Path, since_ns: int = 0) -> list[str]:
    """The finished samples of a store that were written since a time, by path."""
    return [path for start in starts(store) for path in finished(store, start, since_ns)]


def archives_of(store: Path, folders: Iterable[str]) -> list[str]:
    """The finished samples in some folders of keys, by path."""
    return [f"{folder}/{name}" for folder in folders for name in _names(store / folder) if _ARCHIVE.fullmatch(name)]


def _names(folder: Path) -> list[str]:
    with store_errors("list", folder):
        return sorted(os.listdir(folder)) if folder.exists() else []


def own(store: Path, paths: Iterable[str]) -> list[str]:
    """Those that were paid for here: nobody vouches for others' by the way."""
    return [path for path in paths if not (store / (path.removesuffix(ARCHIVE_SUFFIX) + ENVELOPE_SUFFIX)).exists()]


class _Sender:
    """Sends one sample after another, from several threads."""

    def __init__(self, store: Path, remote: Remote, tier: str, by: CryptoSigner | None, stop: threading.Event) -> None:
        self._store, self._remote, self._tier, self._by, self._stop = store, remote, tier, by, stop
        self._known: dict[str, int] = {}
        self._records = RecordStore(store)
        self._origin = origin()
        self._guard = threading.Lock()
        self.down = ""

    def send_all(self, work: tuple[Place, list[str]]) -> Counter[str]:
        """How many of the samples in one place came to what, by the fields of Pushed."""
        place, paths = work
        there: dict[str, int] = {}
        try:
            if not self._over():
                there = self._remote.list(f"{self._tier}/{place.prefix}")
        except RemoteError as error:
            self.down = error.message
        return Counter(self._sent(path, there) for path in paths)

    def _over(self) -> bool:
        if self._stop.is_set():
            self.down = self.down or "stopped by the user"
        return bool(self.down)

    def _sent(self, path: str, there: dict[str, int]) -> str:
        """The outcome of one sample, as a field of Pushed."""
        if self._over():
            return "failed"
        found = self._read(path)
        if isinstance(found, str):
            return found
        try:
            return self._send(found, there)
        except RemoteError as error:
            self.down = error.message
            return "failed"

    def _send(self, each: _Sample, there: dict[str, int]) -> str:
        statement = self._statement(each)
        names = free_names(self._tier, statement, there)
        if not names:
            return "there"
        with self._guard:  # most samples share their records: one sends, the others wait for it
            for digest, record in each.records.items():
                name = digest.rpartition(":")[2]
                self._put(f"{self._tier}/records/{name[:2]}/{name}.json", record, canonical_json, self._known)
        folder = names[0].rpartition("/")[0]
        self._put(f"{folder}/{KEY_NAME}", each.inputs, render_asked, there)
        content = pack(statement, each.content, self._by)
        return "sent" if self._remote.create(names[0], content) else "there"

    def _put(self, name: str, data: Mapping[str, object], render: Callable[..., bytes], known: dict[str, int]) -> None:
        if name not in known:
            content = render(data)
            self._remote.create(name, content)
            known[name] = len(content)

    def _statement(self, each: _Sample) -> Statement:
        """What came from elsewhere keeps saying where from, and who vouched for it."""
        earlier = read_statement(each.line) if each.line is not None else None
        signers = sorted(read_envelope(each.line).signatures) if earlier is not None and each.line is not None else []
        return Statement(
            tier=self._tier,
            static_key=each.sample.static_key,
            call_id=each.sample.call_id,
            archive=digest_bytes(each.content),
            size=len(each.content),
            origin=self._origin if earlier is None else earlier.origin,
            via=[] if earlier is None else [*earlier.via, *signers],
        )

    def _read(self, path: str) -> _Sample | str:
        """A sample with all that it needs, or the field of Pushed that says why it is not sent."""
        content = read_bounded(self._store / path, STORE_ARCHIVE_MAX_BYTES)
        folder = self._store / path.rpartition("/")[0]
        inputs = read_asked(read_bounded(folder / KEY_NAME, KEY_JSON_BYTES) or b"")
        try:
            sample = decode(content or b"", Archive)
        except (DamagedRecord, NewerRecord):
            return "unsound"
        records = staged_records(self._records, sample.staged)
        sound = follows(sample) and place_of(sample) == path and records is not None
        if content is None or inputs is None or records is None or not sound or not is_asked(inputs, sample.static_key):
            return "unsound"
        if is_free(inputs):
            return "free"
        line = read_bounded(self._store / (path.removesuffix(ARCHIVE_SUFFIX) + ENVELOPE_SUFFIX), SHARED_ENVELOPE_BYTES)
        return _Sample(sample, content, inputs, records, line)


def staged_records(records: RecordStore, tree: str) -> dict[str, Mapping[str, object]] | None:
    """The record of a staged tree and those that it names, by digest; None where one is missing."""
    record = records.read(tree)
    if record is None or len(record) > REMOTE_TREE_RECORDS:
        return None
    found = {tree: record}
    for digest in map(str, record.values()):
        inner = records.read(digest) if is_digest(digest) else None
        if inner is None:
            return None
        found[digest] = inner
    return found
