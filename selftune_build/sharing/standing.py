"""How a store and a remote stand to each other, by names alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from selftune_build.sharing.parcel import call_of
from selftune_build.sharing.remote import Remote
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
    """Compare them, tier by tier. Raises RemoteError and StoreError."""
    ours = {entry.path.removesuffix(ARCHIVE_SUFFIX) for entry in survey(store) if entry.kind is Kind.ARCHIVE}
    found = []
    for tier in tiers:
        listed = remote.list(f"{tier}/samples")
        theirs = {call for name in listed if (call := call_of(name.removeprefix(f"{tier}/"))) is not None}
        found.append(Standing(tier, len(ours - theirs), len(ours & theirs), len(theirs - ours), sum(listed.values())))
    return found
