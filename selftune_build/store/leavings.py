"""What lies in a store beside samples and can go: by itself where it was never paid for, else when that is said."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from selftune_build.limits import GARBAGE_RECORD_AGE_S, GARBAGE_TRACES_AGE_S, KEY_JSON_BYTES
from selftune_build.store.archive import Archive, Attempt, DamagedRecord, NewerRecord, price_in
from selftune_build.store.asked import read_asked
from selftune_build.store.reading import read_bounded, read_packed
from selftune_build.store.records import RecordStore
from selftune_build.store.survey import Entry, Kind
from selftune_build.store.sweeping import Garbage, garbage
from selftune_build.store.temporary_checks import check_temporary


def leavings(store: Path, entries: Sequence[Entry], gone: set[str]) -> list[Garbage]:
    """What was never paid for and nobody needs once the files `gone` are gone."""
    return [*_left_over(store, entries), *_traces(entries), *_records(store, entries, gone)]


def price_of(cost: Mapping[str, Any] | None) -> Decimal | None:
    """A price that is known to be more than nothing. An agent that says 0 may only not know better: it was not free."""
    return price_in(cost) or None


def unanswered(store: Path, entries: Iterable[Entry]) -> Iterator[Garbage]:
    """What was paid for and is no sample: failed attempts, and what was moved aside."""
    for entry in entries:
        if entry.kind is Kind.ATTEMPT:
            yield garbage(entry, "attempt", _attempt_price(store / entry.path), "a failed attempt: it only tells what was spent")
        elif entry.kind is Kind.ASIDE:
            yield garbage(entry, "aside", None, "moved aside")


def _attempt_price(path: Path) -> Decimal | None:
    try:
        return price_of(read_packed(path, Attempt).usage)
    except (OSError, DamagedRecord, NewerRecord):
        return None


def _left_over(store: Path, entries: Iterable[Entry]) -> Iterator[Garbage]:
    for entry in entries:
        if entry.kind is Kind.TEMPORARY and any(each.code == "temporary" for each in check_temporary(store, entry, Counter())):
            yield garbage(entry, "temporary", Decimal(0), "left by a writer that was ended")


def _traces(entries: Iterable[Entry]) -> Iterator[Garbage]:
    for entry in entries:
        if entry.kind is Kind.TRACES and _age(entry) > GARBAGE_TRACES_AGE_S:
            yield garbage(entry, "traces", Decimal(0), "explanations that are a month old; the next build makes them anew")


def _records(store: Path, entries: Sequence[Entry], gone: set[str]) -> Iterator[Garbage]:
    """Records that nothing names any more. Where something cannot be read, nobody knows what it names."""
    records = RecordStore(store)
    named: set[str] = set()
    for entry in entries:
        if entry.kind is Kind.ARCHIVE and entry.path not in gone:
            try:
                named.add(read_packed(store / entry.path, Archive).staged)
            except (OSError, DamagedRecord, NewerRecord):
                return
        elif entry.kind is Kind.CALL:
            return
        elif entry.kind is Kind.KEY:
            inputs = read_asked(read_bounded(store / entry.path, KEY_JSON_BYTES) or b"") or {}
            named.add(str(inputs.get("skills")))
    named |= {str(digest) for tree in named for digest in (records.read(tree) or {}).values()}
    for entry in entries:
        if entry.kind is Kind.RECORD and _age(entry) > GARBAGE_RECORD_AGE_S and _digest(entry) not in named:
            yield garbage(entry, "record", Decimal(0), "no sample names it; the next build writes what it needs")


def age_s(changed_ns: int) -> float:
    """How long ago a moment was, in seconds; negative after a clock was set back."""
    return (time.time_ns() - changed_ns) / 10**9


def _age(entry: Entry) -> float:
    return age_s(entry.changed_ns)


def _digest(entry: Entry) -> str:
    return f"sha256:{entry.name.removesuffix('.json')}"
