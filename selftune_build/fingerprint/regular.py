"""Bytes of regular files, read with one call: the reader of a stream sets aside as much memory as could be read."""

from __future__ import annotations

import os
import stat


def read_regular(path: str, limit: int, *, follow: bool = True) -> bytes | None:
    """The first bytes of a regular file, at most `limit`; None for anything else. Raises OSError, also for a link that is not
    to be followed."""
    # Not blocking: what was a file when it was listed may be a pipe by now.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW))
    try:
        status = os.fstat(handle)
        return os.read(handle, min(limit, status.st_size + 1)) if stat.S_ISREG(status.st_mode) else None
    finally:
        os.close(handle)
