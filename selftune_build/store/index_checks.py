"""What can be wrong with files that the next build makes anew: explanations and no-op states."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from selftune_build.limits import STATE_BYTES, TRACES_CHECK_STEPS
from selftune_build.store.ailment import Ailment, Cure, Severity
from selftune_build.store.memory import MAGIC as MEMORY_MAGIC
from selftune_build.store.reading import read_bounded
from selftune_build.store.state import MAGIC, digest
from selftune_build.store.survey import Entry


def check_traces(store: Path, entry: Entry, _staged: Counter[str]) -> Iterator[Ailment]:
    """A database of explanations. One whose journal lies beside it is left to SQLite, which rolls it back."""
    path = store / entry.path
    if entry.name.endswith(".sqlite") and not Path(f"{path}-journal").exists() and not _is_sound(path):
        message = "is damaged: explanations of this worktree are missing until the next build"
        yield Ailment("traces-damaged", Severity.WARNING, entry.path, message, Cure.REMOVE)


def _is_sound(path: Path) -> bool:
    """Immutable: reading makes no file, also of a database that a stranger made to need some."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.set_progress_handler(lambda: 1, TRACES_CHECK_STEPS)
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def check_state(store: Path, entry: Entry, _staged: Counter[str]) -> Iterator[Ailment]:
    """A no-op state, or what is remembered of packages."""
    head, _, body = (read_bounded(store / entry.path, STATE_BYTES) or b"").partition(b"\n")
    fields = head.split(b" ")
    if fields[0] not in (MAGIC, MEMORY_MAGIC) or len(fields) != 4 or fields[3] != digest(body).encode():
        yield Ailment("state-damaged", Severity.WARNING, entry.path, "is torn: the next no-op is slow once", Cure.REMOVE)
