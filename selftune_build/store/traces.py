"""What each row depended on when it was last settled in this worktree: only ever read to explain, always rebuildable."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

_READ_STEPS = 1_000_000
"""Steps of SQLite's machine that a look-up may take; it takes some dozens."""
_HEADER = b"SQLite format 3\0"
_ROLLBACK = b"\1\1"
"""What stands at 18 of a database with a rollback journal, as ours have. One with a log makes two files when it is read."""
_TABLE = "CREATE TABLE IF NOT EXISTS trace (address TEXT PRIMARY KEY, inputs TEXT NOT NULL) WITHOUT ROWID"


class Traces:
    """One small database a worktree. A trace that cannot be read or written costs an explanation, never a build."""

    def __init__(self, store: Path, workspace: Path) -> None:
        name = hashlib.sha256(os.fsencode(workspace)).hexdigest()[:16]
        self._path = store / "index" / f"{name}.sqlite"

    def read(self, address: str) -> Mapping[str, Any] | None:
        """The inputs noted for a row, by its full address; None where there are none."""
        try:
            if not self._is_ours():
                return None
            with self._open("ro") as connection:
                connection.set_progress_handler(lambda: 1, _READ_STEPS)  # a checkout may bring a database of its own
                found = connection.execute("SELECT inputs FROM trace WHERE address = ?", (address,)).fetchone()
            return json.loads(found[0]) if found else None
        except (sqlite3.Error, OSError, ValueError):
            return None

    def below(self, prefix: str, most: int) -> Mapping[str, Mapping[str, Any]]:
        """The inputs noted for addresses that start so, of at most so many rows; empty where they cannot be read."""
        try:
            if not self._is_ours():
                return {}
            with self._open("ro") as connection:
                connection.set_progress_handler(lambda: 1, _READ_STEPS)
                query = "SELECT address, inputs FROM trace WHERE address >= ? AND address < ? LIMIT ?"
                found = connection.execute(query, (prefix, prefix + chr(0x10FFFF), most)).fetchall()
            return {address: json.loads(inputs) for address, inputs in found}
        except (sqlite3.Error, OSError, ValueError):
            return {}

    def write(self, traces: Mapping[str, Mapping[str, Any]]) -> None:
        """Note the inputs of rows that are settled now; a damaged database is made anew."""
        if not traces:
            return
        rows = [(address, json.dumps(inputs, sort_keys=True)) for address, inputs in traces.items()]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._insert(rows)
            except sqlite3.OperationalError:
                return  # busy, or the disk is full
            except sqlite3.DatabaseError:
                Path(f"{self._path}-journal").unlink(missing_ok=True)  # else it would be played into the new one
                self._path.unlink()
                self._insert(rows)
        except (sqlite3.Error, OSError):
            return

    def _insert(self, rows: list[tuple[str, str]]) -> None:
        with self._open("rwc") as connection, connection:
            connection.execute(_TABLE)
            connection.executemany("INSERT OR REPLACE INTO trace VALUES (?, ?)", rows)

    def _is_ours(self) -> bool:
        """Whether a database is there whose reading changes nothing."""
        if not self._path.is_file():
            return False
        with self._path.open("rb") as stream:
            header = stream.read(20)
        return header.startswith(_HEADER) and header.endswith(_ROLLBACK)

    @contextmanager
    def _open(self, mode: str) -> Iterator[sqlite3.Connection]:
        """Read-only leaves no journal and no other file behind."""
        with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode={mode}", timeout=10, uri=True)) as connection:
            yield connection
