"""Which package a sample was paid for, as far as it can be told: its key does not say so on purpose (DESIGN section 4)."""

from __future__ import annotations

from pathlib import Path

from selftune_build.engine.registry import Registry
from selftune_build.engine.upkeep.caring import runs_today
from selftune_build.errors import SelftuneError
from selftune_build.limits import SHOWN_NAMES
from selftune_build.store.figures import UNKNOWN, PackageOf
from selftune_build.store.records import RecordStore

NO_SKILL = "(no skill staged)"


def package_of(folder: Path, store: Path, registry: Registry) -> PackageOf:
    """Says it by the rows of today; where none asks for the key, by what was staged.

    What several packages share is told under all their names, so that sums stay right. A workspace that cannot be read is no
    reason not to tell what was spent.
    """
    asked = _asked(folder, store, registry)
    records = RecordStore(store)

    def holder(static_key: str, staged: str) -> str:
        names = asked.get(static_key)
        if names is not None:
            return _together(sorted(names))
        record = records.read(staged) if staged else None
        return UNKNOWN if record is None else _together(sorted(record)) if record else NO_SKILL

    return holder


def _asked(folder: Path, store: Path, registry: Registry) -> dict[str, set[str]]:
    """Static key → packages whose rows of today ask for it."""
    found: dict[str, set[str]] = {}
    try:
        runs = runs_today(folder, store, registry)
    except SelftuneError:
        return found
    for run in runs:
        for spec in run.specs:
            found.setdefault(spec.key, set()).add(run.package.handle)
    return found


def _together(names: list[str]) -> str:
    more = len(names) - SHOWN_NAMES
    return " + ".join(names[:SHOWN_NAMES]) + (f" + {more} more" if more > 0 else "")
