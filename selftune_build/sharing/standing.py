"""How a store and a remote stand to each other, by names alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import SelftuneError
from selftune_build.limits import KEY_JSON_BYTES, REMOTE_LOOK_S
from selftune_build.model.remote import RemoteState
from selftune_build.sharing.finished import finished, starts
from selftune_build.sharing.named import Named
from selftune_build.sharing.opening import open_remote
from selftune_build.sharing.parcel import call_of
from selftune_build.sharing.places import SAMPLES
from selftune_build.sharing.remote import Remote, RemoteError
from selftune_build.sharing.unsent import noted
from selftune_build.store.asked import KEY_NAME, is_free, read_asked
from selftune_build.store.reading import read_bounded
from selftune_build.store.wip import ARCHIVE_SUFFIX


class Standing(Struct, frozen=True):
    """Of one tier: samples that are on one side alone, on both, and their bytes on the remote. What is free to have again is not
    sent, so of what is here alone it is counted apart."""

    tier: str
    here: int
    both: int
    there: int
    bytes: int
    free: int = 0


def standing(store: Path, remote: Remote, tiers: Sequence[str]) -> list[Standing]:
    """Compare them, a part of the names at a time. Raises RemoteError and StoreError."""
    there = {tier: {f"{SAMPLES}/{name}" for name in remote.folders(f"{tier}/{SAMPLES}")} for tier in tiers}
    found = {tier: Standing(tier, 0, 0, 0, 0) for tier in tiers}
    for part in sorted({*starts(store), *chain.from_iterable(there.values())}):
        own = {path.removesuffix(ARCHIVE_SUFFIX) for path in finished(store, part)}
        costs = cache(partial(is_paid, store))
        for tier in tiers:
            listed = remote.list(f"{tier}/{part}") if part in there[tier] else {}
            found[tier] = _and_part(found[tier], own, listed, costs)
    return list(found.values())


def is_paid(store: Path, key: str) -> bool:
    """Whether the samples in a folder of the store are not known to be free."""
    return not is_free(read_asked(read_bounded(store / key / KEY_NAME, KEY_JSON_BYTES) or b"") or {})


def _and_part(before: Standing, own: set[str], listed: Mapping[str, int], costs: Callable[[str], bool]) -> Standing:
    theirs = {call for name in listed if (call := call_of(name.removeprefix(f"{before.tier}/"))) is not None}
    alone = own - theirs
    paid = sum(costs(call.rpartition("/")[0]) for call in alone)
    return Standing(
        before.tier,
        before.here + paid,
        before.both + len(own & theirs),
        before.there + len(theirs - own),
        before.bytes + sum(listed.values()),
        before.free + len(alone) - paid,
    )


def state_of(named: Named, store: Path) -> RemoteState:
    """How a remote is, asked once and briefly; one that cannot even be opened is not reached."""
    trouble = ""
    try:
        open_remote(named.url, seconds=REMOTE_LOOK_S).reach()
    except (RemoteError, SelftuneError) as error:
        trouble = error.message
    return RemoteState(named.shown, named.read, named.write, not trouble, trouble, bool(noted(store, named)))
