"""What a store has cost and what it holds, by agent, package and month."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from selftune_build.limits import KEY_JSON_BYTES
from selftune_build.store.archive import Archive, Attempt, DamagedRecord, NewerRecord, price_in
from selftune_build.store.asked import KEY_NAME, is_free, read_asked
from selftune_build.store.reading import read_bounded, read_packed
from selftune_build.store.survey import Entry, Kind, survey

UNKNOWN = "unknown"
SCRIPT = "script"
"""The agent of what no agent answered."""

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")

PackageOf = Callable[[str, str], str]
"""Static key and staged tree (empty for a failed attempt) → package, or what is known instead of it."""


class Tally(Struct):
    """How much of something there is, and what it has cost. `usd` is what is known; `unknown` calls told no price."""

    samples: int = 0
    attempts: int = 0
    free: int = 0
    """Calls that are known to cost nothing."""
    unknown: int = 0
    usd: Decimal = Decimal(0)
    bytes: int = 0


class Heap(Struct):
    """Files that are not told apart further."""

    count: int = 0
    bytes: int = 0


class Figures(Struct):
    """The whole store. Every map goes from a name to what falls on it, and each sums up to `total`."""

    store: str
    total: Tally = field(default_factory=Tally)
    agents: dict[str, Tally] = field(default_factory=dict)
    packages: dict[str, Tally] = field(default_factory=dict)
    months: dict[str, Tally] = field(default_factory=dict)
    heaps: dict[str, Heap] = field(default_factory=dict)
    """Kind → the files of the store that are neither sample nor attempt."""
    unreadable: int = 0
    """Archives and attempts that cannot be read: `store fsck` says why."""


class _Call(Struct, frozen=True):
    agent: str
    package: str
    month: str
    price: Decimal | None
    free: bool
    sample: bool
    size: int


def figures(store: Path, package_of: PackageOf) -> Figures:
    """Read every archive of a store. Raises StoreError where it cannot be listed."""
    found = Figures(str(store))
    calls: dict[str, list[Entry]] = {}
    for entry in survey(store):
        if entry.kind in (Kind.ARCHIVE, Kind.ATTEMPT):
            calls.setdefault(entry.folder, []).append(entry)
        else:
            heap = found.heaps.setdefault(entry.kind.value, Heap())
            heap.count, heap.bytes = heap.count + 1, heap.bytes + entry.size
    for folder, entries in calls.items():
        known = list(_calls(store, folder, entries, package_of))
        found.unreadable += len(entries) - len(known)
        for call in known:
            _count(found, call)
    return found


def _calls(store: Path, folder: str, entries: Iterable[Entry], package_of: PackageOf) -> Iterator[_Call]:
    """The calls of one static key. Attempts do not say whom they asked: what did, or the key itself, does."""
    inputs = read_asked(read_bounded(store / folder / KEY_NAME, KEY_JSON_BYTES) or b"") or {}
    agent = _agent(inputs)
    free = is_free(inputs)
    for entry in sorted(entries, key=lambda each: each.kind is Kind.ATTEMPT):
        try:
            record = read_call(store / entry.path, entry.kind)
        except (OSError, DamagedRecord, NewerRecord):
            continue
        if isinstance(record, Archive):
            agent = str(record.request.get("agent") or agent) if agent != SCRIPT else agent
            when, tree, cost = record.recorded, record.staged, record.cost
        else:
            when, tree, cost = record.started, "", record.usage
        month = found[0] if (found := _MONTH.match(when)) else UNKNOWN
        package = package_of(record.static_key, tree)
        yield _Call(agent, package, month, price_in(cost), free, isinstance(record, Archive), entry.size)


def read_call(path: Path, kind: Kind) -> Archive | Attempt:
    """The sample or the failed attempt in a file. Raises OSError, DamagedRecord and NewerRecord."""
    return read_packed(path, Archive) if kind is Kind.ARCHIVE else read_packed(path, Attempt)


def _agent(inputs: Mapping[str, Any]) -> str:
    if "agent plugin" not in inputs and "run" in inputs:
        return SCRIPT
    return str(inputs.get("agent plugin") or inputs.get("judge plugin") or UNKNOWN)


def _count(found: Figures, call: _Call) -> None:
    for tally in (
        found.total,
        found.agents.setdefault(call.agent, Tally()),
        found.packages.setdefault(call.package, Tally()),
        found.months.setdefault(call.month, Tally()),
    ):
        tally.samples += call.sample
        tally.attempts += not call.sample
        tally.bytes += call.size
        if call.free:
            tally.free += 1
        elif call.price is None:
            tally.unknown += 1
        else:
            tally.usd += call.price
