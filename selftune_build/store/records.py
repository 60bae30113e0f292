"""Shared records of the store: small JSON maps under the digest of their canonical encoding, written once, never changed.

Form: `records/ab/<hexadecimal digest>.json`. Samples name the tree they were staged from by such a digest.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selftune_build.fingerprint.digest import canonical_json, digest_bytes
from selftune_build.limits import RECORD_BYTES
from selftune_build.store.atomic import store_errors, sync_folder, write_atomic
from selftune_build.store.reading import read_bounded


class RecordStore:
    """Reads and writes the records of one store; remembers what it has seen."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "records"
        self._known: dict[str, Mapping[str, Any]] = {}

    def read(self, digest: str) -> Mapping[str, Any] | None:
        """The record of this digest; None where it is missing or its bytes are not what its name says."""
        if digest not in self._known:
            record = self._record(digest)
            if record is None:
                return None
            self._known[digest] = record
        return self._known[digest]

    def write(self, digest: str, record: Mapping[str, Any], durable: bool) -> None:
        """Make sure the record is there and whole, because a damaged one would hide every sample that names it; and new, because
        garbage that was changed since it was found is none. Raises StoreError."""
        path = self._path(digest)
        if self.read(digest) is not None and _renewed(path):
            return
        with store_errors("create the folder", path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, canonical_json(record), durable)
        if durable:
            self._make_names_durable()
        self._known[digest] = record

    def remove(self, digest: str) -> None:
        """Take away a record that no sample names. Raises StoreError."""
        path = self._path(digest)
        with store_errors("remove", path):
            path.unlink(missing_ok=True)
        self._known.pop(digest, None)

    def _make_names_durable(self) -> None:
        """A power cut must not take the way to a record that a paid sample names. Raises StoreError."""
        for folder in (self._folder, self._folder.parent):
            with store_errors("write", folder):
                sync_folder(folder)

    def _record(self, digest: str) -> Mapping[str, Any] | None:
        content = read_bounded(self._path(digest), RECORD_BYTES)
        if content is None or digest_bytes(content) != digest:
            return None
        try:
            record = json.loads(content)
        except (ValueError, RecursionError):  # whoever writes into the store can name bytes of any kind by their digest
            return None
        return record if isinstance(record, dict) else None

    def _path(self, digest: str) -> Path:
        name = digest.rpartition(":")[2]
        return self._folder / name[:2] / f"{name}.json"


def _renewed(path: Path) -> bool:
    """Whether a file is there, its time now another one where we may set it: the kernel's own clock is too coarse for that."""
    now = time.time_ns()
    try:
        os.utime(path, ns=(now, now))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
