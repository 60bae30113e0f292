"""How a store and a remote stand to each other, by names alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import SelftuneError
from selftune_build.limits import KEY_JSON_BYTES, REMOTE_LOOK_S
from selftune_build.model.remote import RemoteState
from selftune_build.sharing.named import Named
from selftune_build.sharing.opening import open_remote
from selftune_build.sharing.parcel import call_of
from selftune_build.sharing.places import SAMPLES
from selftune_build.sharing.remote import Remote, RemoteError
from selftune_build.sharing.unsent import noted
from selftune_build.store.asked import KEY_NAME, is_free, read_asked
from selftune_build.store.reading import read_bounded
from selftune_build.store.survey import Kind, survey
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
    """Compare them, tier by tier, a part of the names at a time. Raises RemoteError and StoreError."""
    ours: dict[str, set[str]] = {}
    for entry in survey(store):
        if entry.kind is Kind.ARCHIVE:
            ours.setdefault(_start(entry.path), set()).add(entry.path.removesuffix(ARCHIVE_SUFFIX))
    costs = cache(lambda key: is_paid(store, key))
    return [_standing(ours, remote, tier, costs) for tier in tiers]


def is_paid(store: Path, key: str) -> bool:
    """Whether the samples in a folder of the store are not known to be free."""
    return not is_free(read_asked(read_bounded(store / key / KEY_NAME, KEY_JSON_BYTES) or b"") or {})


def _standing(ours: Mapping[str, set[str]], remote: Remote, tier: str, costs: Callable[[str], bool]) -> Standing:
    parts = {f"{SAMPLES}/{name}" for name in remote.folders(f"{tier}/{SAMPLES}")}
    here = [call for start, calls in ours.items() if start not in parts for call in calls]
    both = there = size = 0
    for part in sorted(parts):
        listed = remote.list(f"{tier}/{part}")
        theirs = {call for name in listed if (call := call_of(name.removeprefix(f"{tier}/"))) is not None}
        own = ours.get(part, set())
        here += own - theirs
        both, there = both + len(own & theirs), there + len(theirs - own)
        size += sum(listed.values())
    paid = sum(costs(call.rpartition("/")[0]) for call in here)
    return Standing(tier, paid, both, there, size, len(here) - paid)


def _start(path: str) -> str:
    return "/".join(path.split("/")[:2])


def state_of(named: Named, store: Path) -> RemoteState:
    """How a remote is, asked once and briefly; one that cannot even be opened is not reached."""
    trouble = ""
    try:
        open_remote(named.url, seconds=REMOTE_LOOK_S).reach()
    except (RemoteError, SelftuneError) as error:
        trouble = error.message
    return RemoteState(named.shown, named.read, named.write, not trouble, trouble, bool(noted(store, named)))
