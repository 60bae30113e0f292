"""Candidates in the store: `candidates/ab/<digest>.patch`, named by their content, written once, never changed."""

from __future__ import annotations

from pathlib import Path

from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.store.atomic import store_errors, write_atomic

FOLDER = "candidates"


def candidate_path(store: Path, digest: str) -> Path:
    """Where the candidate of this digest lies."""
    name = digest.rpartition(":")[2]
    return store / FOLDER / name[:2] / f"{name}.patch"


def keep_candidate(store: Path, content: bytes) -> Path:
    """Keep a candidate document, and return where. Raises StoreError."""
    path = candidate_path(store, digest_bytes(content))
    with store_errors("create the folder", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_atomic(path, content)
    return path
