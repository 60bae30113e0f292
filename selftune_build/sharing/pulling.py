"""Takes samples from a remote: each is judged whole before a byte of it is written, and nothing that is here is replaced."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from selftune_build.fingerprint.digest import digest_bytes, is_digest
from selftune_build.limits import (
    KEY_JSON_BYTES,
    RECORD_BYTES,
    REMOTE_JOBS,
    REMOTE_TREE_RECORDS,
    SHARED_ENVELOPE_BYTES,
    STORE_ARCHIVE_MAX_BYTES,
)
from selftune_build.sharing.parcel import Parcel, Refused, call_of, unpack
from selftune_build.sharing.remote import Remote, RemoteError
from selftune_build.sharing.trust import Trusted, judge
from selftune_build.store.asked import KEY_NAME, is_asked, read_asked, render_asked
from selftune_build.store.atomic import write_atomic, write_new
from selftune_build.store.call_checks import ENVELOPE_SUFFIX
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore, place_of
from selftune_build.store.wip import ARCHIVE_SUFFIX

_PARCEL_BYTES = STORE_ARCHIVE_MAX_BYTES + SHARED_ENVELOPE_BYTES


class Refusal(Struct, frozen=True):
    """A parcel that was not taken, by the reason of `Refused`."""

    name: str
    code: str
    message: str


class Pulled(Struct):
    """What became of the parcels of some tiers. `trouble`: the remote broke off, and what was taken until then is here."""

    taken: int = 0
    here: int = 0
    refused: list[Refusal] = field(default_factory=list)
    trouble: str = ""


def pull(
    store: Path, remote: Remote, tiers: Sequence[str], trusted: list[Trusted] | None, waiting: Callable[[str], None]
) -> Pulled:
    """Take every sample of the tiers that is not here; of two answers to one call the first by name. Raises StoreError."""
    result = Pulled()
    for tier in tiers:
        puller = _Puller(store, remote, tier, trusted, waiting)
        try:
            names = sorted(name.removeprefix(f"{tier}/") for name in remote.list(f"{tier}/samples"))
        except RemoteError as error:
            result.trouble = result.trouble or error.message
            continue
        calls: dict[str, list[str]] = {}
        for name in names:
            call = call_of(name)
            if call is not None:
                calls.setdefault(call, []).append(name)
        with ThreadPoolExecutor(REMOTE_JOBS) as pool:
            for outcome in pool.map(partial(_guarded, puller), calls.items()):
                _add(result, outcome)
    return result


def _guarded(puller: _Puller, call: tuple[str, list[str]]) -> _Outcome:
    try:
        return puller.take(*call)
    except RemoteError as error:
        puller.down = error.message
        return _Outcome(trouble=error.message)


class _Outcome(Struct, frozen=True):
    """What became of one call."""

    taken: bool = False
    here: bool = False
    refused: tuple[Refusal, ...] = ()
    trouble: str = ""


def _add(result: Pulled, outcome: _Outcome) -> None:
    result.taken += outcome.taken
    result.here += outcome.here
    result.refused += outcome.refused
    result.trouble = result.trouble or outcome.trouble


class _Puller:
    """Takes from one tier, from several threads."""

    def __init__(
        self, store: Path, remote: Remote, tier: str, trusted: list[Trusted] | None, waiting: Callable[[str], None]
    ) -> None:
        self._store, self._remote, self._tier, self._trusted, self._waiting = store, remote, tier, trusted, waiting
        self._records = RecordStore(store)
        self.down = ""

    def take(self, call: str, names: Sequence[str]) -> _Outcome:
        """The first parcel of a call that may be believed. Raises RemoteError and StoreError."""
        if (self._store / (call + ARCHIVE_SUFFIX)).exists():
            return _Outcome(here=True)
        if self.down:
            return _Outcome(trouble=self.down)
        refused: list[Refusal] = []
        for name in names:
            try:
                self._write(*self._judged(name))
                return _Outcome(taken=True, refused=tuple(refused))
            except Refused as error:
                refused.append(Refusal(f"{self._tier}/{name}", error.code, error.message))
        return _Outcome(refused=tuple(refused))

    def _judged(self, name: str) -> tuple[Parcel, dict[str, Any], dict[str, Mapping[str, Any]]]:
        """A parcel with all that it needs. Raises Refused and RemoteError."""
        content = self._remote.get(f"{self._tier}/{name}", _PARCEL_BYTES)
        if content is None:
            raise Refused("missing", "it is listed and not there")
        parcel = unpack(self._tier, name, content)
        judge(parcel, self._trusted)
        folder = name.rpartition("/")[0]
        inputs = read_asked(self._remote.get(f"{self._tier}/{folder}/{KEY_NAME}", KEY_JSON_BYTES) or b"")
        if inputs is None or not is_asked(inputs, parcel.statement.static_key):
            raise Refused("missing", "what its key was made of is missing or damaged")
        return parcel, inputs, self._staged(parcel.sample.staged)

    def _staged(self, tree: str) -> dict[str, Mapping[str, Any]]:
        record = self._record(tree)
        if len(record) > REMOTE_TREE_RECORDS:
            raise Refused("forged", "it was staged with more skills than anybody has")
        return {tree: record, **{digest: self._record(digest) for digest in map(str, record.values())}}

    def _record(self, digest: str) -> Mapping[str, Any]:
        """A record that is here or there, by its digest."""
        if not is_digest(digest):
            raise Refused("forged", "its records have names that are none")
        here = self._records.read(digest)
        if here is not None:
            return here
        name = digest.rpartition(":")[2]
        content = self._remote.get(f"{self._tier}/records/{name[:2]}/{name}.json", RECORD_BYTES)
        try:
            record = json.loads(content) if content is not None and digest_bytes(content) == digest else None
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise Refused("missing", "a record of what it was staged with is missing or damaged")
        return record

    def _write(self, parcel: Parcel, inputs: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]]) -> None:
        """Records, then what was signed, then the sample: whatever interrupts it, no sample is here without what it needs."""
        for digest, record in records.items():
            self._records.write(digest, record, durable=True)
        sample = parcel.sample
        path = self._store / place_of(sample)
        with SampleStore(self._store).claim(sample.static_key, render_asked(inputs), self._waiting):
            if not path.exists():
                write_atomic(path.with_suffix(ENVELOPE_SUFFIX), parcel.line)
                write_new(path, parcel.archive)


def reasons(refused: Sequence[Refusal]) -> dict[str, int]:
    """Reason → how many parcels."""
    return dict(sorted(Counter(each.code for each in refused).items()))
