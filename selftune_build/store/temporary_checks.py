"""What writers that were killed have left: garbage, unless it is a whole sample that exists nowhere else."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from selftune_build.limits import TEMPORARY_AGE_S
from selftune_build.store.ailment import Ailment, Cure, Severity
from selftune_build.store.archive import Archive, DamagedRecord, NewerRecord
from selftune_build.store.call_checks import follows
from selftune_build.store.reading import read_packed
from selftune_build.store.samples import place_of
from selftune_build.store.survey import Entry
from selftune_build.store.temporary import is_guarded

_NAME = re.compile(r"\.(?P<name>.+)\.(?P<process>[0-9]+)-[0-9]+\.tmp")


def check_temporary(store: Path, entry: Entry, _staged: Counter[str]) -> Iterator[Ailment]:
    """A temporary file; one whose writer may still be at work is left alone."""
    found = _NAME.fullmatch(entry.name)
    if found is None or _is_written(store / entry.path) or (_is_alive(int(found["process"])) and _is_young(entry)):
        return
    target = f"{entry.folder}/{found['name']}" if entry.folder else found["name"]
    if target.endswith(".zst") and not os.path.lexists(store / target) and _is_sample(store, entry, target):
        message = f"holds a whole sample that never got its name, {found['name']}"
        yield Ailment("temporary-whole", Severity.ERROR, entry.path, message, Cure.MOVE, target)
    else:
        yield Ailment("temporary", Severity.WARNING, entry.path, "was left by a writer that was ended", Cure.REMOVE)


def _is_sample(store: Path, entry: Entry, target: str) -> bool:
    try:
        archive = read_packed(store / entry.path, Archive)
    except (OSError, DamagedRecord, NewerRecord):
        return False
    return place_of(archive) == target and follows(archive)


def _is_written(path: Path) -> bool:
    """Told by its guard, so also where the writer is a process of another container."""
    try:
        return is_guarded(path)
    except OSError:
        return False


def _is_young(entry: Entry) -> bool:
    return time.time_ns() - entry.changed_ns < TEMPORARY_AGE_S * 10**9


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
