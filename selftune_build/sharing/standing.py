"""How a store and a remote stand to each other, by names alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import SelftuneError
from selftune_build.limits import REMOTE_LOOK_S
from selftune_build.model.remote import RemoteState
from selftune_build.sharing.named import Named
from selftune_build.sharing.opening import open_remote
from selftune_build.sharing.parcel import call_of
from selftune_build.sharing.places import SAMPLES
from selftune_build.sharing.remote import Remote, RemoteError
from selftune_build.sharing.unsent import noted
from selftune_build.store.survey import Kind, survey
from selftune_build.store.wip import ARCHIVE_SUFFIX


class Standing(Struct, frozen=True):
    """Of one tier: samples that are on one side alone, on both, and their bytes on the remote."""

    tier: str
    here: int
    both: int
    there: int
    bytes: int


def standing(store: Path, remote: Remote, tiers: Sequence[str]) -> list[Standing]:
    """Compare them, tier by tier, a part of the names at a time. Raises RemoteError and StoreError."""
    ours: dict[str, set[str]] = {}
    for entry in survey(store):
        if entry.kind is Kind.ARCHIVE:
            ours.setdefault(_start(entry.path), set()).add(entry.path.removesuffix(ARCHIVE_SUFFIX))
    return [_standing(ours, remote, tier) for tier in tiers]


def _standing(ours: Mapping[str, set[str]], remote: Remote, tier: str) -> Standing:
    parts = {f"{SAMPLES}/{name}" for name in remote.folders(f"{tier}/{SAMPLES}")}
    here = sum(len(calls) for start, calls in ours.items() if start not in parts)
    both = there = size = 0
    for part in sorted(parts):
        listed = remote.list(f"{tier}/{part}")
        theirs = {call for name in listed if (call := call_of(name.removeprefix(f"{tier}/"))) is not None}
        own = ours.get(part, set())
        here, both, there = here + len(own - theirs), both + len(own & theirs), there + len(theirs - own)
        size += sum(listed.values())
    return Standing(tier, here, both, there, size)


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
