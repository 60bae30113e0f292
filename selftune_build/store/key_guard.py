"""The guard of a static key for whoever tidies up: taken where it is free, never waited for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selftune_build.store.asked import KEY_NAME
from selftune_build.store.guard import try_hold


class Busy(Exception):
    """Somebody is working on the samples of this key."""


@contextmanager
def key_guard(path: Path) -> Iterator[None]:
    """Hold the guard of the key that a file in `samples` belongs to; other files have none. Raises Busy and OSError."""
    key = path.parent / KEY_NAME
    if path.parent.parent.parent.name != "samples" or not key.is_file() or key.is_symlink():
        yield
        return
    descriptor = os.open(key, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not try_hold(descriptor):
            raise Busy
        yield
    finally:
        os.close(descriptor)
