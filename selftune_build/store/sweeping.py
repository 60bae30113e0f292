"""Garbage of a store, what it would cost to have it again, and its removal."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from selftune_build.store.atomic import store_errors
from selftune_build.store.call_checks import ENVELOPE_SUFFIX
from selftune_build.store.key_guard import Busy, key_guard
from selftune_build.store.survey import Entry
from selftune_build.store.temporary import remove_unguarded
from selftune_build.store.wip import ARCHIVE_SUFFIX


class Garbage(Struct, frozen=True):
    """A file that nothing needs. `usd` is what it was paid for, None where nobody told; of what is free, and no answer, 0."""

    path: str
    kind: str
    bytes: int
    usd: Decimal | None
    changed_ns: int
    reason: str
    about: str = ""
    """What was asked: a digest tells nobody what he gives up."""


def garbage(entry: Entry, kind: str, usd: Decimal | None, reason: str, about: str = "") -> Garbage:
    """An entry as garbage."""
    return Garbage(entry.path, kind, entry.size, usd, entry.changed_ns, reason, about)


def sweep(store: Path, chosen: Iterable[Garbage]) -> list[Garbage]:
    """Delete the files and what was signed about them; those that are gone. What somebody works on, or what was changed since
    it was looked at, stays. Samples go before the records that they name. Raises StoreError."""
    return [each for each in sorted(chosen, key=_order) if _delete(store, each)]


def _order(each: Garbage) -> tuple[bool, str]:
    return each.kind == "record", each.path


def _delete(store: Path, each: Garbage) -> bool:
    path = store / each.path
    with store_errors("delete", path):
        try:
            with key_guard(path):
                found = path.lstat()
                if (found.st_mtime_ns, found.st_size) != (each.changed_ns, each.bytes):
                    return False
                if each.kind == "temporary":
                    return remove_unguarded(path)
                path.unlink()
                if each.kind == "sample":
                    Path(str(path).removesuffix(ARCHIVE_SUFFIX) + ENVELOPE_SUFFIX).unlink(missing_ok=True)
                return True
        except (Busy, FileNotFoundError):
            return False
