"""Takes samples from a remote: each is judged whole before a byte of it is written, and nothing that is here is replaced."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

from msgspec import Struct, field

from selftune_build.errors import UndecidedError
from selftune_build.fingerprint.digest import digest_bytes, is_digest
from selftune_build.limits import (
    KEY_JSON_BYTES,
    RECORD_BYTES,
    REMOTE_JOBS,
    REMOTE_PARCELS_TRIED,
    REMOTE_TREE_RECORDS,
    SHARED_ENVELOPE_BYTES,
    STORE_ARCHIVE_MAX_BYTES,
)
from selftune_build.sharing.parcel import Parcel, Refused, call_of, unpack
from selftune_build.sharing.places import SAMPLES, Place, places_of
from selftune_build.sharing.remote import Remote, RemoteError, TooMuch
from selftune_build.sharing.sink import Sink
from selftune_build.sharing.trust import Trusted, judge
from selftune_build.store.asked import KEY_NAME, is_asked, read_asked

_PARCEL_BYTES = STORE_ARCHIVE_MAX_BYTES + SHARED_ENVELOPE_BYTES
_STOPPED = "stopped by the user"


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
    calls: set[str] = field(default_factory=set)
    """The places of what was taken, without the end of the file name; only where folders were named: of all there may be many."""
    down: bool = False
    """Whether nothing more is to be had there now."""


def pull(
    into: Sink,
    remote: Remote,
    tiers: Sequence[str],
    trusted: list[Trusted] | None,
    folders: Iterable[str] | None = None,
    stop: threading.Event | None = None,
) -> Pulled:
    """Take every sample of the tiers that is not here; of two answers to one call the first by tier, then by name.

    `folders`: only of these folders of keys. Raises StoreError.
    """
    result, state = Pulled(), _State(stop or threading.Event())
    wanted = None if folders is None else places_of(folders)
    with ThreadPoolExecutor(REMOTE_JOBS) as pool:
        try:
            for tier in tiers:
                puller = _Puller(into, remote, tier, trusted, state)
                places = puller.places() if wanted is None else wanted
                for outcome in chain.from_iterable(pool.map(puller.take_all, places)):
                    _add(result, outcome)
                    if wanted is not None and outcome.taken:
                        result.calls.add(outcome.taken)
        except BaseException:
            state.down = _STOPPED  # whoever leaves waits for the threads, which then end with what they are at
            raise
    result.trouble, result.down = state.down or result.trouble, bool(state.down)
    return result


class _State:
    """What stops every thread: the remote is down, or the user wants no more."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.down = ""
        self.records: dict[tuple[str, str], Mapping[str, Any]] = {}
        """What was read there, by tier and digest: most samples share their records."""

    def over(self) -> bool:
        """Whether nothing more is to be asked."""
        if self._stop.is_set():
            self.down = self.down or _STOPPED
        return bool(self.down)


class _Outcome(Struct, frozen=True):
    """What became of one call, or of one listing."""

    taken: str = ""
    here: bool = False
    refused: tuple[Refusal, ...] = ()
    trouble: str = ""


_HERE = _Outcome(here=True)
"""One for all of them: most of what a remote has is here already."""


def _add(result: Pulled, outcome: _Outcome) -> None:
    result.taken += bool(outcome.taken)
    result.here += outcome.here
    result.refused += outcome.refused
    result.trouble = result.trouble or outcome.trouble


class _Puller:
    """Takes from one tier, from several threads."""

    def __init__(self, into: Sink, remote: Remote, tier: str, trusted: list[Trusted] | None, state: _State) -> None:
        self._into, self._remote, self._tier, self._trusted, self._state = into, remote, tier, trusted, state

    def places(self) -> list[Place]:
        """Everything that there is in the tier, in parts."""
        try:
            found = [] if self._state.over() else self._remote.folders(f"{self._tier}/{SAMPLES}")
        except RemoteError as error:
            self._state.down = error.message
            return []
        return [Place(f"{SAMPLES}/{name}") for name in found if len(name) == 2]

    def take_all(self, place: Place) -> list[_Outcome]:
        """What became of every call in one place. Raises StoreError."""
        try:
            return list(self._taken(place))
        except TooMuch as error:
            return [_Outcome(trouble=error.message)]
        except RemoteError as error:
            self._state.down = error.message
        except UndecidedError:
            self._state.over()
        return []

    def _taken(self, place: Place) -> Iterator[_Outcome]:
        if self._state.over():
            return
        calls: dict[str, list[str]] = {}
        for name in sorted(each.removeprefix(f"{self._tier}/") for each in self._remote.list(f"{self._tier}/{place.prefix}")):
            call = call_of(name)
            if call is not None and place.holds(name):
                calls.setdefault(call, []).append(name)
        for call, names in calls.items():
            if not self._into.has(call) and self._state.over():
                return
            outcome = self._take(call, names)
            if outcome is None:
                return
            yield outcome

    def _take(self, call: str, names: Sequence[str]) -> _Outcome | None:
        """The first parcel of a call that may be believed; None where the remote broke off. Raises StoreError."""
        if self._into.has(call):
            return _HERE
        refused: list[Refusal] = []
        for name in names[:REMOTE_PARCELS_TRIED]:
            try:
                self._into.put(*self._judged(name))
                return _Outcome(taken=call, refused=tuple(refused))
            except Refused as error:
                refused.append(Refusal(f"{self._tier}/{name}", error.code, error.message))
            except RemoteError as error:
                self._state.down = error.message
                return None
        return _Outcome(refused=tuple(refused))

    def _judged(self, name: str) -> tuple[Parcel, dict[str, Any], dict[str, Mapping[str, Any]]]:
        """A parcel with all that it needs. Raises Refused and RemoteError."""
        content = self._get(name, _PARCEL_BYTES)
        if content is None:
            raise Refused("missing", "it is listed and not there")
        parcel = unpack(self._tier, name, content)
        judge(parcel, self._trusted)
        folder = name.rpartition("/")[0]
        inputs = read_asked(self._get(f"{folder}/{KEY_NAME}", KEY_JSON_BYTES) or b"")
        if inputs is None or not is_asked(inputs, parcel.statement.static_key):
            raise Refused("missing", "what its key was made of is missing or damaged")
        return parcel, inputs, self._staged(parcel.sample.staged)

    def _get(self, name: str, limit: int) -> bytes | None:
        try:
            return self._remote.get(f"{self._tier}/{name}", limit)
        except TooMuch as error:
            raise Refused("too-large", error.message) from error

    def _staged(self, tree: str) -> dict[str, Mapping[str, Any]]:
        record = self._record(tree)
        if len(record) > REMOTE_TREE_RECORDS:
            raise Refused("forged", "it was staged with more skills than anybody has")
        return {tree: record, **{digest: self._record(digest) for digest in map(str, record.values())}}

    def _record(self, digest: str) -> Mapping[str, Any]:
        """A record that is here or there, by its digest."""
        if not is_digest(digest):
            raise Refused("forged", "its records have names that are none")
        here = self._into.record(digest) or self._state.records.get((self._tier, digest))
        if here is not None:
            return here
        name = digest.rpartition(":")[2]
        content = self._get(f"records/{name[:2]}/{name}.json", RECORD_BYTES)
        try:
            record = json.loads(content) if content is not None and digest_bytes(content) == digest else None
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise Refused("missing", "a record of what it was staged with is missing or damaged")
        self._state.records[self._tier, digest] = record
        return record


def reasons(refused: Sequence[Refusal]) -> dict[str, int]:
    """Reason → how many parcels."""
    return dict(sorted(Counter(each.code for each in refused).items()))
